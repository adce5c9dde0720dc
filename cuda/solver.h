// Stacked random matrices with orthonormal rows or columns: the Q of a QR factorization of Gaussian ones, by
// cuSOLVER.
#ifndef ISOMETRY_CUDA_SOLVER_H_
#define ISOMETRY_CUDA_SOLVER_H_

#include <atomic>
#include <cstdint>

#include "core/job.h"
#include "cuda/device.h"
#include "cuda/solver_library.h"
#include "cuda/status.h"

namespace isometry::cuda {

// A tensor [count of matrices, before, outputs, after], row-major; each matrix has the rows `outputs` and the
// columns (before, after). With M the larger and N the smaller number of its rows and columns, matrix b is
// made of the elements from b·M·N on of `normals`: a column-major M × N matrix, float64 if the tensor is and
// else float32.
struct QrMatrices {
  Fill normals;
  DType dtype = DType::kFloat32;  // of the tensor
  uint64_t before = 1, outputs = 1, after = 1;
  double gain = 1;
  uint64_t first = 0, count = 1;  // matrices to be made

  // Elements of one matrix: all of them are ≥ 1, and their product and count's is below 2^53.
  uint64_t elements() const { return before * outputs * after; }
};

// To device memory at `address`, where matrix `first` begins, aligned to the element's size, and waits. Looks
// at `cancelled` between the steps of each matrix. Only memory that the device can write may be named.
Status qrDevice(Device& device, const SolverLibrary& solver, const QrMatrices& work, uint64_t address,
                const std::atomic<bool>* cancelled);

// The same to memory of the host.
Status qrHost(Device& device, const SolverLibrary& solver, const QrMatrices& work, void* out,
              const std::atomic<bool>* cancelled);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_SOLVER_H_
