// The fill kernels. fill-inl.h says what a thread does, launch.h what a kernel is given. Plain names, so that
// the host finds them and their instructions can be counted without a demangler.
#include "cuda/fill-inl.h"
#include "cuda/normal_rows.h"

namespace isometry::cuda {

static_assert(PHILOX_W32_0 == kPhiloxW0 && PHILOX_W32_1 == kPhiloxW1 && PHILOX_M4x32_0 == kPhiloxM0 &&
                  PHILOX_M4x32_1 == kPhiloxM1,
              "cuRAND's Philox is not the one that the numerics are defined by");

// Every block that draws normals has its own copy of the table.
struct WithRows {
  static __device__ __forceinline__ Place place() {
    __shared__ NormalRows rows;
    return placeWithRows(kThreads, rows);
  }
};
struct WithoutRows {
  static __device__ __forceinline__ Place place() { return placeWithoutRows(); }
};

template <Kind kind>
__device__ __forceinline__ Place placeFor() {
  if constexpr (kind == Kind::kNormal || kind == Kind::kTruncatedNormal) return WithRows::place();
  return WithoutRows::place();
}

extern "C" {

#define ISOMETRY_KERNEL(name, kind, dtype)                                                  \
  __global__ void __launch_bounds__(kThreads) name(__grid_constant__ const Launch launch) { \
    fillLaw<kind, dtype>(launch, placeFor<kind>());                                         \
  }
ISOMETRY_KERNEL(fillConstant, Kind::kConstant, DType::kFloat32)
ISOMETRY_FOR_EACH_RANDOM_LAW(ISOMETRY_KERNEL)

__global__ void __launch_bounds__(kThreads, 3) fillMixed(__grid_constant__ const Launch launch) {
  isometry::cuda::fillMixed(launch, WithRows::place());
}

__global__ void __launch_bounds__(kThreads) standardNormals(__grid_constant__ const NormalsLaunch launch) {
  fillNormals(launch, WithRows::place());
}

}  // extern "C"

}  // namespace isometry::cuda
