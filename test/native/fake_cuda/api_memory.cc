// Exported: device memory, pinned memory, what is known about a pointer.
#include <cstring>
#include <memory>
#include <string>

#include "context.h"
#include "control.h"
#include "memory.h"

namespace fake_cuda {
namespace {

// CU_POINTER_ATTRIBUTE_* and CU_MEMORYTYPE_*, from cuda.h.
enum PointerAttribute : int {
  kContext = 1,
  kMemoryType = 2,
  kDevicePointer = 3,
  kHostPointer = 4,
  kIsManaged = 8,
  kDeviceOrdinal = 9,
  kRangeStart = 11,
  kRangeSize = 12,
};
constexpr unsigned kTypeHost = 1, kTypeDevice = 2;
constexpr unsigned kHostAllocFlags = 7;  // CU_MEMHOSTALLOC_PORTABLE | DEVICEMAP | WRITECOMBINED

template <class T>
Result give(void* out, T value) {
  std::memcpy(out, &value, sizeof value);
  return kOk;
}

// The real driver answers some attributes without a context, depending on its version; this one none.
Result pointerAttribute(void* out, int attribute, uint64_t address) {
  Result why;
  if (currentContext(&why) == nullptr) return why;
  const Block block = findBlock(address);
  if (out == nullptr || block.bytes == 0) return kInvalidValue;
  switch (attribute) {
    case kContext:
      return give(out, block.context);
    case kMemoryType:
      return give(out, block.device ? kTypeDevice : kTypeHost);
    case kDevicePointer:
      return give(out, address);
    case kHostPointer:
      return block.device ? kInvalidValue : give(out, address);
    case kIsManaged:
      return give(out, uint32_t{0});
    case kDeviceOrdinal:
      return give(out, block.context->ordinal);
    case kRangeStart:
      return give(out, block.address);
    case kRangeSize:
      return give(out, static_cast<size_t>(block.bytes));
    default:
      return kInvalidValue;
  }
}

// Queues a copy after what the stream has to do already.
Result copy(void* handle, void* to, const void* from, size_t bytes, bool pageable, bool toHost) {
  const auto stream = findStream(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (pageable && !toHost) {
    // The real driver has read such memory when the call returns.
    auto staged = std::make_shared<std::string>(static_cast<const char*>(from), bytes);
    stream->enqueue([to, staged] { std::memcpy(to, staged->data(), staged->size()); });
    return kOk;
  }
  stream->enqueue([to, from, bytes] { std::memcpy(to, from, bytes); });
  if (pageable) stream->drain();  // and it has written it
  return kOk;
}

}  // namespace
}  // namespace fake_cuda

using namespace fake_cuda;

FAKE_CUDA_EXPORT int cuMemGetInfo_v2(size_t* available, size_t* total) {
  return call("cuMemGetInfo_v2", Kind::kOrdinary, [&]() -> Result {
    Result why;
    const Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (available == nullptr || total == nullptr) return kInvalidValue;
    *total = settings().memory;
    *available = settings().memory - bytesUsed(context->ordinal);
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuMemAlloc_v2(uint64_t* out, size_t bytes) {
  return call("cuMemAlloc_v2", Kind::kOrdinary, [&]() -> Result {
    Result why;
    Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (out == nullptr || bytes == 0) return kInvalidValue;
    *out = allocate(context, bytes, true);
    return *out == 0 ? kOutOfMemory : kOk;
  });
}

FAKE_CUDA_EXPORT int cuMemFree_v2(uint64_t address) {
  return call("cuMemFree_v2", Kind::kActsFirst, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    if (address == 0) return kOk;
    const Block block = findBlock(address);
    if (block.bytes > 0) drainStreams(block.context);
    return freeBlock(address, true) ? kOk : kInvalidValue;
  });
}

FAKE_CUDA_EXPORT int cuMemHostAlloc(void** out, size_t bytes, unsigned flags) {
  return call("cuMemHostAlloc", Kind::kOrdinary, [&]() -> Result {
    Result why;
    Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (out == nullptr || bytes == 0 || flags > kHostAllocFlags) return kInvalidValue;
    *out = reinterpret_cast<void*>(allocate(context, bytes, false));
    return *out == nullptr ? kOutOfMemory : kOk;
  });
}

FAKE_CUDA_EXPORT int cuMemFreeHost(void* pointer) {
  return call("cuMemFreeHost", Kind::kActsFirst, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    const uint64_t address = reinterpret_cast<uint64_t>(pointer);
    const Block block = findBlock(address);
    if (block.bytes > 0) drainStreams(block.context);
    return freeBlock(address, false) ? kOk : kInvalidValue;
  });
}

FAKE_CUDA_EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
  return call("cuMemcpyHtoDAsync_v2", Kind::kOrdinary, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    if (bytes == 0) return kOk;
    if (from == nullptr || !inOneBlock(to, bytes, true)) return kInvalidValue;
    const bool pinned = inOneBlock(reinterpret_cast<uint64_t>(from), bytes, false);
    return copy(stream, reinterpret_cast<void*>(to), from, bytes, !pinned, false);
  });
}

FAKE_CUDA_EXPORT int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
  return call("cuMemcpyDtoHAsync_v2", Kind::kOrdinary, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    if (bytes == 0) return kOk;
    if (to == nullptr || !inOneBlock(from, bytes, true)) return kInvalidValue;
    const bool pinned = inOneBlock(reinterpret_cast<uint64_t>(to), bytes, false);
    return copy(stream, to, reinterpret_cast<const void*>(from), bytes, !pinned, true);
  });
}

FAKE_CUDA_EXPORT int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* handle) {
  return call("cuMemsetD32Async", Kind::kOrdinary, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    if (count == 0) return kOk;
    if (to % sizeof value != 0 || !inOneBlock(to, count * sizeof value, true)) return kInvalidValue;
    const auto stream = findStream(handle);
    if (stream == nullptr) return kInvalidHandle;
    stream->enqueue([=] {
      for (size_t k = 0; k < count; k++) reinterpret_cast<unsigned*>(to)[k] = value;
    });
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuPointerGetAttribute(void* out, int attribute, uint64_t address) {
  return call("cuPointerGetAttribute", Kind::kOrdinary,
              [&] { return pointerAttribute(out, attribute, address); });
}

FAKE_CUDA_EXPORT int cuMemGetAddressRange_v2(uint64_t* base, size_t* bytes, uint64_t address) {
  return call("cuMemGetAddressRange_v2", Kind::kOrdinary, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    const Block block = findBlock(address);
    if (block.bytes == 0 || !block.device) return kNotFound;
    if (base != nullptr) *base = block.address;
    if (bytes != nullptr) *bytes = block.bytes;
    return kOk;
  });
}

// 64 bytes that name the whole block: "FAKE-IPC", its address, its size.
FAKE_CUDA_EXPORT int cuIpcGetMemHandle(unsigned char* handle, uint64_t address) {
  return call("cuIpcGetMemHandle", Kind::kOrdinary, [&]() -> Result {
    Result why;
    if (currentContext(&why) == nullptr) return why;
    const Block block = findBlock(address);
    if (handle == nullptr || block.bytes == 0 || !block.device) return kInvalidValue;
    std::memset(handle, 0, 64);
    std::memcpy(handle, "FAKE-IPC", 8);
    std::memcpy(handle + 8, &block.address, 8);
    std::memcpy(handle + 16, &block.bytes, 8);
    return kOk;
  });
}
