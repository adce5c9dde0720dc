// Registers of 512 bits: AVX-512 F, BW, DQ, VL. Compiled only by cpu/targets/avx512.cc.
#ifndef ISOMETRY_CPU_SIMD_AVX512_H_
#define ISOMETRY_CPU_SIMD_AVX512_H_

#include <immintrin.h>

#include "core/normal.h"
#include "core/philox.h"

namespace isometry::cpu {

struct Avx512 {
  using U32 = __m512i;
  using F32 = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kVectors = 4;  // per block of random words

  // Sixteen Philox blocks side by side, one per 64-bit lane of two registers: in lockstep, because one
  // register's rounds would each wait for the round before.
  struct Lane {
    struct Word {
      __m512i a, b;
    };
    static Word multiply(Word x, uint32_t m) {
      const __m512i factor = _mm512_set1_epi64(m);
      return {_mm512_mul_epu32(x.a, factor), _mm512_mul_epu32(x.b, factor)};
    }
    static Word high(Word product) {
      return {_mm512_srli_epi64(product.a, 32), _mm512_srli_epi64(product.b, 32)};
    }
    static Word exclusiveOr(Word x, Word y, uint32_t key) {
      const __m512i keys = _mm512_set1_epi32(static_cast<int>(key));
      return {_mm512_ternarylogic_epi32(x.a, y.a, keys, 0x96),
              _mm512_ternarylogic_epi32(x.b, y.b, keys, 0x96)};
    }
    static Word broadcast(uint64_t x) {
      const __m512i all = _mm512_set1_epi64(static_cast<int64_t>(x));
      return {all, all};
    }
  };

  // The 64 words of Philox blocks n … n + 15.
  static void words(const PhiloxKeys& keys, uint64_t stream, uint64_t n, U32 (&out)[kVectors]) {
    // In this order of counters the unpacking below leaves the words in theirs.
    const __m512i order = _mm512_set_epi64(7, 3, 6, 2, 5, 1, 4, 0);
    const __m512i counter = _mm512_add_epi64(_mm512_set1_epi64(static_cast<int64_t>(n)), order);
    const Lane::Word counters = {counter, _mm512_add_epi64(counter, _mm512_set1_epi64(8))};
    Lane::Word c[4] = {counters, Lane::high(counters), Lane::broadcast(stream),
                       Lane::broadcast(stream >> 32)};
    philox<Lane>(c, keys);
    unpack(c[0].a, c[1].a, c[2].a, c[3].a, out[0], out[1]);
    unpack(c[0].b, c[1].b, c[2].b, c[3].b, out[2], out[3]);
  }

  // The low halves of the lanes of four registers, in the order of the words.
  static void unpack(__m512i c0, __m512i c1, __m512i c2, __m512i c3, U32& first, U32& second) {
    const __m512i pair0 = _mm512_mask_shuffle_epi32(c0, 0xAAAA, c1, _MM_PERM_CCAA);
    const __m512i pair1 = _mm512_mask_shuffle_epi32(c2, 0xAAAA, c3, _MM_PERM_CCAA);
    first = _mm512_unpacklo_epi64(pair0, pair1);
    second = _mm512_unpackhi_epi64(pair0, pair1);
  }

  // The normal's table for words whose folded value lies in [2^16, 2^32 - 128]: rows 32 … 63, all but one
  // word in 2^16. The rest is found by `rare` and left to scalar code.
  struct Normal {
    using U32 = Avx512::U32;
    using F32 = Avx512::F32;
    using Row = __m512i;
    __m512 low[kNormalDegree + 1], high[kNormalDegree + 1];

