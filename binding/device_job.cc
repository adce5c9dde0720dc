#include "binding/device_job.h"

#include "cuda/device.h"

namespace isometry::binding {

const char* codeName(cuda::Code code) {
  switch (code) {
    case cuda::Code::kUnavailable:
      return "BACKEND_UNAVAILABLE";
    case cuda::Code::kOutOfMemory:
      return "OUT_OF_MEMORY";
    case cuda::Code::kInvalidTarget:
      return "INVALID_TARGET";
    case cuda::Code::kTooLarge:
      return "TOO_LARGE";
    case cuda::Code::kDeviceError:
      return "DEVICE_ERROR";
    default:
      return "INTERNAL";
  }
}

DeviceJob::DeviceJob(int ordinal) : ordinal_(ordinal) {
  work_.context = this;
  work_.run = [](cuda::Device& device, cuda::Work* work) {
    return static_cast<DeviceJob*>(work->context)->run(device, work->cancelled);
  };
  work_.finished = [](cuda::Work* work) { static_cast<DeviceJob*>(work->context)->finish(); };
}

void DeviceJob::submit() {
  if (cuda::submit(ordinal_, &work_)) return;
  // Not one thread to be had, or no such device, which opening it says: here, and settle as usual.
  work_.status = cuda::guarded([this]() -> cuda::Status {
    cuda::Device* device = nullptr;
    cuda::Status status = cuda::Device::open(ordinal_, &device);
    return status.ok() ? run(*device, work_.cancelled) : status;
  });
  finish();
}

Outcome DeviceJob::outcome() const {
  const cuda::Status& status = work_.status;
  if (status.ok()) return {};
  if (status.code == cuda::Code::kCancelled) return {Outcome::kCancelled, nullptr, {}};
  return {Outcome::kFailed, codeName(status.code), status.message};
}

}  // namespace isometry::binding
