// Registers of 256 bits: AVX2, FMA, F16C. Compiled only by cpu/targets/avx2.cc.
#ifndef ISOMETRY_CPU_SIMD_AVX2_H_
#define ISOMETRY_CPU_SIMD_AVX2_H_

#include <immintrin.h>

#include "core/normal.h"
#include "core/philox.h"

namespace isometry::cpu {

struct Avx2 {
  using U32 = __m256i;
  using F32 = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kVectors = 4;  // per block of random words

  // Eight Philox blocks side by side, one per 64-bit lane of two registers: in lockstep, because one
  // register's rounds would each wait for the round before.
  struct Lane {
    struct Word {
      __m256i a, b;
    };
    static Word multiply(Word x, uint32_t m) {
      const __m256i factor = _mm256_set1_epi64x(m);
      return {_mm256_mul_epu32(x.a, factor), _mm256_mul_epu32(x.b, factor)};
    }
    static Word high(Word product) {
      return {_mm256_srli_epi64(product.a, 32), _mm256_srli_epi64(product.b, 32)};
    }
    static Word exclusiveOr(Word x, Word y, uint32_t key) {
      const __m256i keys = _mm256_set1_epi32(static_cast<int>(key));
      return {_mm256_xor_si256(_mm256_xor_si256(x.a, y.a), keys),
              _mm256_xor_si256(_mm256_xor_si256(x.b, y.b), keys)};
    }
    static Word broadcast(uint64_t x) {
      const __m256i all = _mm256_set1_epi64x(static_cast<int64_t>(x));
      return {all, all};
    }
  };

  // The 32 words of Philox blocks n … n + 7.
  static void words(const PhiloxKeys& keys, uint64_t stream, uint64_t n, U32 (&out)[kVectors]) {
    // In this order of counters the unpacking below leaves the words in theirs.
    const __m256i order = _mm256_set_epi64x(3, 1, 2, 0);
    const __m256i counter = _mm256_add_epi64(_mm256_set1_epi64x(static_cast<int64_t>(n)), order);
    const Lane::Word counters = {counter, _mm256_add_epi64(counter, _mm256_set1_epi64x(4))};
    Lane::Word c[4] = {counters, Lane::high(counters), Lane::broadcast(stream),
                       Lane::broadcast(stream >> 32)};
    philox<Lane>(c, keys);
    unpack(c[0].a, c[1].a, c[2].a, c[3].a, out[0], out[1]);
    unpack(c[0].b, c[1].b, c[2].b, c[3].b, out[2], out[3]);
  }

  // The low halves of the lanes of four registers, in the order of the words.
  static void unpack(__m256i c0, __m256i c1, __m256i c2, __m256i c3, U32& first, U32& second) {
    const __m256i pair0 = _mm256_blend_epi32(c0, _mm256_slli_epi64(c1, 32), 0xAA);
    const __m256i pair1 = _mm256_blend_epi32(c2, _mm256_slli_epi64(c3, 32), 0xAA);
    first = _mm256_unpacklo_epi64(pair0, pair1);
    second = _mm256_unpackhi_epi64(pair0, pair1);
  }

  // The normal's table for words whose folded value lies in [2^24, 2^32 - 128]: rows 48 … 63, all but one
  // word in 2^8. The rest is found by `rare` and left to scalar code.
  struct Normal {
    using U32 = Avx2::U32;
    using F32 = Avx2::F32;
    using Row = __m256i;
    __m256 low[kNormalDegree + 1], high[kNormalDegree + 1];

