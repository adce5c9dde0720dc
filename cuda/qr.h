// What the host hands to the kernels of qr.cu: plain data, the same bytes on both sides.
#ifndef ISOMETRY_CUDA_QR_H_
#define ISOMETRY_CUDA_QR_H_

#include "core/job.h"

namespace isometry::cuda {

// For each column of a factorized matrix, before its Q overwrites R: gain, or -gain where R's diagonal
// element is negative. Both are float32 or both float64.
struct QrSignsLaunch {
  uint64_t matrix;   // device address; column-major
  uint64_t factors;  // device address; one for each column
  uint64_t rows, cols;
  double gain;
};

// From Q to the tensor: [before, outputs, after] of it, row-major, is a matrix of `outputs` rows and
// before·after columns, which is Q, or its transpose when it has fewer rows than columns. Each of Q's columns
// is multiplied by its factor.
struct QrFinishLaunch {
  uint64_t matrix;   // Q, column-major, float64 for float64 tensors and else float32
  uint64_t factors;  // of the same type
  uint64_t out;      // device address, aligned to the tensor's elements
  uint64_t before, outputs, after;
};

inline constexpr const char* qrSignsKernel(DType dtype) {
  return dtype == DType::kFloat64 ? "qrSignsF64" : "qrSignsF32";
}

inline constexpr const char* qrFinishKernel(DType dtype) {
  constexpr const char* kNames[4] = {"qrFinishF64", "qrFinishF32", "qrFinishF16", "qrFinishBF16"};
  return kNames[static_cast<int>(dtype)];
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_QR_H_
