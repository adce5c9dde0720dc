#include "kernels.h"

#include <cstring>

#include "core/normal_table.h"
#include "cuda/fill-inl.h"
#include "cuda/launch.h"
#include "cuda/orthogonal-inl.h"
#include "cuda/qr-inl.h"
#include "cuda/reflections-inl.h"
#include "cuda/solve-inl.h"
#include "cuda/update-inl.h"

namespace fake_cuda {
namespace {

using namespace isometry;
using cuda::BlockLaunch;
using cuda::DrawLaunch;
using cuda::GroupLaunch;
using cuda::kThreads;
using cuda::Launch;
using cuda::NormalsLaunch;
using cuda::Place;
using cuda::QrFinishLaunch;
using cuda::QrSignsLaunch;
using cuda::ScatterLaunch;

const cuda::NormalRows& normalRows() {
  static const cuda::NormalRows rows = [] {
    static constexpr float table[kNormalDegree + 1][kNormalRows] = {ISOMETRY_NORMAL_TABLE};
    cuda::NormalRows made;
    for (uint32_t thread = 0; thread < kThreads; thread++) {
      cuda::loadNormalRows(table, thread, kThreads, made);
    }
    return made;
  }();
  return rows;
}

// One thread of a block after the other. The threads of these kernels do not wait for each other once the
// table is loaded.
template <class Parameter, void (*body)(const Parameter&, const Place&), uint32_t threads = kThreads>
void runBlock(const void* bytes, Grid grid) {
  Parameter parameter;
  std::memcpy(&parameter, bytes, sizeof parameter);
  for (uint32_t thread = 0; thread < threads; thread++) {
    body(parameter, {thread, grid.block, grid.blocks, &normalRows()});
  }
}

// A block whose threads wait for each other: its body goes through all of them itself (cuda/block.h). What
// shared memory holds at first is anything.
template <class Shared, void (*body)(const BlockLaunch&, const Place&, Shared&)>
void runTogether(const void* bytes, Grid grid) {
  BlockLaunch parameter;
  std::memcpy(&parameter, bytes, sizeof parameter);
  Shared shared;
  std::memset(&shared, 0xff, sizeof shared);
  body(parameter, {0, grid.block, grid.blocks, nullptr}, shared);
}

#define FAKE_CUDA_LAW(name, kind, dtype) \
  {#name, sizeof(Launch), kThreads, runBlock<Launch, cuda::fillLaw<kind, dtype>>},

#define FAKE_CUDA_EACH(name, Parameter, body) {#name, sizeof(Parameter), kThreads, runBlock<Parameter, body>},

#define FAKE_CUDA_DRAW(name, Real)                \
  {#name, sizeof(DrawLaunch), cuda::kDrawThreads, \
   runBlock<DrawLaunch, cuda::orthogonalDraw<Real>, cuda::kDrawThreads>},

#define FAKE_CUDA_BLOCK(name, Real, Shared, body, threads) \
  {#name, sizeof(BlockLaunch), cuda::threads, runTogether<cuda::Shared<Real>, cuda::body<Real>>},

// clang-format off
constexpr Kernel kKernels[] = {
    FAKE_CUDA_LAW(fillConstant, Kind::kConstant, DType::kFloat32)
    ISOMETRY_FOR_EACH_RANDOM_LAW(FAKE_CUDA_LAW)
    FAKE_CUDA_EACH(fillMixed, Launch, cuda::fillMixed)
    FAKE_CUDA_EACH(standardNormals, NormalsLaunch, cuda::fillNormals)
    FAKE_CUDA_EACH(qrSignsF64, QrSignsLaunch, cuda::qrSigns<double>)
    FAKE_CUDA_EACH(qrSignsF32, QrSignsLaunch, cuda::qrSigns<float>)
    FAKE_CUDA_EACH(qrFinishF64, QrFinishLaunch, cuda::qrFinish<DType::kFloat64>)
    FAKE_CUDA_EACH(qrFinishF32, QrFinishLaunch, cuda::qrFinish<DType::kFloat32>)
    FAKE_CUDA_EACH(qrFinishF16, QrFinishLaunch, cuda::qrFinish<DType::kFloat16>)
    FAKE_CUDA_EACH(qrFinishBF16, QrFinishLaunch, cuda::qrFinish<DType::kBFloat16>)
    FAKE_CUDA_DRAW(orthogonalDrawF64, double)
    FAKE_CUDA_DRAW(orthogonalDrawF32, float)
    FAKE_CUDA_EACH(orthogonalPivotF64, GroupLaunch, cuda::orthogonalPivot<double>)
    FAKE_CUDA_EACH(orthogonalPivotF32, GroupLaunch, cuda::orthogonalPivot<float>)
    FAKE_CUDA_EACH(orthogonalGramF64, GroupLaunch, cuda::orthogonalGram<double>)
    FAKE_CUDA_EACH(orthogonalGramF32, GroupLaunch, cuda::orthogonalGram<float>)
    FAKE_CUDA_EACH(orthogonalStartF64, GroupLaunch, cuda::orthogonalStart<double>)
    FAKE_CUDA_EACH(orthogonalStartF32, GroupLaunch, cuda::orthogonalStart<float>)
    FAKE_CUDA_BLOCK(orthogonalProductF64, double, ProductShared, orthogonalProduct, kProductThreads)
    FAKE_CUDA_BLOCK(orthogonalProductF32, float, ProductShared, orthogonalProduct, kProductThreads)
    FAKE_CUDA_BLOCK(orthogonalSolveF64, double, SolveShared, orthogonalSolve, kSolveThreads)
    FAKE_CUDA_BLOCK(orthogonalSolveF32, float, SolveShared, orthogonalSolve, kSolveThreads)
    FAKE_CUDA_BLOCK(orthogonalUpdateF64, double, UpdateShared, orthogonalUpdate, kUpdateThreads)
    FAKE_CUDA_BLOCK(orthogonalUpdateF32, float, UpdateShared, orthogonalUpdate, kUpdateThreads)
    FAKE_CUDA_EACH(orthogonalScatterF64, ScatterLaunch, cuda::orthogonalScatter<DType::kFloat64>)
    FAKE_CUDA_EACH(orthogonalScatterF32, ScatterLaunch, cuda::orthogonalScatter<DType::kFloat32>)
    FAKE_CUDA_EACH(orthogonalScatterF16, ScatterLaunch, cuda::orthogonalScatter<DType::kFloat16>)
    FAKE_CUDA_EACH(orthogonalScatterBF16, ScatterLaunch, cuda::orthogonalScatter<DType::kBFloat16>)
};
// clang-format on

}  // namespace

const Kernel* findKernel(const char* name) {
  for (const Kernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) == 0) return &kernel;
  }
  return nullptr;
}

}  // namespace fake_cuda
