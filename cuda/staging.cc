#include "cuda/staging.h"

#include <algorithm>
#include <bit>

#include "cuda/device.h"

namespace isometry::cuda {
namespace {

// Small needs grow in powers of two, so that a few reservations serve all that follow.
constexpr uint64_t kLeastBytes = 64 * 1024;

uint64_t rounded(uint64_t wanted) { return std::bit_ceil(std::max(wanted, kLeastBytes)); }

}  // namespace

Status PinnedBuffer::reserve(Device& device, uint64_t wanted) {
  if (bytes >= wanted) return {};
  free(device);
  void* address = nullptr;
  const uint64_t size = rounded(wanted);
  const Status status = device.checkAllocation(device.driver().MemHostAlloc(&address, size, 0),
                                               "cuMemHostAlloc", size, "pinned memory");
  if (!status.ok()) return status;
  data = static_cast<unsigned char*>(address);
  bytes = size;
  return {};
}

void PinnedBuffer::free(Device& device) {
  if (data != nullptr) device.driver().MemFreeHost(data);
  *this = {};
}

Status DeviceBuffer::reserve(Device& device, uint64_t wanted) {
  if (bytes >= wanted) return {};
  free(device);
  DevicePointer fresh = 0;
  const uint64_t size = rounded(wanted);
  const Status status =
      device.checkAllocation(device.driver().MemAlloc(&fresh, size), "cuMemAlloc", size, "GPU memory");
  if (!status.ok()) return status;
  address = fresh;
  bytes = size;
  return {};
}

void DeviceBuffer::free(Device& device) {
  if (bytes > 0) device.driver().MemFree(address);
  *this = {};
}

}  // namespace isometry::cuda
