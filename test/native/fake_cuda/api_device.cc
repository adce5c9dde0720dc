// Exported: initialization, devices, contexts, the texts of errors.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "context.h"
#include "control.h"
#include "memory.h"

namespace fake_cuda {
namespace {

// CU_DEVICE_ATTRIBUTE_*, from cuda.h.
enum Attribute : int {
  kMaxThreadsPerBlock = 1,
  kMaxBlockDimX = 2,
  kMaxGridDimX = 5,
  kMaxSharedMemoryPerBlock = 8,
  kWarpSize = 10,
  kClockRate = 13,
  kMultiprocessorCount = 16,
  kIntegrated = 18,
  kComputeMode = 20,
  kMemoryClockRate = 36,
  kMemoryBusWidth = 37,
  kL2CacheSize = 38,
  kMaxThreadsPerMultiprocessor = 39,
  kAsyncEngineCount = 40,
  kUnifiedAddressing = 41,
  kCapabilityMajor = 75,
  kCapabilityMinor = 76,
};

bool isDevice(int device) { return device >= 0 && device < static_cast<int>(settings().visible.size()); }

Result attribute(int which, int* out) {
  switch (which) {
    case kMaxThreadsPerBlock:
    case kMaxBlockDimX:
      *out = 1024;
      return kOk;
    case kMaxGridDimX:
      *out = 2147483647;
      return kOk;
    case kMaxSharedMemoryPerBlock:
      *out = 49152;
      return kOk;
    case kWarpSize:
      *out = 32;
      return kOk;
    case kClockRate:
    case kMemoryClockRate:
      *out = 1'000'000;
      return kOk;
    case kMultiprocessorCount:
      *out = 2;
      return kOk;
    case kIntegrated:
    case kComputeMode:
      *out = 0;
      return kOk;
    case kMemoryBusWidth:
      *out = 256;
      return kOk;
    case kL2CacheSize:
      *out = 1 << 20;
      return kOk;
    case kMaxThreadsPerMultiprocessor:
      *out = 2048;
      return kOk;
    case kAsyncEngineCount:
    case kUnifiedAddressing:
      *out = 1;
      return kOk;
    case kCapabilityMajor:
      *out = settings().capability / 10;
      return kOk;
    case kCapabilityMinor:
      *out = settings().capability % 10;
      return kOk;
    default:
      return kInvalidValue;
  }
}

}  // namespace
}  // namespace fake_cuda

using namespace fake_cuda;

FAKE_CUDA_EXPORT int cuInit(unsigned flags) {
  return call("cuInit", Kind::kAlways, [&]() -> Result {
    if (flags != 0) return kInvalidValue;
    const Result told = static_cast<Result>(word(kInitCode));
    if (told != kOk) return told;
    if (settings().visible.empty()) return kNoDevice;
    setInitialized();
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDriverGetVersion(int* version) {
  return call("cuDriverGetVersion", Kind::kAlways, [&]() -> Result {
    if (version == nullptr) return kInvalidValue;
    *version = settings().version;
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", Kind::kOrdinary, [&]() -> Result {
    if (count == nullptr) return kInvalidValue;
    *count = static_cast<int>(settings().visible.size());
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDeviceGet(int* device, int ordinal) {
  return call("cuDeviceGet", Kind::kOrdinary, [&]() -> Result {
    if (device == nullptr) return kInvalidValue;
    if (!isDevice(ordinal)) return kInvalidDevice;
    *device = ordinal;
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDeviceGetName(char* name, int length, int device) {
  return call("cuDeviceGetName", Kind::kOrdinary, [&]() -> Result {
    if (name == nullptr || length <= 0) return kInvalidValue;
    if (!isDevice(device)) return kInvalidDevice;
    const int physical = settings().visible[static_cast<size_t>(device)];
    std::snprintf(name, static_cast<size_t>(length), "Fake GPU %d", physical);
    return kOk;
  });
}

static Result uuid(unsigned char* out, int device) {
  if (out == nullptr) return kInvalidValue;
  if (!isDevice(device)) return kInvalidDevice;
  std::memcpy(out, "FAKE-CUDA-GPU-", 14);
  out[14] = 0;
  out[15] = static_cast<unsigned char>(settings().visible[static_cast<size_t>(device)]);
  return kOk;
}

FAKE_CUDA_EXPORT int cuDeviceGetUuid_v2(unsigned char* out, int device) {
  return call("cuDeviceGetUuid_v2", Kind::kOrdinary, [&] { return uuid(out, device); });
}

FAKE_CUDA_EXPORT int cuDeviceGetUuid(unsigned char* out, int device) {
  return call("cuDeviceGetUuid", Kind::kOrdinary, [&] { return uuid(out, device); });
}

FAKE_CUDA_EXPORT int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  return call("cuDeviceTotalMem_v2", Kind::kOrdinary, [&]() -> Result {
    if (bytes == nullptr) return kInvalidValue;
    if (!isDevice(device)) return kInvalidDevice;
    *bytes = settings().memory;
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDeviceGetAttribute(int* out, int which, int device) {
  return call("cuDeviceGetAttribute", Kind::kOrdinary, [&]() -> Result {
    if (out == nullptr) return kInvalidValue;
    if (!isDevice(device)) return kInvalidDevice;
    return attribute(which, out);
  });
}

FAKE_CUDA_EXPORT int cuDevicePrimaryCtxRetain(void** out, int device) {
  return call("cuDevicePrimaryCtxRetain", Kind::kOrdinary, [&]() -> Result {
    if (out == nullptr) return kInvalidValue;
    if (!isDevice(device)) return kInvalidDevice;
    *out = retainPrimary(device);
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  return call("cuDevicePrimaryCtxRelease_v2", Kind::kActsFirst,
              [&]() -> Result { return isDevice(device) ? releasePrimary(device) : kInvalidDevice; });
}

FAKE_CUDA_EXPORT int cuCtxPushCurrent_v2(void* context) {
  return call("cuCtxPushCurrent_v2", Kind::kHostOnly,
              [&] { return pushContext(static_cast<Context*>(context)); });
}

FAKE_CUDA_EXPORT int cuCtxPopCurrent_v2(void** out) {
  return call("cuCtxPopCurrent_v2", Kind::kActsFirst, [&] {
    Context* context = nullptr;
    const Result result = popContext(&context);
    if (out != nullptr && result == kOk) *out = context;
    return result;
  });
}

FAKE_CUDA_EXPORT int cuGetErrorName(int result, const char** out) {
  return call("cuGetErrorName", Kind::kAlways, [&]() -> Result {
    if (out == nullptr) return kInvalidValue;
    *out = resultName(result);
    return *out == nullptr ? kInvalidValue : kOk;
  });
}

FAKE_CUDA_EXPORT int cuGetErrorString(int result, const char** out) {
  return call("cuGetErrorString", Kind::kAlways, [&]() -> Result {
    if (out == nullptr) return kInvalidValue;
    *out = resultText(result);
    return *out == nullptr ? kInvalidValue : kOk;
  });
}