    Normal() {
      for (int k = 0; k <= kNormalDegree; ++k) {
        // row() leaves out the subtraction of 254, so the rows are rotated by 254 mod 32.
        float rotated[32];
        for (int i = 0; i < 32; ++i) rotated[i] = kNormalTable[k][32 + (i + 2) % 32];
        low[k] = _mm512_loadu_ps(rotated);
        high[k] = _mm512_loadu_ps(rotated + 16);
      }
    }
    static U32 fold(U32 word) {
      return _mm512_ternarylogic_epi32(_mm512_slli_epi32(word, 1), _mm512_srai_epi32(word, 31),
                                       _mm512_set1_epi32(1), 0xBE);
    }
    static F32 toFloat(U32 folded) { return _mm512_cvtepu32_ps(folded); }
    static Row row(F32 a) { return _mm512_srli_epi32(_mm512_castps_si512(a), 22); }
    static F32 offset(F32 a) {
      const __m512i x = _mm512_ternarylogic_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(0x3fffff),
                                                  _mm512_set1_epi32(0x3f800000), 0xEA);
      return _mm512_sub_ps(_mm512_castsi512_ps(x), _mm512_set1_ps(1.25f));
    }
    F32 coefficient(int k, Row row) const { return _mm512_permutex2var_ps(low[k], row, high[k]); }
    static F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
    static F32 flipSign(F32 z, U32 word) {
      return _mm512_castsi512_ps(
          _mm512_ternarylogic_epi32(_mm512_castps_si512(z), word, _mm512_set1_epi32(INT32_MIN), 0x78));
    }
    // One bit per lane whose row is not in the registers.
    static uint32_t rare(U32 word) {
      const __m512i above = _mm512_sub_epi32(fold(word), _mm512_set1_epi32(0x10000));
      return _mm512_cmpge_epu32_mask(above, _mm512_set1_epi32(static_cast<int>(0xFFFFFF80u - 0x10000u)));
    }
  };

  static U32 truncateWord(U32 word, uint32_t base, uint32_t count) {
    const __m512i factor = _mm512_set1_epi64(count);
    const __m512i even = _mm512_mul_epu32(word, factor);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(word, 32), factor);
    const __m512i high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd);
    return _mm512_add_epi32(high, _mm512_set1_epi32(static_cast<int>(base)));
  }

  static F32 uniform(U32 word, float low, float step) {
    return _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32(word, 8)), _mm512_set1_ps(step),
                           _mm512_set1_ps(low));
  }
  static F32 set(float x) { return _mm512_set1_ps(x); }
  static F32 fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  static F32 clamp(F32 x, float min, float max) {
    return _mm512_min_ps(_mm512_set1_ps(max), _mm512_max_ps(x, _mm512_set1_ps(min)));
  }

  static U32 load(const uint32_t* p) { return _mm512_loadu_si512(p); }
  static F32 load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(uint32_t* p, U32 x) { _mm512_storeu_si512(p, x); }
  static void store(float* p, F32 x) { _mm512_storeu_ps(p, x); }
  static void storeBFloat16(uint16_t* p, F32 x) {  // finite x
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
  }
  static void storeFloat16(uint16_t* p, F32 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
};

// Registers of one precision for orthogonal-inl.h; in float64 product and sum are rounded one by one.
template <class T>
struct Avx512Lanes;

template <>
struct Avx512Lanes<float> {
  using Real = float;
  using Vector = __m512;
  static constexpr int kLanes = 16, kRows = 8;
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Vector x) { _mm512_storeu_ps(p, x); }
  static Vector broadcast(float x) { return _mm512_set1_ps(x); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector multiplyAdd(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static Vector subtractProduct(Vector a, Vector b, Vector c) { return _mm512_fnmadd_ps(a, b, c); }
};

template <>
struct Avx512Lanes<double> {
  using Real = double;
  using Vector = __m512d;
  static constexpr int kLanes = 8, kRows = 8;
  static Vector load(const double* p) { return _mm512_loadu_pd(p); }
  static void store(double* p, Vector x) { _mm512_storeu_pd(p, x); }
  static Vector broadcast(double x) { return _mm512_set1_pd(x); }
  static Vector add(Vector a, Vector b) { return _mm512_add_pd(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_pd(a, b); }
  static Vector multiplyAdd(Vector a, Vector b, Vector c) { return add(multiply(a, b), c); }
  static Vector subtractProduct(Vector a, Vector b, Vector c) { return _mm512_sub_pd(c, multiply(a, b)); }
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_SIMD_AVX512_H_
