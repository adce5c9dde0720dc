#include "cuda/memory.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <optional>

#include "cuda/device.h"

namespace isometry::cuda {
namespace {

std::string hex(uint64_t address) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(address));
  return text;
}

}  // namespace

Status allocate(Device& device, uint64_t bytes, uint64_t* address) {
  return guarded([&]() -> Status {
    *address = 0;
    const Use use(device, Use::kShared);
    if (!use.status().ok() || bytes == 0) return use.status();
    DevicePointer fresh = 0;
    Status status =
        device.checkAllocation(device.driver().MemAlloc(&fresh, bytes), "cuMemAlloc", bytes, "GPU memory");
    if (!status.ok()) return status;
    try {
      device.addAllocation(fresh, bytes);
    } catch (const std::bad_alloc&) {
      device.driver().MemFree(fresh);
      throw;
    }
    *address = fresh;
    return {};
  });
}

Status release(Device& device, uint64_t address) {
  return guarded([&]() -> Status {
    if (address == 0) return {};
    const Use use(device, Use::kFreeing);
    // Off the list first: once it is free, another thread may get the same address.
    if (!device.removeAllocation(address, !use.status().ok())) {
      return {Code::kInvalidTarget,
              "expected memory that was allocated here and not freed yet but received " + hex(address) +
                  " on GPU " + std::to_string(device.ordinal())};
    }
    if (!use.status().ok()) return use.status();
    return device.check(device.driver().MemFree(address), "cuMemFree");
  });
}

Status copyToHost(Device& device, uint64_t address, void* out, uint64_t bytes,
                  const std::atomic<bool>* cancelled, uint64_t chunkBytes) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kExclusive);
    if (!use.status().ok() || bytes == 0) return use.status();
    char* const target = static_cast<char*>(out);
    const uint64_t chunks = (bytes - 1) / chunkBytes + 1;
    const auto sizeOf = [&](uint64_t chunk) { return std::min(chunkBytes, bytes - chunk * chunkBytes); };
    return pipeline(
        device, chunks, cancelled,
        [&](uint64_t chunk, Slot& slot, Stream stream) -> Status {
          Status status = slot.hostData.reserve(device, std::min(chunkBytes, bytes));
          if (!status.ok()) return status;
          const Result result = device.driver().MemcpyDtoHAsync(
              slot.hostData.data, address + chunk * chunkBytes, sizeOf(chunk), stream);
          status = device.check(result, "cuMemcpyDtoHAsync");
          if (result == kErrorInvalidValue) status.code = Code::kInvalidTarget;
          return status;
        },
        [&](uint64_t chunk, const Slot& slot) {
          std::memcpy(target + chunk * chunkBytes, slot.hostData.data, sizeOf(chunk));
        });
  });
}

Status copyFromHost(Device& device, const void* from, uint64_t address, uint64_t bytes,
                    const std::atomic<bool>* cancelled, uint64_t chunkBytes) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kExclusive);
    if (!use.status().ok() || bytes == 0) return use.status();
    const char* const source = static_cast<const char*>(from);
    const uint64_t chunks = (bytes - 1) / chunkBytes + 1;
    return pipeline(
        device, chunks, cancelled,
        [&](uint64_t chunk, Slot& slot, Stream stream) -> Status {
          const uint64_t at = chunk * chunkBytes, size = std::min(chunkBytes, bytes - at);
          Status status = slot.hostData.reserve(device, std::min(chunkBytes, bytes));
          if (!status.ok()) return status;
          std::memcpy(slot.hostData.data, source + at, size);
          const Result result =
              device.driver().MemcpyHtoDAsync(address + at, slot.hostData.data, size, stream);
          status = device.check(result, "cuMemcpyHtoDAsync");
          if (result == kErrorInvalidValue) status.code = Code::kInvalidTarget;
          return status;
        },
        [](uint64_t, const Slot&) {});
  });
}

Status pointerInfo(uint64_t address, PointerInfo* info) {
  return guarded([&]() -> Status {
    *info = {};
    Probe probe;
    int count = 0;
    const Driver* driver = startDriver(&probe, &count);
    if (driver == nullptr) return {Code::kUnavailable, probe.reason};
    // A driver may answer only a thread that has a context (CUDA_ERROR_INVALID_CONTEXT), whichever it is: one
    // address space serves all devices.
    std::optional<Use> use;
    if (Device* working = Device::anyWorking()) {
      use.emplace(*working, Use::kShared);
      if (!use->status().ok()) return use->status();
    }
    unsigned type = 0;
    int ordinal = 0;
    uint64_t base = 0;
    size_t bytes = 0;
    Result result = driver->PointerGetAttribute(&type, kPointerMemoryType, address);
    // An address of no kind that CUDA knows.
    if (result == kErrorInvalidValue || (result == kSuccess && type != kMemoryTypeDevice)) return {};
    const auto ask = [&](auto* value, int attribute) {
      if (result == kSuccess) result = driver->PointerGetAttribute(value, attribute, address);
    };
    ask(&ordinal, kPointerDeviceOrdinal);
    ask(&base, kPointerRangeStart);
    ask(&bytes, kPointerRangeSize);
    if (result != kSuccess) {
      const Code code = result == kErrorOutOfMemory ? Code::kOutOfMemory : Code::kDeviceError;
      return {code, "cuPointerGetAttribute failed: " + describe(*driver, result)};
    }
    *info = {true, ordinal, base, bytes};
    return {};
  });
}

Status ipcHandle(Device& device, uint64_t address, uint8_t (&handle)[64], uint64_t* offset) {
  return guarded([&]() -> Status {
    const Use use(device, Use::kShared);
    if (!use.status().ok()) return use.status();
    DevicePointer base = 0;
    size_t bytes = 0;
    Status status =
        device.check(device.driver().MemGetAddressRange(&base, &bytes, address), "cuMemGetAddressRange");
    if (!status.ok()) return status;
    IpcHandle made;
    const Result result = device.driver().IpcGetMemHandle(&made, base);
    status = device.check(result, "cuIpcGetMemHandle");
    if (result == kErrorNotSupported || result == kErrorNotPermitted || result == kErrorInvalidValue) {
      return {Code::kUnavailable,
              status.message +
                  ". This memory cannot be shared with another process: the system must be Linux and "
                  "the memory from cuMemAlloc"};
    }
    if (!status.ok()) return status;
    std::memcpy(handle, made.bytes, sizeof made.bytes);
    *offset = address - base;
    return {};
  });
}

}  // namespace isometry::cuda
