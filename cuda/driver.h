// NVIDIA's driver, opened at run time. The types and numbers of its interface that we use are declared here,
// so that neither building nor running needs anything of NVIDIA's; they are those of cuda.h of CUDA 13.0, and
// test/native/cuda_header_test.cc compares them with it where it is installed.
#ifndef ISOMETRY_CUDA_DRIVER_H_
#define ISOMETRY_CUDA_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "cuda/status.h"

namespace isometry::cuda {

using Result = int;              // CUresult
using DeviceHandle = int;        // CUdevice
using DevicePointer = uint64_t;  // CUdeviceptr
using Context = struct ContextObject*;
using Module = struct ModuleObject*;
using Function = struct FunctionObject*;
using Stream = struct StreamObject*;
using Event = struct EventObject*;

struct Uuid {
  unsigned char bytes[16];
};
struct IpcHandle {
  unsigned char bytes[64];
};

// CUresult. Those after which a context stays unusable are in driver.cc.
inline constexpr Result kSuccess = 0;
inline constexpr Result kErrorInvalidValue = 1;
inline constexpr Result kErrorOutOfMemory = 2;
inline constexpr Result kErrorStubLibrary = 34;
inline constexpr Result kErrorDeviceUnavailable = 46;
inline constexpr Result kErrorNoDevice = 100;
inline constexpr Result kErrorInvalidImage = 200;
inline constexpr Result kErrorNoBinaryForGpu = 209;
inline constexpr Result kErrorInvalidPtx = 218;
inline constexpr Result kErrorJitCompilerNotFound = 221;
inline constexpr Result kErrorUnsupportedPtxVersion = 222;
inline constexpr Result kErrorNotPermitted = 800;
inline constexpr Result kErrorNotSupported = 801;
inline constexpr Result kErrorSystemNotReady = 802;
inline constexpr Result kErrorSystemDriverMismatch = 803;

// CUdevice_attribute
inline constexpr int kAttributeMultiprocessors = 16;
inline constexpr int kAttributeCapabilityMajor = 75;
inline constexpr int kAttributeCapabilityMinor = 76;

// CUpointer_attribute, and what CU_POINTER_ATTRIBUTE_MEMORY_TYPE gives for device memory
inline constexpr int kPointerMemoryType = 2;
inline constexpr int kPointerDeviceOrdinal = 9;
inline constexpr int kPointerRangeStart = 11;
inline constexpr int kPointerRangeSize = 12;
inline constexpr unsigned kMemoryTypeDevice = 2;

// CUevent_flags
inline constexpr unsigned kEventBlockingSync = 1;
inline constexpr unsigned kEventDisableTiming = 2;

// X(name of the member, symbol, parameters); the _v2 symbols are what cuda.h's names stand for.
#define ISOMETRY_CUDA_FUNCTIONS(X)                                                                        \
  X(Init, "cuInit", (unsigned flags))                                                                     \
  X(DriverGetVersion, "cuDriverGetVersion", (int* version))                                               \
  X(GetErrorName, "cuGetErrorName", (Result result, const char** text))                                   \
  X(GetErrorString, "cuGetErrorString", (Result result, const char** text))                               \
  X(DeviceGetCount, "cuDeviceGetCount", (int* count))                                                     \
  X(DeviceGet, "cuDeviceGet", (DeviceHandle * device, int ordinal))                                       \
  X(DeviceGetName, "cuDeviceGetName", (char* name, int bytes, DeviceHandle device))                       \
  X(DeviceGetUuid, "cuDeviceGetUuid_v2", (Uuid * uuid, DeviceHandle device))                              \
  X(DeviceTotalMem, "cuDeviceTotalMem_v2", (size_t * bytes, DeviceHandle device))                         \
  X(DeviceGetAttribute, "cuDeviceGetAttribute", (int* value, int attribute, DeviceHandle device))         \
  X(DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (Context * context, DeviceHandle device))         \
  X(DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (DeviceHandle device))                       \
  X(CtxPushCurrent, "cuCtxPushCurrent_v2", (Context context))                                             \
  X(CtxPopCurrent, "cuCtxPopCurrent_v2", (Context * context))                                             \
  X(ModuleLoadData, "cuModuleLoadData", (Module * module, const void* image))                             \
  X(ModuleUnload, "cuModuleUnload", (Module module))                                                      \
  X(ModuleGetFunction, "cuModuleGetFunction", (Function * function, Module module, const char* name))     \
  X(OccupancyMaxActiveBlocksPerMultiprocessor, "cuOccupancyMaxActiveBlocksPerMultiprocessor",             \
    (int* blocks, Function function, int threads, size_t sharedBytes))                                    \
  X(MemGetInfo, "cuMemGetInfo_v2", (size_t * available, size_t * total))                                  \
  X(MemAlloc, "cuMemAlloc_v2", (DevicePointer * address, size_t bytes))                                   \
  X(MemFree, "cuMemFree_v2", (DevicePointer address))                                                     \
  X(MemHostAlloc, "cuMemHostAlloc", (void** address, size_t bytes, unsigned flags))                       \
  X(MemFreeHost, "cuMemFreeHost", (void* address))                                                        \
  X(MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2",                                                              \
    (DevicePointer to, const void* from, size_t bytes, Stream stream))                                    \
  X(MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2", (void* to, DevicePointer from, size_t bytes, Stream stream)) \
  X(MemsetD32Async, "cuMemsetD32Async", (DevicePointer to, unsigned value, size_t words, Stream stream))  \
  X(StreamCreate, "cuStreamCreate", (Stream * stream, unsigned flags))                                    \
  X(StreamDestroy, "cuStreamDestroy_v2", (Stream stream))                                                 \
  X(StreamSynchronize, "cuStreamSynchronize", (Stream stream))                                            \
  X(StreamWaitEvent, "cuStreamWaitEvent", (Stream stream, Event event, unsigned flags))                   \
  X(EventCreate, "cuEventCreate", (Event * event, unsigned flags))                                        \
  X(EventDestroy, "cuEventDestroy_v2", (Event event))                                                     \
  X(EventRecord, "cuEventRecord", (Event event, Stream stream))                                           \
  X(EventSynchronize, "cuEventSynchronize", (Event event))                                                \
  X(EventElapsedTime, "cuEventElapsedTime", (float* milliseconds, Event start, Event end))                \
  X(LaunchKernel, "cuLaunchKernel",                                                                       \
    (Function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, \
     unsigned blockZ, unsigned sharedBytes, Stream stream, void** parameters, void** extra))              \
  X(PointerGetAttribute, "cuPointerGetAttribute", (void* value, int attribute, DevicePointer address))    \
  X(MemGetAddressRange, "cuMemGetAddressRange_v2",                                                        \
    (DevicePointer * base, size_t * bytes, DevicePointer address))                                        \
  X(IpcGetMemHandle, "cuIpcGetMemHandle", (IpcHandle * handle, DevicePointer address))

// The driver's functions, under their names in CUDA without the prefix.
struct Driver {
#define ISOMETRY_CUDA_MEMBER(name, symbol, parameters) Result(*name) parameters = nullptr;
  ISOMETRY_CUDA_FUNCTIONS(ISOMETRY_CUDA_MEMBER)
#undef ISOMETRY_CUDA_MEMBER
  std::string path;  // of the library, as the system found it
};

// The driver's library, opened at the first call and never closed. Null, and why, when there is none or, with
// `incomplete` set, one that lacks functions of CUDA 13's; the next call then looks again. Nothing is
// initialized: cuda/probe.h does that.
const Driver* driver(std::string* whyNot, bool* incomplete = nullptr);

// "CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered"
std::string describe(const Driver& driver, Result result);

// Whether this result means that a context, once it gave it, gives only errors.
bool isSticky(Result result);

// --- any library opened at run time: this file is the only one that looks symbols up
// -----------------------------

struct Library {
  void* handle = nullptr;
  std::string path;  // as the system found it; the name that was asked for where it does not say
};

// Opens a library by path, or by a bare name where the system looks for it. `onlyIfLoaded`: only if this
// process has it already. False, and the system's reason, when there is none.
bool openLibrary(const std::string& name, bool onlyIfLoaded, Library* library, std::string* whyNot);

// Null when the library has no such function.
void* findSymbol(const Library& library, const char* name);

void closeLibrary(Library* library);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_DRIVER_H_
