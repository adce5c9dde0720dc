#include "cuda/device.h"

#include <atomic>
#include <memory>
#include <utility>

#include "cuda/fatbin.h"
#include "cuda/format.h"
#include "cuda/memory.h"
#include "cuda/queue.h"

namespace isometry::cuda {
namespace {

// Pointers and constexpr-constructed mutexes only: nothing here has a destructor to run at exit, when threads
// may still be about. usersMutex is never taken while devicesMutex is held.
std::mutex usersMutex;
unsigned users = 0;
std::mutex devicesMutex;
Device* devices[kMaxDevices] = {};
std::atomic<uint64_t> liveAllocations{0}, liveBytes{0};

// What a failure to open means: some errors say that this GPU cannot run our code, not that it is broken.
Status refused(const DeviceInfo& info, Status status, Result result) {
  const std::string gpu = "GPU " + std::to_string(info.index) + " (" + info.name + ") cannot be used: ";
  switch (result) {
    case kErrorNoBinaryForGpu:
    case kErrorInvalidImage:
    case kErrorInvalidPtx:
    case kErrorJitCompilerNotFound:
    case kErrorUnsupportedPtxVersion:
      return {Code::kUnavailable, gpu + "this addon has no code for its compute capability " +
                                      std::to_string(info.major) + "." + std::to_string(info.minor) + "; " +
                                      status.message};
    case kErrorDeviceUnavailable:
      return {
          Code::kUnavailable,
          gpu + "its compute mode (nvidia-smi -q -d COMPUTE) or another process keeps it; " + status.message};
    default:
      return status;
  }
}

}  // namespace

void acquireDevices() {
  std::lock_guard<std::mutex> lock(usersMutex);
  users++;
}

void releaseDevices() {
  std::lock_guard<std::mutex> lock(usersMutex);
  if (--users > 0) return;
  stopQueues();
  std::lock_guard<std::mutex> table(devicesMutex);
  for (Device*& device : devices) {
    if (device == nullptr) continue;
    device->close();
    delete device;
    device = nullptr;
  }
}

Status Device::open(int ordinal, Device** out) {
  return guarded([&]() -> Status {
    std::lock_guard<std::mutex> lock(devicesMutex);
    if (ordinal >= 0 && ordinal < kMaxDevices && devices[ordinal] != nullptr) {
      *out = devices[ordinal];
      return {};
    }
    Probe probe;
    int count = 0;
    const Driver* driver = startDriver(&probe, &count);
    if (driver == nullptr) return {Code::kUnavailable, probe.reason};
    if (ordinal < 0 || ordinal >= count || ordinal >= kMaxDevices) {
      return {Code::kUnavailable, "expected the index of a GPU but received " + std::to_string(ordinal) +
                                      ": this process sees " + std::to_string(count) + ", counted from 0"};
    }
    DeviceInfo info = describeDevice(*driver, ordinal);
    if (!info.usable) {
      return {Code::kUnavailable,
              "GPU " + std::to_string(ordinal) + " (" + info.name + ") cannot be used: " + info.reason};
    }
    std::unique_ptr<Device> device(new Device(*driver, std::move(info)));
    Status status = device->create();
    if (!status.ok()) {
      device->close();
      return status;
    }
    *out = devices[ordinal] = device.release();
    return {};
  });
}

Device* Device::anyWorking() {
  std::lock_guard<std::mutex> lock(devicesMutex);
  for (Device* device : devices) {
    if (device != nullptr && device->fault().ok()) return device;
  }
  return nullptr;
}

Status Device::create() {
  Status got = check(driver_.DeviceGet(&handle_, info_.index), "cuDeviceGet");
  if (!got.ok()) return got;
  Result result = driver_.DevicePrimaryCtxRetain(&context_, handle_);
  if (result != kSuccess) {
    context_ = nullptr;
    return refused(info_, check(result, "cuDevicePrimaryCtxRetain"), result);
  }
  const Use use(*this, Use::kExclusive);
  if (!use.status().ok()) return use.status();
  result = driver_.ModuleLoadData(&module_, isometry_fatbin);
  if (result != kSuccess) {
    module_ = nullptr;
    return refused(info_, check(result, "cuModuleLoadData"), result);
  }
  // Streams that wait for the null stream and it for them, as plain CUDA programs expect.
  for (Stream& stream : streams_) {
    Status status = check(driver_.StreamCreate(&stream, 0), "cuStreamCreate");
    if (!status.ok()) return status;
  }
  for (Slot& slot : slots_) {
    // The thread that waits for one sleeps: it has nothing to do, and cores are few.
    Status status =
        check(driver_.EventCreate(&slot.done, kEventDisableTiming | kEventBlockingSync), "cuEventCreate");
    if (!status.ok()) return status;
  }
  return {};
}

// Undoes what was done of create(), and everything since. An error stops none of it, and the context, which
// goes last, takes along what is left.
void Device::close() {
  if (context_ == nullptr) return;
  // Twice, since without it all the rest would be left to the context, which others may hold too.
  const bool pushed =
      driver_.CtxPushCurrent(context_) == kSuccess || driver_.CtxPushCurrent(context_) == kSuccess;
  while (!allocations_.empty()) removeAllocation(allocations_.begin()->first, true);
  for (const auto& [address, bytes] : freeLater_) driver_.MemFree(address);
  for (Slot& slot : slots_) {
    slot.hostData.free(*this);
    slot.deviceData.free(*this);
    slot.hostTasks.free(*this);
    slot.deviceTasks.free(*this);
    if (slot.done != nullptr) driver_.EventDestroy(slot.done);
  }
  for (Stream stream : streams_) {
    if (stream != nullptr) driver_.StreamDestroy(stream);
  }
  if (module_ != nullptr) driver_.ModuleUnload(module_);
  if (pushed) {
    Context popped = nullptr;
    driver_.CtxPopCurrent(&popped);
  }
  driver_.DevicePrimaryCtxRelease(handle_);
  context_ = nullptr;
}

Status Device::check(Result result, const char* call) {
  if (result == kSuccess) return {};
  const std::string text = std::string(call) + " on GPU " + std::to_string(info_.index) + " (" + info_.name +
                           ") failed: " + describe(driver_, result);
  if (result == kErrorOutOfMemory) return {Code::kOutOfMemory, text};
  if (!isSticky(result)) return {Code::kDeviceError, text};
  std::lock_guard<std::mutex> lock(faultMutex_);
  if (fault_.ok()) {
    fault_ = {
        Code::kDeviceError,
        text +
            " (in this call or in earlier work of any library in this process). This process cannot use "
            "the GPU any more: start it again"};
  }
  return fault_;
}

Status Device::checkAllocation(Result result, const char* call, uint64_t bytes, const char* where) {
  Status status = check(result, call);
  if (status.code != Code::kOutOfMemory) return status;
  status.message = "out of " + std::string(where) + " for GPU " + std::to_string(info_.index) + " (" +
                   info_.name + "): needed " + formatBytes(bytes);
  size_t available = 0, total = 0;
  if (driver_.MemGetInfo(&available, &total) == kSuccess) {
    status.message +=
        ", available " + formatBytes(available) + " of " + formatBytes(total) + " on the device";
  }
  return status;
}

Status Device::fault() {
  std::lock_guard<std::mutex> lock(faultMutex_);
  return fault_;
}

Status Device::kernel(const char* name, Kernel* out, uint32_t threads) {
  const auto known = kernels_.find(name);
  if (known != kernels_.end()) {
    *out = known->second;
    return {};
  }
  Kernel found;
  const std::string get = std::string("cuModuleGetFunction for ") + name;
  Status status = check(driver_.ModuleGetFunction(&found.function, module_, name), get.c_str());
  if (!status.ok()) return status;
  int blocks = 0;
  status = check(driver_.OccupancyMaxActiveBlocksPerMultiprocessor(&blocks, found.function,
                                                                   static_cast<int>(threads), 0),
                 "cuOccupancyMaxActiveBlocksPerMultiprocessor");
  if (!status.ok()) return status;
  found.residentBlocks = static_cast<uint32_t>(blocks > 0 ? blocks : 1) *
                         static_cast<uint32_t>(info_.multiprocessors > 0 ? info_.multiprocessors : 1);
  kernels_.emplace(name, found);
  *out = found;
  return {};
}

void Device::addAllocation(uint64_t address, uint64_t bytes) {
  std::lock_guard<std::mutex> lock(allocationsMutex_);
  allocations_.emplace(address, bytes);
  liveAllocations += 1;
  liveBytes += bytes;
}

bool Device::removeAllocation(uint64_t address, bool freeLater) {
  std::lock_guard<std::mutex> lock(allocationsMutex_);
  const auto found = allocations_.find(address);
  if (found == allocations_.end()) return false;
  liveAllocations -= 1;
  liveBytes -= found->second;
  auto node = allocations_.extract(found);
  if (freeLater) freeLater_.insert(std::move(node));
  return true;
}

MemoryStats memoryStats() { return {liveAllocations, liveBytes}; }

Status Device::synchronize() {
  Status first;
  for (Stream stream : streams_) {
    Status status = check(driver_.StreamSynchronize(stream), "cuStreamSynchronize");
    if (first.ok()) first = std::move(status);
  }
  return first;
}

Use::Use(Device& device, Kind kind) : device_(device) {
  if (kind == kExclusive) lock_ = std::unique_lock<std::mutex>(device.workMutex_);
  if (kind != kFreeing) status_ = device.fault();
  if (!status_.ok()) return;
  status_ = device.check(device.driver_.CtxPushCurrent(device.context_), "cuCtxPushCurrent");
  pushed_ = status_.ok();
}

Use::~Use() {
  Context popped = nullptr;
  if (pushed_) device_.driver_.CtxPopCurrent(&popped);
}

}  // namespace isometry::cuda
