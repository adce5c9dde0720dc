// What is there to compute on: the driver and its devices, without making a context, which costs time and
// device memory.
#ifndef ISOMETRY_CUDA_PROBE_H_
#define ISOMETRY_CUDA_PROBE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/driver.h"
#include "cuda/status.h"

namespace isometry::cuda {

// The order is that of looking: each value but the first says how far it went.
enum class ProbeResult {
  kReady,             // at least one device is usable
  kNoGpuCode,         // this addon was built without nvcc; nothing was opened
  kNoDriver,          // no libcuda, or the toolkit's stub of it
  kDriverTooOld,      // for our GPU code
  kInitFailed,        // cuInit, or a question to the driver, gave an error
  kNoDevice,          // the machine has none
  kHidden,            // CUDA_VISIBLE_DEVICES leaves none
  kCapabilityTooLow,  // of every device
};

// Compute capability 10·major + minor of the oldest architecture that CUDA 13 compiles for (Turing).
inline constexpr int kLeastCapability = 75;

struct DeviceInfo {
  int index = 0;  // the driver's order, after CUDA_VISIBLE_DEVICES
  std::string name;
  std::string uuid;  // as nvidia-smi -L prints it: GPU-xxxxxxxx-xxxx-…
  int major = 0, minor = 0;
  int multiprocessors = 0;
  uint64_t totalMemory = 0;  // bytes
  bool usable = false;
  std::string reason;  // why it is not usable
};

struct Probe {
  ProbeResult result = ProbeResult::kNoGpuCode;
  std::string reason;     // a sentence that says what to do; empty when ready
  int driverVersion = 0;  // 1000·major + 10·minor of the newest CUDA that it runs; 0 when it was not asked
  std::string libraryPath;  // of libcuda; empty when it was not opened
  std::vector<DeviceInfo> devices;
};

Probe probe();

// The first half of a probe: the driver, initialized. Null, and why in `probe`, when that is not to be had.
const Driver* startDriver(Probe* probe, int* deviceCount);

// One device; not usable, with the reason, when the driver gives an error or it is too old.
DeviceInfo describeDevice(const Driver& driver, int index);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_PROBE_H_
