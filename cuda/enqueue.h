// From parts to launches on a stream.
#ifndef ISOMETRY_CUDA_ENQUEUE_H_
#define ISOMETRY_CUDA_ENQUEUE_H_

#include <cstddef>

#include "cuda/device.h"
#include "cuda/tasks.h"

namespace isometry::cuda {

// Queues one upload of what the kernels must know and one launch for each list of tasks; nothing when there
// is nothing to compute. Until the stream has done it, the slot's task buffers are in use. Needs an exclusive
// Use.
Status enqueueFill(Device& device, Slot& slot, Stream stream, const Part* parts, size_t count);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_ENQUEUE_H_