    Normal() {
      for (int k = 0; k <= kNormalDegree; ++k) {
        // row() leaves out the subtraction of 254, so the rows are rotated by 254 mod 16.
        float rotated[16];
        for (int i = 0; i < 16; ++i) rotated[i] = kNormalTable[k][48 + (i + 2) % 16];
        low[k] = _mm256_loadu_ps(rotated);
        high[k] = _mm256_loadu_ps(rotated + 8);
      }
    }
    static U32 fold(U32 word) {
      return _mm256_or_si256(_mm256_xor_si256(_mm256_slli_epi32(word, 1), _mm256_srai_epi32(word, 31)),
                             _mm256_set1_epi32(1));
    }
    // Unsigned to float by halves: both are exact, so the sum is the only rounding.
    static F32 toFloat(U32 folded) {
      const __m256 upper = _mm256_cvtepi32_ps(_mm256_srli_epi32(folded, 16));
      const __m256 lower = _mm256_cvtepi32_ps(_mm256_and_si256(folded, _mm256_set1_epi32(0xffff)));
      return _mm256_fmadd_ps(upper, _mm256_set1_ps(65536.0f), lower);
    }
    static Row row(F32 a) { return _mm256_srli_epi32(_mm256_castps_si256(a), 22); }
    static F32 offset(F32 a) {
      const __m256i x = _mm256_or_si256(_mm256_and_si256(_mm256_castps_si256(a), _mm256_set1_epi32(0x3fffff)),
                                        _mm256_set1_epi32(0x3f800000));
      return _mm256_sub_ps(_mm256_castsi256_ps(x), _mm256_set1_ps(1.25f));
    }
    F32 coefficient(int k, Row row) const {
      const __m256 useHigh = _mm256_castsi256_ps(_mm256_slli_epi32(row, 28));  // bit 3 into the sign
      return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low[k], row), _mm256_permutevar8x32_ps(high[k], row),
                              useHigh);
    }
    static F32 fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
    static F32 flipSign(F32 z, U32 word) {
      return _mm256_xor_ps(z, _mm256_and_ps(_mm256_castsi256_ps(word), _mm256_set1_ps(-0.0f)));
    }
    // One bit per lane whose row is not in the registers.
    static uint32_t rare(U32 word) {
      // folded - 2^24 >= 2^32 - 128 - 2^24, unsigned, as a signed comparison shifted by 2^31.
      const __m256i shifted = _mm256_add_epi32(fold(word), _mm256_set1_epi32(static_cast<int>(0x7F000000u)));
      const __m256i limit = _mm256_set1_epi32(static_cast<int>(0x7EFFFF7Fu));
      return static_cast<uint32_t>(
          _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(shifted, limit))));
    }
  };

  static U32 truncateWord(U32 word, uint32_t base, uint32_t count) {
    const __m256i factor = _mm256_set1_epi64x(count);
    const __m256i even = _mm256_mul_epu32(word, factor);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(word, 32), factor);
    const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    return _mm256_add_epi32(high, _mm256_set1_epi32(static_cast<int>(base)));
  }

  static F32 uniform(U32 word, float low, float step) {
    return _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_srli_epi32(word, 8)), _mm256_set1_ps(step),
                           _mm256_set1_ps(low));
  }
  static F32 set(float x) { return _mm256_set1_ps(x); }
  static F32 fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
  static F32 clamp(F32 x, float min, float max) {
    return _mm256_min_ps(_mm256_set1_ps(max), _mm256_max_ps(x, _mm256_set1_ps(min)));
  }

  static U32 load(const uint32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static F32 load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(uint32_t* p, U32 x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static void store(float* p, F32 x) { _mm256_storeu_ps(p, x); }
  static void storeBFloat16(uint16_t* p, F32 x) {  // finite x
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
    const __m256i upper = _mm256_srli_epi32(rounded, 16);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(upper, upper), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
  }
  static void storeFloat16(uint16_t* p, F32 x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
  }
};

// Registers of one precision for orthogonal-inl.h; in float64 product and sum are rounded one by one.
template <class T>
struct Avx2Lanes;

template <>
struct Avx2Lanes<float> {
  using Real = float;
  using Vector = __m256;
  static constexpr int kLanes = 8, kRows = 4;
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Vector x) { _mm256_storeu_ps(p, x); }
  static Vector broadcast(float x) { return _mm256_set1_ps(x); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static Vector subtractProduct(Vector a, Vector b, Vector c) { return _mm256_fnmadd_ps(a, b, c); }
};

template <>
struct Avx2Lanes<double> {
  using Real = double;
  using Vector = __m256d;
  static constexpr int kLanes = 4, kRows = 4;
  static Vector load(const double* p) { return _mm256_loadu_pd(p); }
  static void store(double* p, Vector x) { _mm256_storeu_pd(p, x); }
  static Vector broadcast(double x) { return _mm256_set1_pd(x); }
  static Vector add(Vector a, Vector b) { return _mm256_add_pd(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_pd(a, b); }
  static Vector multiplyAdd(Vector a, Vector b, Vector c) { return add(multiply(a, b), c); }
  static Vector subtractProduct(Vector a, Vector b, Vector c) { return _mm256_sub_pd(c, multiply(a, b)); }
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_SIMD_AVX2_H_
