// Multiply-add. Float32 paths use the fused one, the one operation beyond + - * / sqrt; where the hardware
// has none it is computed in float64, as src/js/fma.ts does. Float64 paths never fuse.
#ifndef ISOMETRY_CORE_FMA_H_
#define ISOMETRY_CORE_FMA_H_

#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// a·b + c rounded once, to nearest even, by float64 arithmetic: the product of two 24-bit numbers is exact in
// 53 bits, so only the sum is rounded. Rounding it to odd first makes the second rounding innocent (Boldo and
// Melquiond, "Emulation of FMA and correctly rounded sums", 2008: 53 >= 24 + 2 bits).
ISOMETRY_HD float emulatedFma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double sum = product + static_cast<double>(c);
  // Knuth's TwoSum: error is what the sum lost.
  const double part = sum - product;
  const double error = (product - (sum - part)) + (static_cast<double>(c) - part);
  if (error != 0 && error == error && sum - sum == 0) {
    auto bits = bitCast<uint64_t>(sum);
    if ((bits & 1) == 0) {
      // Even: step to the odd neighbour on the side of the error.
      const bool outwards = (error > 0) == (sum > 0);
      bits = outwards ? bits + 1 : bits - 1;
      return static_cast<float>(bitCast<double>(bits));
    }
  }
  return static_cast<float>(sum);
}

ISOMETRY_HD float fma32(float a, float b, float c) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(a, b, c);
#elif defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(a, b, c);
#else
  return emulatedFma(a, b, c);
#endif
}

// x·scale + shift in float64, two roundings: float64 paths fuse nothing, so that plain JavaScript computes
// the same.
ISOMETRY_HD double scale64(double x, double shift, double scale) {
#if defined(__CUDA_ARCH__)
  return __dadd_rn(__dmul_rn(x, scale), shift);
#else
  return x * scale + shift;
#endif
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_FMA_H_
