// What the suite's own kernels take; plain data, shared by host and device.
#ifndef ISOMETRY_TEST_NATIVE_GPU_KERNELS_H_
#define ISOMETRY_TEST_NATIVE_GPU_KERNELS_H_

#include <cstdint>

#include "core/philox.h"

namespace isometry::gpu {

// One flat output of 16-byte packets, four float32 each: the least that a fill can be.
struct Flat {
  uint64_t address;
  uint64_t packets;
  uint64_t stream;
  float shift, scale;
  PhiloxKeys keys;
};

// Draws to be compared: thread t looks at words first + t, first + t + 1, …, first + t + 3.
struct Draws {
  uint64_t seed, stream, first, threads;
  uint64_t differences;  // address of one 64-bit counter
};

// A microbenchmark: every thread repeats a piece of straight code `turns` times. A block is kMicroThreads
// wide.
struct Micro {
  uint64_t cycles;  // address of one 64-bit number per block
  uint64_t sink;    // address of one 32-bit number per thread; what keeps the work from being optimized away
  uint32_t turns;
  uint32_t seed;
};

inline constexpr int kMicroThreads = 1024;
inline constexpr int kMicroChains = 8;  // independent chains of one thread
inline constexpr int kMicroSteps = 16;  // steps of each chain in one turn

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_KERNELS_H_
