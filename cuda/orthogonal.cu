// The kernels of orthogonal matrices by reflections; reflections.h says what a kernel is given, the -inl.h
// files what its threads do.
#include "cuda/normal_rows.h"
#include "cuda/orthogonal-inl.h"
#include "cuda/reflections-inl.h"
#include "cuda/solve-inl.h"
#include "cuda/update-inl.h"

namespace isometry::cuda {

extern "C" {

#define ISOMETRY_ORTHOGONAL_DRAW(name, Real)                                                        \
  __global__ void __launch_bounds__(kDrawThreads) name(__grid_constant__ const DrawLaunch launch) { \
    __shared__ NormalRows rows;                                                                     \
    orthogonalDraw<Real>(launch, placeWithRows(kDrawThreads, rows));                                \
  }
ISOMETRY_ORTHOGONAL_DRAW(orthogonalDrawF64, double)
ISOMETRY_ORTHOGONAL_DRAW(orthogonalDrawF32, float)
#undef ISOMETRY_ORTHOGONAL_DRAW

#define ISOMETRY_ORTHOGONAL_KERNEL(name, Parameter, body)                                      \
  __global__ void __launch_bounds__(kThreads) name(__grid_constant__ const Parameter launch) { \
    body(launch, placeWithoutRows());                                                          \
  }
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalPivotF64, GroupLaunch, orthogonalPivot<double>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalPivotF32, GroupLaunch, orthogonalPivot<float>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalGramF64, GroupLaunch, orthogonalGram<double>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalGramF32, GroupLaunch, orthogonalGram<float>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalStartF64, GroupLaunch, orthogonalStart<double>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalStartF32, GroupLaunch, orthogonalStart<float>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalScatterF64, ScatterLaunch, orthogonalScatter<DType::kFloat64>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalScatterF32, ScatterLaunch, orthogonalScatter<DType::kFloat32>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalScatterF16, ScatterLaunch, orthogonalScatter<DType::kFloat16>)
ISOMETRY_ORTHOGONAL_KERNEL(orthogonalScatterBF16, ScatterLaunch, orthogonalScatter<DType::kBFloat16>)
#undef ISOMETRY_ORTHOGONAL_KERNEL

// The blocks that a multiprocessor has at a time bound the registers of a thread: 128 of float32's, which are
// enough.
#define ISOMETRY_ORTHOGONAL_BLOCK(name, Real, Shared, body, threads, blocks)                            \
  __global__ void __launch_bounds__(threads, blocks) name(__grid_constant__ const BlockLaunch launch) { \
    __shared__ Shared<Real> shared;                                                                     \
    body(launch, placeWithoutRows(), shared);                                                           \
  }
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalProductF64, double, ProductShared, orthogonalProduct, kProductThreads, 1)
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalProductF32, float, ProductShared, orthogonalProduct, kProductThreads, 4)
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalSolveF64, double, SolveShared, orthogonalSolve, kSolveThreads, 1)
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalSolveF32, float, SolveShared, orthogonalSolve, kSolveThreads, 2)
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalUpdateF64, double, UpdateShared, orthogonalUpdate, kUpdateThreads, 1)
ISOMETRY_ORTHOGONAL_BLOCK(orthogonalUpdateF32, float, UpdateShared, orthogonalUpdate, kUpdateThreads, 2)
#undef ISOMETRY_ORTHOGONAL_BLOCK

}  // extern "C"

}  // namespace isometry::cuda
