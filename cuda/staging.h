// Buffers through which data passes between host and device. They are reused from call to call, grow as
// needed, and go with their device.
#ifndef ISOMETRY_CUDA_STAGING_H_
#define ISOMETRY_CUDA_STAGING_H_

#include <cstdint>

#include "cuda/driver.h"
#include "cuda/status.h"

namespace isometry::cuda {

class Device;

// Pinned memory of the host: the device copies from and to it while both go on working.
struct PinnedBuffer {
  unsigned char* data = nullptr;
  uint64_t bytes = 0;

  // Makes it at least so large; what it held is lost. Nothing may be using it. On failure it is empty.
  Status reserve(Device& device, uint64_t wanted);
  void free(Device& device);
};

// The same of the device.
struct DeviceBuffer {
  DevicePointer address = 0;
  uint64_t bytes = 0;

  Status reserve(Device& device, uint64_t wanted);
  void free(Device& device);
};

// What one chunk of a longer piece of work needs for itself, so that several can be under way.
struct Slot {
  PinnedBuffer hostData;
  DeviceBuffer deviceData;
  PinnedBuffer hostTasks;
  DeviceBuffer deviceTasks;
  Event done = nullptr;  // recorded after the chunk's last operation
};

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_STAGING_H_
