// The GPU backend's fill: any windows of any outputs, to device memory or, through pinned memory, to the
// host's.
#ifndef ISOMETRY_CUDA_FILL_H_
#define ISOMETRY_CUDA_FILL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/job.h"
#include "cuda/device.h"
#include "cuda/status.h"
#include "cuda/tasks.h"
#include "cuda/transfer.h"

namespace isometry::cuda {

// Computes all parts with as few launches as their jobs' overlaps allow, mostly one, and waits. The parts
// have one seed and do not overlap; elements that no job covers are left alone. Cancelled before the launch
// or not at all. Only memory that the device can write may be named: the caller has looked (memory.h,
// pointerInfo).
Status fillDevice(Device& device, const Part* parts, size_t count, const std::atomic<bool>* cancelled);

// Elements [start, end) of one output, to memory of the host: `out` is where element `start` goes.
struct HostPart {
  Fill fill;
  uint64_t start, end;
  void* out;
};

// The same through the device's slots, in chunks of many small parts or of a piece of a large one. The jobs
// must cover every element. Looks at `cancelled` before each chunk; some of the output is then computed.
// `chunkBytes` ≥ 128 is for measurements and tests.
Status fillHost(Device& device, const HostPart* parts, size_t count, const std::atomic<bool>* cancelled,
                uint64_t chunkBytes = kChunkBytes);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_FILL_H_
