// Any law by a table of its inverse CDF, in float64: the normal at full width, and truncated normals whose
// window is narrow or far out. src/quantile/table.ts makes the tables; backends only evaluate them.
//
// A 64-bit number N (two words, or one word as its upper half) is folded about the median: the top bit says
// which side, and A = 2·(rest) + 1, or the same of the complement, is 2^65 times the probability mass beyond
// the sample on that side. Like the float32 normal's, the table has dyadic rows, here four per octave: row 4e
// + q of a side holds A in [2^e·(1 + q/4), 2^e·(1 + (q+1)/4)), and there the sample is a polynomial of degree
// 11 in d = A/2^e - 9/8 - q/4, -1/8 <= d < 1/8. Row 256 holds A = 2^64 alone, the median.
#ifndef ISOMETRY_CORE_QUANTILE_H_
#define ISOMETRY_CORE_QUANTILE_H_

#include "core/fma.h"
#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

inline constexpr int kQuantileDegree = 11;
inline constexpr int kQuantileSideRows = 64 * 4 + 1;
inline constexpr int kQuantileRows = 2 * kQuantileSideRows;  // lower side, then upper side
inline constexpr int kQuantileTableSize =
    kQuantileRows * (kQuantileDegree + 1);  // row by row, constant first

// Where in a table a sample is: the folded number A and the side, lower (0) or upper (1).
struct QuantilePoint {
  double a;
  uint32_t side;
};

// The point of one word, for dtypes of 32 and 16 bits.
ISOMETRY_HD QuantilePoint quantilePoint32(uint32_t word) {
  const uint32_t side = word >> 31;
  const uint32_t folded = ((word << 1) ^ (0u - side)) | 1u;
  return {static_cast<double>(folded) * 0x1p32, side};
}

// The point of two words, for float64: of the number high·2^32 + low.
ISOMETRY_HD QuantilePoint quantilePoint64(uint32_t high, uint32_t low) {
  const uint32_t side = high >> 31;
  const uint32_t foldedLow = low ^ (0u - side);
  const uint32_t a1 = ((high ^ (0u - side)) << 1) | (foldedLow >> 31);
  const uint32_t a0 = (foldedLow << 1) | 1u;
  return {static_cast<double>(a1) * 0x1p32 + static_cast<double>(a0), side};
}

// A row's coefficients. A GPU fetches all of them at once, in six loads out of global memory: the table is at
// a 16-byte boundary there. A CPU has them in its cache.
#if defined(__CUDA_ARCH__)
struct QuantileRow {
  double2 pairs[(kQuantileDegree + 1) / 2];
  __device__ __forceinline__ double operator[](int k) const {
    return k % 2 == 0 ? pairs[k / 2].x : pairs[k / 2].y;
  }
};
ISOMETRY_HD QuantileRow quantileRow(const double* table, uint32_t row) {
  const double2* from = reinterpret_cast<const double2*>(table) + row * ((kQuantileDegree + 1) / 2);
  QuantileRow loaded;
  ISOMETRY_UNROLL
  for (int i = 0; i < (kQuantileDegree + 1) / 2; ++i) loaded.pairs[i] = __ldg(from + i);
  return loaded;
}
#else
using QuantileRow = const double*;
ISOMETRY_HD QuantileRow quantileRow(const double* table, uint32_t row) {
  return table + static_cast<uint64_t>(row) * (kQuantileDegree + 1);
}
#endif

// The samples at N points. In lockstep, because the steps of one polynomial wait for each other. No FMA:
// plain JavaScript computes the same.
template <int N>
ISOMETRY_HD void quantiles(const QuantilePoint (&points)[N], const double* table, double (&x)[N]) {
  QuantileRow c[N];
  double d[N];
  for (int i = 0; i < N; ++i) {
    const uint64_t bits = bitCast<uint64_t>(points[i].a);
    const uint32_t row = static_cast<uint32_t>(bits >> 50) - 4 * 1023 + points[i].side * kQuantileSideRows;
    c[i] = quantileRow(table, row);
    d[i] = bitCast<double>((bits & 0x3ffffffffffffull) | 0x3ff0000000000000ull) - 1.125;
    x[i] = c[i][kQuantileDegree];
  }
  ISOMETRY_UNROLL
  for (int k = kQuantileDegree - 1; k >= 0; --k) {
    for (int i = 0; i < N; ++i) x[i] = scale64(x[i], c[i][k], d[i]);
  }
}

ISOMETRY_HD double quantile32(uint32_t word, const double* table) {
  double x[1];
  quantiles({quantilePoint32(word)}, table, x);
  return x[0];
}

ISOMETRY_HD double quantile64(uint32_t high, uint32_t low, const double* table) {
  double x[1];
  quantiles({quantilePoint64(high, low)}, table, x);
  return x[0];
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_QUANTILE_H_
