// Memory of the fake: of its devices, and pinned memory of the host. Both are plain memory of this process
// with guards around them; an address is the same on the "device" and on the host.
#ifndef ISOMETRY_TEST_FAKE_CUDA_MEMORY_H_
#define ISOMETRY_TEST_FAKE_CUDA_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "results.h"

namespace fake_cuda {

struct Context;

// What fresh memory holds: 0xca, as -1.2e-299 or its pieces no weight.
inline constexpr unsigned char kPoison = 0xca;

struct Block {
  uint64_t address = 0;
  uint64_t bytes = 0;
  bool device = false;  // false: pinned memory of the host
  Context* context = nullptr;
};

// Null when the context's device has not so much left (or, of the host, when the system has not).
uint64_t allocate(Context* context, uint64_t bytes, bool device);

// The live block that holds an address; `bytes` 0 when there is none.
Block findBlock(uint64_t address);

// Whether [address, address + bytes) lies in one live block of that kind.
bool inOneBlock(uint64_t address, uint64_t bytes, bool device);

// Frees the block that begins at `address`; false when none of that kind does. Looks whether something wrote
// beside it.
bool freeBlock(uint64_t address, bool device);

// Frees what a context leaves behind, and returns how many blocks.
int freeBlocksOf(Context* context);

// Bytes in use on a device.
uint64_t bytesUsed(int ordinal);

// Looks at everything alive and at what was freed lately; for the report.
void checkGuards();

}  // namespace fake_cuda

#endif  // ISOMETRY_TEST_FAKE_CUDA_MEMORY_H_
