#include "kernels.h"

#include <cstring>

#include "core/normal_table.h"
#include "cuda/fill-inl.h"
#include "cuda/launch.h"
#include "cuda/qr-inl.h"

namespace fake_cuda {
namespace {

using namespace isometry;
using cuda::kThreads;
using cuda::Launch;
using cuda::NormalsLaunch;
using cuda::Place;
using cuda::QrFinishLaunch;
using cuda::QrSignsLaunch;

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
template <class Parameter, void (*body)(const Parameter&, const Place&)>
void runBlock(const void* bytes, Grid grid) {
  Parameter parameter;
  std::memcpy(&parameter, bytes, sizeof parameter);
  for (uint32_t thread = 0; thread < kThreads; thread++) {
    body(parameter, {thread, grid.block, grid.blocks, &normalRows()});
  }
}

#define FAKE_CUDA_LAW(name, kind, dtype) \
  {#name, sizeof(Launch), kThreads, runBlock<Launch, cuda::fillLaw<kind, dtype>>},

#define FAKE_CUDA_QR(name, Parameter, body) {#name, sizeof(Parameter), kThreads, runBlock<Parameter, body>},

constexpr Kernel kKernels[] = {
    FAKE_CUDA_LAW(fillConstant, Kind::kConstant, DType::kFloat32)  //
    ISOMETRY_FOR_EACH_RANDOM_LAW(FAKE_CUDA_LAW)                    //
    {"fillMixed", sizeof(Launch), kThreads, runBlock<Launch, cuda::fillMixed>},
    {"standardNormals", sizeof(NormalsLaunch), kThreads, runBlock<NormalsLaunch, cuda::fillNormals>},
    FAKE_CUDA_QR(qrSignsF64, QrSignsLaunch, cuda::qrSigns<double>)  //
    FAKE_CUDA_QR(qrSignsF32, QrSignsLaunch, cuda::qrSigns<float>)   //
    FAKE_CUDA_QR(qrFinishF64, QrFinishLaunch, cuda::qrFinish<DType::kFloat64>)
        FAKE_CUDA_QR(qrFinishF32, QrFinishLaunch, cuda::qrFinish<DType::kFloat32>)
            FAKE_CUDA_QR(qrFinishF16, QrFinishLaunch, cuda::qrFinish<DType::kFloat16>)
                FAKE_CUDA_QR(qrFinishBF16, QrFinishLaunch, cuda::qrFinish<DType::kBFloat16>)};

}  // namespace

const Kernel* findKernel(const char* name) {
  for (const Kernel& kernel : kKernels) {
    if (std::strcmp(kernel.name, name) == 0) return &kernel;
  }
  return nullptr;
}

}  // namespace fake_cuda
