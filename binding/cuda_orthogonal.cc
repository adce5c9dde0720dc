#include "binding/cuda_orthogonal.h"

#include <memory>
#include <utility>
#include <vector>

#include "binding/arguments.h"
#include "binding/cuda.h"
#include "binding/cuda_fill.h"
#include "binding/device_job.h"
#include "binding/jobs.h"
#include "binding/request.h"
#include "cuda/device.h"
#include "cuda/orthogonal.h"

namespace isometry::binding {
namespace {

constexpr uint64_t kIndices = uint64_t{1} << 53;  // of elements

// A window of matrices and where it goes: memory of the host at `host`, or if that is null device memory at
// `address`.
struct Window {
  std::vector<double> words;
  OrthogonalRequest request;
  uint64_t start = 0, end = 0;
  unsigned char* host = nullptr;
  uint64_t address = 0;

  uint64_t bytes() const { return (end - start) * byteSize(request.work.dtype); }

  cuda::Status run(cuda::Device& device, const std::atomic<bool>* cancelled) const {
    const Orthogonal work = request.orthogonal();
    if (host != nullptr) return cuda::orthogonalHost(device, work, start, end, host, cancelled);
    const cuda::Status status = checkDeviceRange(device, address, bytes());
    return status.ok() ? cuda::orthogonalDevice(device, work, start, end, address, cancelled) : status;
  }
};

class OrthogonalOnDevice : public DeviceJob {
 public:
  OrthogonalOnDevice(int ordinal, std::unique_ptr<Window> window)
      : DeviceJob(ordinal), window_(std::move(window)) {}

 protected:
  cuda::Status run(cuda::Device& device, const std::atomic<bool>& cancelled) override {
    return window_->run(device, &cancelled);
  }

 private:
  std::unique_ptr<Window> window_;
};

// words, start, length, destination: a Uint8Array or a bigint. Checks what memory safety needs.
std::unique_ptr<Window> readWindow(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto window = std::make_unique<Window>();
  const View words = viewOf(env, info[1], "the request must be a Float64Array");
  if (words.type != napi_float64_array) refuse(env, "the request must be a Float64Array");
  const double* data = static_cast<const double*>(words.data);
  window->words.assign(data, data + words.length);
  const char* problem = decodeOrthogonal(window->words.data(), window->words.size(), window->request);
  if (problem != nullptr) refuse(env, problem);
  window->start = readWhole(env, info[2], "the window is out of range");
  window->end = window->start + readWhole(env, info[3], "the window is out of range");
  if (window->end > kIndices) refuse(env, "the window is out of range");
  if (window->start == window->end) return window;

  uint64_t place = 0;
  if (info[4].IsBigInt()) {
    place = window->address = readAddress(env, info[4]);
    if (place == 0 || place > UINT64_MAX - window->bytes()) refuse(env, "the address is out of range");
  } else {
    const View view = readBytes(env, info[4]);
    if (view.data == nullptr || view.length != window->bytes())
      refuse(env, "the window does not fit into the destination");
    window->host = static_cast<unsigned char*>(view.data);
    place = reinterpret_cast<uintptr_t>(view.data);
  }
  if (place % byteSize(window->request.work.dtype) != 0)
    refuse(env, "the destination is not aligned to its dtype");
  return window;
}

// cudaOrthogonalSync(device, words, start, length, destination)
void OrthogonalSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const std::unique_ptr<Window> window = readWindow(info);
  if (window->start == window->end) return;
  cuda::Device* device = nullptr;
  throwUnlessOk(env, cuda::Device::open(ordinal, &device));
  throwUnlessOk(env, window->run(*device, nullptr));
}

// cudaOrthogonalAsync(device, words, start, length, destination, callback): id
Napi::Value OrthogonalAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  std::unique_ptr<Window> window = readWindow(info);
  if (window->start == window->end) refuse(env, "the window is empty");
  const uint64_t address = window->address;
  const Napi::Function callback = readCallback(env, info[5]);
  Environment& environment = *env.GetInstanceData<Environment>();
  auto job = std::make_unique<OrthogonalOnDevice>(ordinal, std::move(window));
  if (info[4].IsBigInt()) {
    return Napi::Number::New(env, environment.start(std::move(job), nullptr, address, callback));
  }
  return Napi::Number::New(env, environment.start(std::move(job), info[4], callback));
}

}  // namespace

void exportCudaOrthogonal(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaOrthogonalSync", Napi::Function::New<OrthogonalSync>(env, "cudaOrthogonalSync"));
  exports.Set("cudaOrthogonalAsync", Napi::Function::New<OrthogonalAsync>(env, "cudaOrthogonalAsync"));
}

}  // namespace isometry::binding
