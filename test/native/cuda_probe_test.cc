// Everything that may be missing is told apart, with a sentence that names what to do.
#include "check.h"
#include "cuda/probe.h"
#include "cuda_fake.h"

namespace isometry::cuda {
namespace {

using test::Fake;

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

TEST(probeOfAMachineWithGpus) {
  Fake fake{{"FAKE_CUDA_DEVICES", "2"}, {"FAKE_CUDA_MEMORY", "123456789"}};
  const Probe found = probe();
  CHECK(found.result == ProbeResult::kReady && found.reason.empty());
  CHECK(found.driverVersion == 13000 && has(found.libraryPath, "libcuda.so.1"));
  CHECK(found.devices.size() == 2);
  for (const DeviceInfo& device : found.devices) {
    CHECK(device.usable && device.reason.empty() && !device.name.empty());
    CHECK(device.major == 9 && device.minor == 0 && device.multiprocessors > 0);
    CHECK(device.totalMemory == 123456789);
    CHECK(device.uuid.size() == 40 && device.uuid.rfind("GPU-", 0) == 0);
  }
  CHECK(found.devices[1].index == 1 && found.devices[0].uuid != found.devices[1].uuid);
  CHECK(fake.leaked() == 0);  // no context was made
}

TEST(probeOfAnOldDriver) {
  for (const char* version : {"11000", "12080"}) {
    Fake fake{{"FAKE_CUDA_VERSION", version}};
    const Probe found = probe();
    CHECK(found.result == ProbeResult::kDriverTooOld && found.devices.empty());
    CHECK(found.driverVersion == std::stoi(version));
    CHECK(has(found.reason, "580 or newer (CUDA 13.0)"));
    CHECK(has(found.reason, version[1] == '1' ? "CUDA 11.0" : "CUDA 12.8"));
  }
  Fake newer{{"FAKE_CUDA_VERSION", "14020"}};
  CHECK(probe().result == ProbeResult::kReady);
}

TEST(probeOfADriverThatDoesNotStart) {
  const struct {
    const char* code;
    ProbeResult result;
    const char* text;
  } cases[] = {
      {"100", ProbeResult::kNoDevice, "nvidia-smi"},
      {"34", ProbeResult::kNoDriver, "stub"},
      {"803", ProbeResult::kInitFailed, "restart the machine"},
      {"802", ProbeResult::kInitFailed, "nvidia-fabricmanager"},
      {"999", ProbeResult::kInitFailed, "CUDA_ERROR_UNKNOWN (999)"},
  };
  for (const auto& each : cases) {
    Fake fake{{"FAKE_CUDA_INIT", each.code}};
    const Probe found = probe();
    CHECK(found.result == each.result && has(found.reason, each.text));
  }
}

TEST(probeOfAMachineWithoutAGpuOrWithHiddenOnes) {
  {
    Fake fake{{"FAKE_CUDA_DEVICES", "0"}};
    CHECK(probe().result == ProbeResult::kNoDevice);
  }
  for (const char* hidden : {"", "-1"}) {
    Fake fake{{"CUDA_VISIBLE_DEVICES", hidden}};
    const Probe found = probe();
    CHECK(found.result == ProbeResult::kHidden);
    CHECK(has(found.reason, ("CUDA_VISIBLE_DEVICES is \"" + std::string(hidden) + "\"").c_str()));
  }
}

TEST(probeOfOldGpus) {
  Fake fake{{"FAKE_CUDA_DEVICES", "2"}, {"FAKE_CUDA_CAPABILITY", "61"}};
  const Probe found = probe();
  CHECK(found.result == ProbeResult::kCapabilityTooLow && found.devices.size() == 2);
  CHECK(has(found.reason, "GPU 0") && has(found.reason, "GPU 1") && has(found.reason, "6.1") &&
        has(found.reason, "7.5"));
  CHECK(!found.devices[0].usable && found.devices[0].totalMemory > 0);
}

TEST(probeWhenTheDriverGivesErrors) {
  for (int call = 1;; call++) {
    Fake fake{{"FAKE_CUDA_FAIL_AT", std::to_string(call)}, {"FAKE_CUDA_FAIL_CODE", "999"}};
    const Probe found = probe();
    CHECK(fake.leaked() == 0);
    if (fake_cuda_injected() == 0) {
      CHECK(found.result == ProbeResult::kReady && call > 5);
      break;
    }
    CHECK(found.result == ProbeResult::kInitFailed);
    CHECK(has(found.reason, "CUDA_ERROR_UNKNOWN (999)"));
  }
}

}  // namespace
}  // namespace isometry::cuda
