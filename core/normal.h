// The standard normal by its inverse CDF, one word to one sample: odd, monotone, finite, no branch. The idea
// of polynomials on dyadic pieces is Sheridan-Methven and Giles, "Approximating inverse cumulative
// distribution functions" (ACM TOMS 2023). tools/generate-normal-table.mjs says how a row of the table is
// made.
#ifndef ISOMETRY_CORE_NORMAL_H_
#define ISOMETRY_CORE_NORMAL_H_

#include "core/fma.h"
#include "core/normal_table.h"
#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// One lane of the arithmetic that `standardNormal` needs; a SIMD target has the same for a register of lanes
// (cpu/simd_*.h). `coefficient(k, row)` looks the table up.
struct ScalarNormal {
  using U32 = uint32_t;
  using F32 = float;
  using Row = uint32_t;
  F32 coefficient(int k, Row row) const { return kNormalTable[k][row]; }
  // ((word << 1) ^ (all ones if the top bit is set)) | 1: twice the folded word, plus one.
  ISOMETRY_HD U32 fold(U32 word) const {
    return ((word << 1) ^ static_cast<uint32_t>(static_cast<int32_t>(word) >> 31)) | 1u;
  }
  ISOMETRY_HD F32 toFloat(U32 folded) const { return static_cast<float>(folded); }
  ISOMETRY_HD Row row(F32 a) const { return (bitCast<uint32_t>(a) >> 22) - 2 * 127; }
  // a's position in its row, -1/4 <= d < 1/4.
  ISOMETRY_HD F32 offset(F32 a) const {
    return bitCast<float>((bitCast<uint32_t>(a) & 0x3fffffu) | 0x3f800000u) - 1.25f;
  }
  ISOMETRY_HD F32 fma(F32 a, F32 b, F32 c) const { return fma32(a, b, c); }
  ISOMETRY_HD F32 flipSign(F32 z, U32 word) const {
    return bitCast<float>(bitCast<uint32_t>(z) ^ (word & 0x80000000u));
  }
};

// Φ^-1((word + 1/2)·2^-32), |error| < 6e-7. Words below 2^31 give z <= 0, and word ^ 0xffffffff gives -z.
template <class Lanes>
ISOMETRY_HD typename Lanes::F32 standardNormal(const Lanes& lanes, typename Lanes::U32 word) {
  const auto a = lanes.toFloat(lanes.fold(word));  // 2^33 · (tail probability), rounded to 24 bits
  const auto row = lanes.row(a);
  const auto d = lanes.offset(a);
  auto z = lanes.coefficient(kNormalDegree, row);
  ISOMETRY_UNROLL
  for (int k = kNormalDegree - 1; k >= 0; --k) z = lanes.fma(z, d, lanes.coefficient(k, row));
  return lanes.flipSign(z, word);
}

// The word that stands for `word` in the window of `count` words from `base` on: an affine map, monotone,
// every word of the window hit equally often to one part in 2^32 / count. count <= 2^32 - base.
ISOMETRY_HD uint32_t truncateWord(uint32_t word, uint32_t base, uint32_t count) {
  return base + static_cast<uint32_t>((static_cast<uint64_t>(word) * count) >> 32);
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_NORMAL_H_
