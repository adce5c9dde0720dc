// No registers at all: the core's own scalar code, four words at a time. Runs on every CPU.
#ifndef ISOMETRY_CPU_SIMD_PORTABLE_H_
#define ISOMETRY_CPU_SIMD_PORTABLE_H_

#include "core/normal.h"
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

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_SIMD_PORTABLE_H_
