// Memory of the devices: ours, counted, and what the driver knows of any address.
#ifndef ISOMETRY_CUDA_MEMORY_H_
#define ISOMETRY_CUDA_MEMORY_H_

#include <atomic>
#include <cstdint>

#include "cuda/status.h"
#include "cuda/transfer.h"

namespace isometry::cuda {

// Address 0, and no memory, for 0 bytes. What is still allocated when the device closes is freed then.
Status allocate(Device& device, uint64_t bytes, uint64_t* address);

// Waits for the device's work, as the driver does. Address 0 is no error; one that `allocate` did not give,
// or that was released before, is kInvalidTarget. The memory counts as released whatever the driver says.
Status release(Device& device, uint64_t address);

// Copies to any memory of the host, by way of pinned memory. When cancelled, `out` holds some of it. An
// address that the driver does not know is kInvalidTarget. `chunkBytes` is for measurements and tests.
Status copyToHost(Device& device, uint64_t address, void* out, uint64_t bytes,
                  const std::atomic<bool>* cancelled, uint64_t chunkBytes = kChunkBytes);

// The other way. When cancelled, the device memory holds some of it; when an error is returned `from` is free
// to go.
Status copyFromHost(Device& device, const void* from, uint64_t address, uint64_t bytes,
                    const std::atomic<bool>* cancelled, uint64_t chunkBytes = kChunkBytes);

struct PointerInfo {
  bool device = false;           // memory of a device, also when another library of this process allocated it
  int ordinal = 0;               // of that device
  uint64_t base = 0, bytes = 0;  // the allocation that holds the address
};

// What the driver knows of an address, as of now; `device` is false for one that it does not know, such as
// plain or freed memory. Opens no device; without an open one the driver may refuse to answer.
Status pointerInfo(uint64_t address, PointerInfo* info);

// For another process: the handle of the allocation that holds the address, and the address's offset in it.
Status ipcHandle(Device& device, uint64_t address, uint8_t (&handle)[64], uint64_t* offset);

// Of all devices together.
struct MemoryStats {
  uint64_t allocations = 0, bytes = 0;
};
MemoryStats memoryStats();

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_MEMORY_H_
