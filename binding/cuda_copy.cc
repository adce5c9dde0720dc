#include "binding/cuda_copy.h"

#include <memory>

#include "binding/arguments.h"
#include "binding/cuda.h"
#include "binding/cuda_fill.h"
#include "binding/device_job.h"
#include "binding/jobs.h"
#include "cuda/device.h"
#include "cuda/memory.h"

namespace isometry::binding {
namespace {

// One copy; the host's memory is that of a Uint8Array.
struct Copy {
  enum Direction { kToHost, kFromHost } direction;
  uint64_t address;
  void* host;
  uint64_t bytes;

  Copy(Direction direction_, uint64_t address_, const View& view)
      : direction(direction_), address(address_), host(view.data), bytes(view.length) {}

  cuda::Status run(cuda::Device& device, const std::atomic<bool>* cancelled) const {
    if (bytes == 0) return {};
    const cuda::Status status = checkDeviceRange(device, address, bytes);
    if (!status.ok()) return status;
    return direction == kToHost ? cuda::copyToHost(device, address, host, bytes, cancelled)
                                : cuda::copyFromHost(device, host, address, bytes, cancelled);
  }
};

class CopyJob : public DeviceJob {
 public:
  CopyJob(int ordinal, const Copy& copy) : DeviceJob(ordinal), copy_(copy) {}

 protected:
  cuda::Status run(cuda::Device& device, const std::atomic<bool>& cancelled) override {
    return copy_.run(device, &cancelled);
  }

 private:
  const Copy copy_;
};

// (device, pointer, array, callback): id
Napi::Value startCopy(const Napi::CallbackInfo& info, Copy::Direction direction) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const uint64_t address = readAddress(env, info[1]);
  const View host = readBytes(env, info[2]);
  const Napi::Function callback = readCallback(env, info[3]);
  auto job = std::make_unique<CopyJob>(ordinal, Copy(direction, address, host));
  Environment& environment = *env.GetInstanceData<Environment>();
  return Napi::Number::New(env, environment.start(std::move(job), info[2], address, callback));
}

// cudaCopyToHostAsync(device, pointer, target, callback): id
Napi::Value CopyToHostAsync(const Napi::CallbackInfo& info) { return startCopy(info, Copy::kToHost); }

// cudaCopyFromHostAsync(device, pointer, source, callback): id
Napi::Value CopyFromHostAsync(const Napi::CallbackInfo& info) { return startCopy(info, Copy::kFromHost); }

// cudaCopyFromHostSync(device, pointer, source)
void CopyFromHostSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int ordinal = readOrdinal(env, info[0]);
  const uint64_t address = readAddress(env, info[1]);
  const Copy copy(Copy::kFromHost, address, readBytes(env, info[2]));
  if (copy.bytes == 0) return;
  cuda::Device* device = nullptr;
  throwUnlessOk(env, cuda::Device::open(ordinal, &device));
  throwUnlessOk(env, copy.run(*device, nullptr));
}

}  // namespace

void exportCopies(Napi::Env env, Napi::Object exports) {
  exports.Set("cudaCopyToHostAsync", Napi::Function::New<CopyToHostAsync>(env, "cudaCopyToHostAsync"));
  exports.Set("cudaCopyFromHostAsync", Napi::Function::New<CopyFromHostAsync>(env, "cudaCopyFromHostAsync"));
  exports.Set("cudaCopyFromHostSync", Napi::Function::New<CopyFromHostSync>(env, "cudaCopyFromHostSync"));
}

}  // namespace isometry::binding
