// What one thread of a kernel of qr.cu does; tests run it on the host.
//
// Nothing here is tuned, and the transposition goes through no shared memory: of a 16384 × 16384 matrix it
// moves some gigabytes, a few milliseconds, where the factorization takes hundreds.
#ifndef ISOMETRY_CUDA_QR_INL_H_
#define ISOMETRY_CUDA_QR_INL_H_

#include <type_traits>

#include "core/round.h"
#include "cuda/laws.h"
#include "cuda/qr.h"

namespace isometry::cuda {

template <class Real>
ISOMETRY_HD void qrSigns(const QrSignsLaunch& launch, const Place& place) {
  const Real* matrix = reinterpret_cast<const Real*>(launch.matrix);
  Real* factors = reinterpret_cast<Real*>(launch.factors);
  const Real gain = static_cast<Real>(launch.gain);
  const uint64_t step = uint64_t{place.blocks} * kThreads;
  for (uint64_t c = uint64_t{place.block} * kThreads + place.thread; c < launch.cols; c += step) {
    factors[c] = matrix[c * launch.rows + c] < 0 ? -gain : gain;
  }
}

template <DType dtype>
ISOMETRY_HD void qrFinish(const QrFinishLaunch& launch, const Place& place) {
  using Real = std::conditional_t<dtype == DType::kFloat64, double, float>;
  using Type = typename ElementOf<dtype>::Type;
  const Real* matrix = reinterpret_cast<const Real*>(launch.matrix);
  const Real* factors = reinterpret_cast<const Real*>(launch.factors);
  Type* out = reinterpret_cast<Type*>(launch.out);
  const uint64_t others = launch.before * launch.after;
  const bool wide = launch.outputs < others;
  const uint64_t count = launch.outputs * others;
  const uint64_t step = uint64_t{place.blocks} * kThreads;
  for (uint64_t i = uint64_t{place.block} * kThreads + place.thread; i < count; i += step) {
    const uint64_t b = i % launch.after;
    const uint64_t o = i / launch.after % launch.outputs;
    const uint64_t other = i / launch.after / launch.outputs * launch.after + b;
    const uint64_t row = wide ? other : o;
    const uint64_t column = wide ? o : other;
    Real q = matrix[column * (wide ? others : launch.outputs) + row];
    // No element of Q is larger than 1, but for rounding.
    q = q > 1 ? 1 : q < -1 ? -1 : q;
    q *= factors[column];
    if constexpr (dtype == DType::kBFloat16) {
      out[i] = toBFloat16(q);
    } else if constexpr (dtype == DType::kFloat16) {
      out[i] = toFloat16(q);
    } else {
      out[i] = q;
    }
  }
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_QR_INL_H_
