// Uniform numbers in [0, 1) from random words, times a range, plus a low end.
#ifndef ISOMETRY_CORE_UNIFORM_H_
#define ISOMETRY_CORE_UNIFORM_H_

#include "core/fma.h"
#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// Into [min, max], bounds that are not -0. So -0 counts as less than 0, as in IEEE 754-2019's minimum and
// maximum, the GPU's instructions, and Math.min and Math.max.
template <class T>
ISOMETRY_HD T clamp(T x, T min, T max) {
  x = x > min ? x : min;
  return max < x ? max : x;
}

// low + range·u, u the top 24 bits of a word; step = range·2^-24, one rounding.
ISOMETRY_HD float uniform32(uint32_t word, float low, float step) {
  return fma32(static_cast<float>(static_cast<int32_t>(word >> 8)), step, low);
}

// The float32 step of a range, so that the multiplication by 2^-24 happens once per job.
ISOMETRY_HD float uniformStep32(double range) { return static_cast<float>(range) * 0x1p-24f; }

// low + range·u, u the top 53 bits of the word pair; two roundings.
ISOMETRY_HD double uniform64(uint32_t word0, uint32_t word1, double low, double range) {
  const double u = static_cast<double>(word1) * 0x1p-32 + static_cast<double>(word0 >> 11) * 0x1p-53;
  return scale64(u, low, range);
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_UNIFORM_H_
