// float32 to the 16-bit formats, to nearest even.
#ifndef ISOMETRY_CORE_ROUND_H_
#define ISOMETRY_CORE_ROUND_H_

#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// Overflow rounds to infinity; a NaN stays a NaN (quiet).
ISOMETRY_HD uint16_t toBFloat16(float x) {
  const uint32_t bits = bitCast<uint32_t>(x);
  if (x != x) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Overflow rounds to infinity, small values to subnormals; a NaN stays a NaN (quiet).
ISOMETRY_HD uint16_t toFloat16(float x) {
  const uint32_t bits = bitCast<uint32_t>(x);
  const uint32_t sign = (bits >> 16) & 0x8000u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 2^16 and more
  if (magnitude >= 0x38800000u) {                                              // normal: 2^-14 and more
    const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
  }
  // Subnormal: adding 1/2 puts the wanted last place, 2^-24, at float32's own last place, and the addition
  // rounds.
  const float shifted = bitCast<float>(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (bitCast<uint32_t>(shifted) - 0x3f000000u));
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_ROUND_H_
