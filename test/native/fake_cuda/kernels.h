// The kernels that the fake can launch, by name: host functions made of the same bodies as the GPU's.
#ifndef ISOMETRY_TEST_FAKE_CUDA_KERNELS_H_
#define ISOMETRY_TEST_FAKE_CUDA_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace fake_cuda {

// What a launch looks like to one block of it.
struct Grid {
  uint32_t block, blocks;
};

struct Kernel {
  const char* name;
  size_t parameterBytes;  // of its one parameter
  uint32_t threads;       // what it must be launched with
  void (*run)(const void* parameter, Grid grid);
};

// Null when no kernel has that name.
const Kernel* findKernel(const char* name);

}  // namespace fake_cuda

#endif  // ISOMETRY_TEST_FAKE_CUDA_KERNELS_H_
