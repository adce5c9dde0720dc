// Our declarations of the driver's interface against NVIDIA's own. Compiled where the header is installed;
// there is nothing to run.
#include <cuda.h>

#include <type_traits>

#include "cuda/driver.h"

namespace isometry::cuda {
namespace {

static_assert(sizeof(Result) == sizeof(CUresult) && sizeof(DeviceHandle) == sizeof(CUdevice));
static_assert(std::is_same_v<DeviceHandle, CUdevice>);
static_assert(sizeof(DevicePointer) == sizeof(CUdeviceptr) && std::is_unsigned_v<CUdeviceptr>);
static_assert(sizeof(Context) == sizeof(CUcontext) && sizeof(Module) == sizeof(CUmodule));
static_assert(sizeof(Function) == sizeof(CUfunction) && sizeof(Stream) == sizeof(CUstream));
static_assert(sizeof(Event) == sizeof(CUevent));
static_assert(sizeof(Uuid) == sizeof(CUuuid));
static_assert(sizeof(IpcHandle) == sizeof(CUipcMemHandle) && sizeof(IpcHandle) == CU_IPC_HANDLE_SIZE);

static_assert(kSuccess == CUDA_SUCCESS);
static_assert(kErrorInvalidValue == CUDA_ERROR_INVALID_VALUE);
static_assert(kErrorOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(kErrorStubLibrary == CUDA_ERROR_STUB_LIBRARY);
static_assert(kErrorDeviceUnavailable == CUDA_ERROR_DEVICE_UNAVAILABLE);
static_assert(kErrorNoDevice == CUDA_ERROR_NO_DEVICE);
static_assert(kErrorInvalidImage == CUDA_ERROR_INVALID_IMAGE);
static_assert(kErrorNoBinaryForGpu == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(kErrorInvalidPtx == CUDA_ERROR_INVALID_PTX);
static_assert(kErrorJitCompilerNotFound == CUDA_ERROR_JIT_COMPILER_NOT_FOUND);
static_assert(kErrorUnsupportedPtxVersion == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(kErrorNotPermitted == CUDA_ERROR_NOT_PERMITTED);
static_assert(kErrorNotSupported == CUDA_ERROR_NOT_SUPPORTED);
static_assert(kErrorSystemNotReady == CUDA_ERROR_SYSTEM_NOT_READY);
static_assert(kErrorSystemDriverMismatch == CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);

static_assert(kAttributeMultiprocessors == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(kAttributeCapabilityMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(kAttributeCapabilityMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(kPointerMemoryType == CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
static_assert(kPointerDeviceOrdinal == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
static_assert(kPointerRangeStart == CU_POINTER_ATTRIBUTE_RANGE_START_ADDR);
static_assert(kPointerRangeSize == CU_POINTER_ATTRIBUTE_RANGE_SIZE);
static_assert(kMemoryTypeDevice == CU_MEMORYTYPE_DEVICE);
static_assert(kEventBlockingSync == CU_EVENT_BLOCKING_SYNC);
static_assert(kEventDisableTiming == CU_EVENT_DISABLE_TIMING);

// Whether a function of ours takes what NVIDIA's does: as many parameters, each of the same size and kind.
template <class A, class B>
constexpr bool kSameKind = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
template <class Ours, class Theirs>
struct Agree : std::false_type {};
template <class... A, class... B>
struct Agree<Result (*)(A...), CUresult (*)(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) == sizeof...(B)) return (kSameKind<A, B> && ...);
    return false;
  }();
};

#define SAME_SIGNATURE(name, symbol, parameters)                           \
  static_assert(Agree<decltype(Driver::name), decltype(&cu##name)>::value, \
                "cu" #name " is declared otherwise");
ISOMETRY_CUDA_FUNCTIONS(SAME_SIGNATURE)
#undef SAME_SIGNATURE

// And whether the symbol that we look up is the one that the header's name stands for. The older
// cuEventElapsedTime is also there in drivers for CUDA 12, and differs only in taking no events of graphs.
constexpr bool equal(const char* a, const char* b) {
  for (; *a != '\0' && *a == *b; ++a, ++b) {
  }
  return *a == *b;
}
#define TEXT(x) #x
#define EXPANDED(x) TEXT(x)
#define SAME_SYMBOL(name, symbol, parameters)                                             \
  static_assert(equal(symbol, EXPANDED(cu##name)) || equal(symbol, "cuEventElapsedTime"), \
                "cu" #name " stands for another symbol");
ISOMETRY_CUDA_FUNCTIONS(SAME_SYMBOL)
#undef SAME_SYMBOL

}  // namespace
}  // namespace isometry::cuda
