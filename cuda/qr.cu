// The kernels around cuSOLVER's QR factorization; qr-inl.h says what a thread does.
#include "cuda/normal_rows.h"
#include "cuda/qr-inl.h"

namespace isometry::cuda {

extern "C" {

#define ISOMETRY_QR_KERNEL(name, Parameter, body)                                              \
  __global__ void __launch_bounds__(kThreads) name(__grid_constant__ const Parameter launch) { \
    body(launch, placeWithoutRows());                                                          \
  }
ISOMETRY_QR_KERNEL(qrSignsF64, QrSignsLaunch, qrSigns<double>)
ISOMETRY_QR_KERNEL(qrSignsF32, QrSignsLaunch, qrSigns<float>)
ISOMETRY_QR_KERNEL(qrFinishF64, QrFinishLaunch, qrFinish<DType::kFloat64>)
ISOMETRY_QR_KERNEL(qrFinishF32, QrFinishLaunch, qrFinish<DType::kFloat32>)
ISOMETRY_QR_KERNEL(qrFinishF16, QrFinishLaunch, qrFinish<DType::kFloat16>)
ISOMETRY_QR_KERNEL(qrFinishBF16, QrFinishLaunch, qrFinish<DType::kBFloat16>)
#undef ISOMETRY_QR_KERNEL

}  // extern "C"

}  // namespace isometry::cuda
