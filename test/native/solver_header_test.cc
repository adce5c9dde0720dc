// Our declarations of cuSOLVER against NVIDIA's. Compiled where its headers are installed
// (tools/fetch-cuda-headers.mjs --solver), with those of the CUDA toolkit beside them.
#include <cusolverDn.h>

#include <type_traits>

#include "cuda/solver_library.h"

namespace isometry::cuda {
namespace {

// What both sides call a parameter by: handles and enums are compared by size, pointers by what they point
// to.
template <class Theirs, class Ours>
constexpr bool same() {
  if constexpr (std::is_enum_v<Theirs>) {
    return std::is_same_v<Ours, int> && sizeof(Theirs) == sizeof(int);
  } else if constexpr (std::is_pointer_v<Theirs> && std::is_pointer_v<Ours>) {
    using TheirTarget = std::remove_pointer_t<Theirs>;
    using OurTarget = std::remove_pointer_t<Ours>;
    if constexpr (std::is_class_v<TheirTarget> && std::is_class_v<OurTarget>) {
      return true;  // opaque on both sides
    } else if constexpr (std::is_pointer_v<TheirTarget> && std::is_pointer_v<OurTarget>) {
      return same<TheirTarget, OurTarget>();
    } else {
      return std::is_same_v<TheirTarget, OurTarget>;
    }
  } else {
    return std::is_same_v<Theirs, Ours>;
  }
}

template <class Theirs, class Ours>
struct SameFunction : std::false_type {};
template <class Result, class... Theirs, class... Ours>
struct SameFunction<Result (*)(Theirs...), SolverStatus (*)(Ours...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(Theirs) == sizeof...(Ours)) {
      return sizeof(Result) == sizeof(SolverStatus) && (same<Theirs, Ours>() && ...);
    }
    return false;
  }();
};

#define SAME(name, function) \
  static_assert(SameFunction<decltype(&function), decltype(SolverLibrary::name)>::value, #function)
SAME(Create, cusolverDnCreate);
SAME(Destroy, cusolverDnDestroy);
SAME(SetStream, cusolverDnSetStream);
SAME(CreateParams, cusolverDnCreateParams);
SAME(DestroyParams, cusolverDnDestroyParams);
SAME(XgeqrfBufferSize, cusolverDnXgeqrf_bufferSize);
SAME(Xgeqrf, cusolverDnXgeqrf);
SAME(SorgqrBufferSize, cusolverDnSorgqr_bufferSize);
SAME(Sorgqr, cusolverDnSorgqr);
SAME(DorgqrBufferSize, cusolverDnDorgqr_bufferSize);
SAME(Dorgqr, cusolverDnDorgqr);

// The first parameter is an enum of library_types.h.
static_assert(
    std::is_same_v<decltype(&cusolverGetProperty), cusolverStatus_t (*)(libraryPropertyType, int*)>);
static_assert(MAJOR_VERSION == 0 && MINOR_VERSION == 1 && PATCH_LEVEL == 2);
SAME(GetProperty, cusolverGetProperty);

static_assert(kSolverSuccess == CUSOLVER_STATUS_SUCCESS);
static_assert(kSolverNotInitialized == CUSOLVER_STATUS_NOT_INITIALIZED);
static_assert(kSolverAllocFailed == CUSOLVER_STATUS_ALLOC_FAILED);
static_assert(kSolverArchMismatch == CUSOLVER_STATUS_ARCH_MISMATCH);
static_assert(CUSOLVER_STATUS_NOT_SUPPORTED == 9);  // the last that describeSolver names
static_assert(kReal32 == CUDA_R_32F && kReal64 == CUDA_R_64F);

}  // namespace
}  // namespace isometry::cuda
