#include "cuda/probe.h"

#include <cstdio>
#include <cstdlib>

#include "cuda/fatbin.h"

namespace isometry::cuda {
namespace {

// Drivers run the code of every toolkit of their own major version and of older ones.
int neededVersion() { return isometry_fatbin_version / 1000 * 1000; }

std::string cudaVersion(int version) {
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// The first branch of the Linux driver for a major version: table 3 of the CUDA toolkit's release notes.
std::string neededDriver() {
  const int major = neededVersion() / 1000;
  const std::string version = cudaVersion(neededVersion());
  if (major == 12) return "525 or newer (" + version + ")";
  if (major == 13) return "580 or newer (" + version + ")";
  return "one for " + version + " or newer";
}

const Driver* fail(Probe* probe, ProbeResult result, const std::string& reason) {
  probe->result = result;
  probe->reason = reason;
  return nullptr;
}

// cuInit gives the same result for a machine without a GPU and for one whose GPUs are hidden.
const Driver* noDevice(Probe* probe) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible != nullptr) {
    return fail(
        probe, ProbeResult::kHidden,
        "CUDA_VISIBLE_DEVICES is \"" + std::string(visible).substr(0, 80) +
            "\", which leaves no GPU: unset it, or set it to the index or UUID of one that nvidia-smi "
            "-L lists");
  }
  return fail(probe, ProbeResult::kNoDevice,
              "the NVIDIA driver sees no GPU in this machine: nvidia-smi -L must list one (in a container, "
              "start it with access to the GPU, as with docker run --gpus all)");
}

const Driver* initFailed(Probe* probe, const Driver& driver, Result result) {
  switch (result) {
    case kErrorNoDevice:
      return noDevice(probe);
    case kErrorStubLibrary:
      return fail(probe, ProbeResult::kNoDriver,
                  driver.path + " is the CUDA toolkit's stub and no driver: install NVIDIA driver " +
                      neededDriver() + " and take the stubs folder out of the library path");
    case kErrorSystemDriverMismatch:
      return fail(probe, ProbeResult::kInitFailed,
                  describe(driver, result) +
                      ": the driver's library is newer or older than its kernel module; restart the machine");
    case kErrorSystemNotReady:
      return fail(
          probe, ProbeResult::kInitFailed,
          describe(driver, result) + ": the system's NVIDIA services (nvidia-fabricmanager) must run");
    default:
      return fail(probe, ProbeResult::kInitFailed,
                  "the NVIDIA driver does not start: " + describe(driver, result) +
                      "; nvidia-smi and the system's log say more");
  }
}

std::string formatUuid(const Uuid& uuid) {
  char text[48];
  const unsigned char* b = uuid.bytes;
  std::snprintf(text, sizeof text, "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text;
}

}  // namespace

const Driver* startDriver(Probe* probe, int* deviceCount) {
  if (isometry_fatbin_bytes == 0) {
    return fail(
        probe, ProbeResult::kNoGpuCode,
        "this addon was built without GPU code: use the published package, or install the CUDA toolkit "
        "(nvcc) and build again");
  }
  std::string whyNot;
  bool incomplete = false;
  const Driver* found = driver(&whyNot, &incomplete);
  if (found == nullptr) {
    return incomplete
               ? fail(probe, ProbeResult::kDriverTooOld,
                      "expected NVIDIA driver " + neededDriver() + ", but " + whyNot + ": update the driver")
               : fail(probe, ProbeResult::kNoDriver,
                      "no NVIDIA driver was found (" + whyNot + "): install driver " + neededDriver() +
                          "; in a container, start it with access to the GPU, as with docker run --gpus all");
  }
  probe->libraryPath = found->path;
  Result result = found->DriverGetVersion(&probe->driverVersion);
  if (result != kSuccess) return initFailed(probe, *found, result);
  if (probe->driverVersion < neededVersion()) {
    return fail(probe, ProbeResult::kDriverTooOld,
                "expected NVIDIA driver " + neededDriver() + " but found one for " +
                    cudaVersion(probe->driverVersion) + ": update the driver");
  }
  result = found->Init(0);
  if (result != kSuccess) return initFailed(probe, *found, result);
  result = found->DeviceGetCount(deviceCount);
  if (result != kSuccess) return initFailed(probe, *found, result);
  if (*deviceCount == 0) return noDevice(probe);
  return found;
}

DeviceInfo describeDevice(const Driver& driver, int index) {
  DeviceInfo info;
  info.index = index;
  DeviceHandle device = 0;
  char name[256] = {};
  Uuid uuid = {};
  size_t memory = 0;
  // Stops at the first error, which `result` then holds.
  Result result = driver.DeviceGet(&device, index);
  const auto ask = [&](auto function, auto... arguments) {
    if (result == kSuccess) result = function(arguments...);
  };
  ask(driver.DeviceGetName, name, static_cast<int>(sizeof name) - 1, device);
  ask(driver.DeviceGetUuid, &uuid, device);
  ask(driver.DeviceTotalMem, &memory, device);
  ask(driver.DeviceGetAttribute, &info.major, kAttributeCapabilityMajor, device);
  ask(driver.DeviceGetAttribute, &info.minor, kAttributeCapabilityMinor, device);
  ask(driver.DeviceGetAttribute, &info.multiprocessors, kAttributeMultiprocessors, device);
  info.name = name;
  info.totalMemory = memory;
  if (result != kSuccess) {
    info.reason = "the driver does not describe this GPU: " + describe(driver, result);
    return info;
  }
  info.uuid = formatUuid(uuid);
  info.usable = 10 * info.major + info.minor >= kLeastCapability;
  if (!info.usable) {
    info.reason = "its compute capability is " + std::to_string(info.major) + "." +
                  std::to_string(info.minor) + ", expected " + std::to_string(kLeastCapability / 10) + "." +
                  std::to_string(kLeastCapability % 10) + " or higher (a GPU of 2018 or later)";
  }
  return info;
}

Probe probe() {
  Probe probe;
  int count = 0;
  const Driver* driver = startDriver(&probe, &count);
  if (driver == nullptr) return probe;
  probe.result = ProbeResult::kCapabilityTooLow;
  for (int index = 0; index < count; ++index) {
    DeviceInfo info = describeDevice(*driver, index);
    if (info.usable) probe.result = ProbeResult::kReady;
    if (!info.usable && info.uuid.empty() && probe.result != ProbeResult::kReady) {
      probe.result = ProbeResult::kInitFailed;  // an error says nothing about its age
    }
    if (!info.usable) {
      probe.reason += (probe.reason.empty() ? "" : "; ") + std::string("GPU ") + std::to_string(index) +
                      " (" + info.name + ") cannot be used: " + info.reason;
    }
    probe.devices.push_back(std::move(info));
  }
  if (probe.result == ProbeResult::kReady) probe.reason.clear();
  return probe;
}

}  // namespace isometry::cuda
