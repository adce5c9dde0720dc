// Multiply-add. Float32 paths use the fused one, the one operation beyond + - * / sqrt; where the hardware
// has none it is computed in float64, as src/js/fma.ts does. Float64 paths never fuse.
#ifndef ISOMETRY_CORE_FMA_H_
#define ISOMETRY_CORE_FMA_H_

#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// The float32 nearest to product + c where their float64 sum may mislead: a tie, or a float32 subnormal.
// Rounding the sum to odd makes the second rounding innocent (Boldo and Melquiond, "Emulation of FMA and
// correctly rounded sums", 2008: 53 >= 24 + 2 bits).
ISOMETRY_HD float roundDoubtful(double product, double c, double sum) {
  const double part = sum - product;
  const double error = (product - (sum - part)) + (c - part);  // Knuth's TwoSum
  if (error != 0 && sum - sum == 0) {
    const auto bits = bitCast<uint64_t>(sum);
    if ((bits & 1) == 0) {
      // Even: step to the odd neighbour on the side of the error.
      const bool outwards = (error > 0) == (sum > 0);
      return static_cast<float>(bitCast<double>(outwards ? bits + 1 : bits - 1));
    }
  }
  return static_cast<float>(sum);
}

// a·b + c rounded once, to nearest even, by float64 arithmetic. The product of two 24-bit numbers is exact in
// 53 bits, so the sum is the exact result rounded to 53 bits. Rounding that to 24 bits is wrong only if it
// looks like a tie, its last 29 bits 1000…0, without being one.
ISOMETRY_HD float emulatedFma(float a, float b, float c) {
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double sum = product + static_cast<double>(c);
  const auto bits = bitCast<uint64_t>(sum);
  const bool subnormal = (bits & 0x7fffffffffffffffull) < 0x3810000000000000ull;  // |sum| < 2^-126
  if ((bits & 0x1fffffff) != 0x10000000 && !subnormal) return static_cast<float>(sum);
  return roundDoubtful(product, c, sum);
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
