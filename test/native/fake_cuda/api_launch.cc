// Exported: modules and launches.
#include <cctype>
#include <cstring>
#include <memory>
#include <string>

#include "context.h"
#include "control.h"

namespace fake_cuda {
namespace {

// Whether these bytes begin as something does that the real driver loads: a fat binary, a cubin (ELF) or PTX.
bool isImage(const void* image) {
  uint32_t magic;
  std::memcpy(&magic, image, sizeof magic);
  const bool text = std::isprint(static_cast<unsigned char>(magic & 0xff)) || (magic & 0xff) == '\n';
  return magic == 0xba55ed50 || magic == 0x466243b1 || magic == 0x464c457f || text;
}

// Blocks of a launch run in an order of their own on a GPU; here from the last one down.
void runGrid(const Kernel* kernel, const std::string& parameter, uint32_t blocks) {
  for (uint32_t k = blocks; k > 0; k--) kernel->run(parameter.data(), {k - 1, blocks});
}

}  // namespace
}  // namespace fake_cuda

using namespace fake_cuda;

FAKE_CUDA_EXPORT int cuModuleLoadData(void** out, const void* image) {
  return call("cuModuleLoadData", Kind::kOrdinary, [&]() -> Result {
    Result why;
    Context* context = currentContext(&why);
    if (context == nullptr) return why;
    if (out == nullptr || image == nullptr) return kInvalidValue;
    if (!isImage(image)) return kInvalidImage;
    if (settings().capability < 75) return kNoBinaryForGpu;  // the oldest in cuda/nvcc.json
    *out = keep(std::make_shared<Module>(Module{context}));
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuModuleUnload(void* handle) {
  return call("cuModuleUnload", Kind::kActsFirst, [&] { return dropModule(handle) ? kOk : kInvalidHandle; });
}

FAKE_CUDA_EXPORT int cuModuleGetFunction(void** out, void* handle, const char* name) {
  return call("cuModuleGetFunction", Kind::kOrdinary, [&]() -> Result {
    if (out == nullptr || name == nullptr) return kInvalidValue;
    const auto module = findModule(handle);
    if (module == nullptr) return kInvalidHandle;
    const Kernel* kernel = findKernel(name);
    if (kernel == nullptr) return kNotFound;
    *out = keep(std::make_shared<Function>(Function{module->context, module.get(), kernel}));
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuOccupancyMaxActiveBlocksPerMultiprocessor(int* out, void* handle, int threads,
                                                                 size_t) {
  return call("cuOccupancyMaxActiveBlocksPerMultiprocessor", Kind::kOrdinary, [&]() -> Result {
    if (out == nullptr || threads <= 0 || threads > 1024) return kInvalidValue;
    if (findFunction(handle) == nullptr) return kInvalidHandle;
    *out = 2048 / threads;
    return kOk;
  });
}

FAKE_CUDA_EXPORT int cuLaunchKernel(void* handle, unsigned gridX, unsigned gridY, unsigned gridZ,
                                    unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                                    void* streamHandle, void** parameters, void** extra) {
  return call("cuLaunchKernel", Kind::kOrdinary, [&]() -> Result {
    Result why;
    const Context* context = currentContext(&why);
    if (context == nullptr) return why;
    const auto function = findFunction(handle);
    const auto stream = findStream(streamHandle);
    if (function == nullptr || stream == nullptr) return kInvalidHandle;
    if (function->context != context || stream->context() != context) return kInvalidHandle;
    const bool shaped = gridX > 0 && gridX <= 0x7fffffff && blockX > 0 && blockX <= 1024;
    if (!shaped || gridZ != 1 || blockZ != 1 || extra != nullptr || parameters == nullptr)
      return kInvalidValue;
    if (gridY != 1 || blockY != 1 || sharedBytes > 49152) return kInvalidValue;
    const Kernel* kernel = function->kernel;
    if (blockX != kernel->threads) {
      damage(std::string(kernel->name) + " was launched with " + std::to_string(blockX) + " threads");
      return kInvalidValue;
    }
    std::string parameter(static_cast<const char*>(parameters[0]), kernel->parameterBytes);
    stream->enqueue(
        [function, parameter = std::move(parameter), gridX] { runGrid(function->kernel, parameter, gridX); });
    add(kLaunches, 1);
    return kOk;
  });
}
