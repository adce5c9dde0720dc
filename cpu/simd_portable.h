// No registers at all: the core's own scalar code, four words at a time. Runs on every CPU.
#ifndef ISOMETRY_CPU_SIMD_PORTABLE_H_
#define ISOMETRY_CPU_SIMD_PORTABLE_H_

#include <algorithm>

#include "core/normal.h"
#include "core/orthogonal.h"
#include "core/philox.h"
#include "core/round.h"
#include "core/uniform.h"

namespace isometry::cpu {

struct Portable {
  using U32 = uint32_t;
  using F32 = float;
  static constexpr int kLanes = 1;
  static constexpr int kVectors = 4;  // per block of random words

  static void words(const PhiloxKeys& keys, uint64_t stream, uint64_t n, U32 (&out)[kVectors]) {
    philoxBlock(keys, stream, n, out);
  }
  struct Normal : ScalarNormal {
    static uint32_t rare(U32) { return 0; }
  };
  static U32 truncateWord(U32 word, uint32_t base, uint32_t count) {
    return isometry::truncateWord(word, base, count);
  }
  static F32 uniform(U32 word, float low, float step) { return uniform32(word, low, step); }
  static F32 set(float x) { return x; }
  static F32 fma(F32 a, F32 b, F32 c) { return fma32(a, b, c); }
  static F32 clamp(F32 x, float min, float max) { return isometry::clamp(x, min, max); }
  static U32 load(const uint32_t* p) { return *p; }
  static F32 load(const float* p) { return *p; }
  static void store(uint32_t* p, U32 x) { *p = x; }
  static void store(float* p, F32 x) { *p = x; }
  static void storeBFloat16(uint16_t* p, F32 x) { *p = toBFloat16(x); }
  static void storeFloat16(uint16_t* p, F32 x) { *p = toFloat16(x); }
};

// A few elements at a time for orthogonal-inl.h, in loops that a compiler may turn into registers it has.
template <class T>
struct PortableLanes {
  using Real = T;
  static constexpr int kLanes = 4, kRows = 2;
  struct Vector {
    T x[kLanes];
  };
  static Vector load(const T* p) { return {p[0], p[1], p[2], p[3]}; }
  static void store(T* p, Vector a) { std::copy_n(a.x, kLanes, p); }
  static Vector broadcast(T x) { return {x, x, x, x}; }
  static Vector add(Vector a, Vector b) {
    for (int i = 0; i < kLanes; ++i) a.x[i] = a.x[i] + b.x[i];
    return a;
  }
  static Vector multiply(Vector a, Vector b) {
    for (int i = 0; i < kLanes; ++i) a.x[i] = a.x[i] * b.x[i];
    return a;
  }
  static Vector multiplyAdd(Vector a, Vector b, Vector c) {
#if !defined(__FMA__) && !defined(__aarch64__)
    if constexpr (sizeof(T) == 4) return emulated(a, b, c);
#endif
    for (int i = 0; i < kLanes; ++i) c.x[i] = isometry::multiplyAdd(a.x[i], b.x[i], c.x[i]);
    return c;
  }
  static Vector subtractProduct(Vector a, Vector b, Vector c) {
    for (int i = 0; i < kLanes; ++i) a.x[i] = -a.x[i];
    return multiplyAdd(a, b, c);
  }

 private:
  // emulatedFma, with one look at all elements for what is doubtful (see core/fma.h): it is, one time in
  // 2^28.
  static Vector emulated(Vector a, Vector b, Vector c) {
    double sum[kLanes];
    for (int i = 0; i < kLanes; ++i)
      sum[i] = static_cast<double>(a.x[i]) * static_cast<double>(b.x[i]) + static_cast<double>(c.x[i]);
    bool doubtful = false;
    for (int i = 0; i < kLanes; ++i) {
      const auto bits = bitCast<uint64_t>(sum[i]);
      doubtful |= (bits & 0x1fffffff) == 0x10000000;
      doubtful |= (bits & 0x7fffffffffffffffull) - 1 < 0x3810000000000000ull - 1;  // 0 is none
    }
    for (int i = 0; i < kLanes; ++i)
      c.x[i] = doubtful ? emulatedFma(a.x[i], b.x[i], c.x[i]) : static_cast<float>(sum[i]);
    return c;
  }
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_SIMD_PORTABLE_H_
