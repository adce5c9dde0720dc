// The normal's table on the device, and a block's own copy of it in shared memory. For .cu files only.
#ifndef ISOMETRY_CUDA_NORMAL_ROWS_H_
#define ISOMETRY_CUDA_NORMAL_ROWS_H_

#include "cuda/laws.h"

namespace isometry::cuda {

__device__ const float kDeviceTable[kNormalDegree + 1][kNormalRows] = {ISOMETRY_NORMAL_TABLE};

// Copies it with all threads of the block, and waits for them.
__device__ __forceinline__ Place placeWithRows(uint32_t threads, NormalRows& rows) {
  loadNormalRows(kDeviceTable, threadIdx.x, threads, rows);
  __syncthreads();
  return {threadIdx.x, blockIdx.x, gridDim.x, &rows};
}

__device__ __forceinline__ Place placeWithoutRows() { return {threadIdx.x, blockIdx.x, gridDim.x, nullptr}; }

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_NORMAL_ROWS_H_
