// Orthogonal matrices by reflections, as docs/adr/0008-orthogonal.md defines them: what every native backend
// has in common.
#ifndef ISOMETRY_CORE_ORTHOGONAL_H_
#define ISOMETRY_CORE_ORTHOGONAL_H_

#include <cmath>

#include "core/fma.h"
#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

inline constexpr uint64_t kBlockColumns = 64;  // reflections that are applied together
inline constexpr uint64_t kChunkRows = 256;    // terms that are summed one after the other

// a·b + c in the working precision: fused in float32, product and sum rounded one by one in float64.
ISOMETRY_HD float multiplyAdd(float a, float b, float c) { return fma32(a, b, c); }
ISOMETRY_HD double multiplyAdd(double a, double b, double c) { return scale64(a, c, b); }

ISOMETRY_HD double squareRoot(double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x);
#else
  return std::sqrt(x);
#endif
}

// I - rho·v·vᵀ, v being `diagonal` in the column's own row; and the column's factor d.
template <class Real>
struct Reflection {
  Real diagonal, rho, sign;
};

// Of a column with `x` in its own row and the sum of squares `s` from there on; `last` is that of the last
// row.
template <class Real>
ISOMETRY_HD Reflection<Real> reflection(double x, double s, bool last) {
  const bool negative = x < 0;
  if (last) return {0, 0, negative ? Real{-1} : Real{1}};
  const double root = squareRoot(s);
  const Real diagonal = static_cast<Real>(negative ? x - root : x + root);
  const double wide = diagonal;
  const double tau = (s - x * x) + wide * wide;
  // All of the column may be 0: two float32 normals in a row are, once in 2^50.
  const Real rho = tau > 0 ? static_cast<Real>(2 / tau) : Real{0};
  return {diagonal, rho, negative ? Real{1} : Real{-1}};
}

// An element of Q as it is stored, before the tensor's dtype; `scale` is d·gain.
template <class Real>
ISOMETRY_HD Real orthogonalElement(Real y, Real scale) {
  const Real below = y < Real{1} ? y : Real{1};
  return (below > Real{-1} ? below : Real{-1}) * scale;
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_ORTHOGONAL_H_
