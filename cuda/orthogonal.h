// Matrices with orthonormal columns by reflections (docs/adr/0008-orthogonal.md), bit-equal to the other
// backends'.
#ifndef ISOMETRY_CUDA_ORTHOGONAL_H_
#define ISOMETRY_CUDA_ORTHOGONAL_H_

#include <atomic>
#include <cstdint>

#include "core/job.h"
#include "cuda/device.h"
#include "cuda/status.h"
#include "cuda/transfer.h"

namespace isometry::cuda {

// Computes those elements of the output that lie in [start, end) and belong to a part, and no others, to
// device memory where element `start` is at `address`, aligned to its size. Waits. Only the columns that are
// needed are computed; work memory is asked for before anything is, and is at most `workBytes` if that is not
// 0 and a panel of 128 columns needs no more. Looks at `cancelled` between blocks of 64 reflections: some of
// the output is then written. Only memory that the device can write may be named.
Status orthogonalDevice(Device& device, const Orthogonal& work, uint64_t start, uint64_t end,
                        uint64_t address, const std::atomic<bool>* cancelled, uint64_t workBytes = 0);

// The same to memory of the host, by way of device memory of that size: `out` is where element `start` goes.
Status orthogonalHost(Device& device, const Orthogonal& work, uint64_t start, uint64_t end, void* out,
                      const std::atomic<bool>* cancelled, uint64_t workBytes = 0);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_ORTHOGONAL_H_
