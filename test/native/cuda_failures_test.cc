// What the driver may do wrong, at any of its calls.
#include <cstring>
#include <string>
#include <vector>

#include "check.h"
#include "cuda/device.h"
#include "cuda/fill.h"
#include "cuda/memory.h"
#include "cuda_fake.h"
#include "cuda_outputs.h"

namespace isometry::cuda {
namespace {

using test::asExpected;
using test::Fake;
using test::Output;
using test::Outputs;
using test::partsOf;
using test::variousOutputs;

// All that a process does, with the first error; the results are right when there is none.
Status wholeLife(bool* right) {
  Status first;
  const auto note = [&first](Status status) {
    if (first.ok()) first = std::move(status);
    return first.ok();
  };
  *right = true;
  acquireDevices();
  Device* device = nullptr;
  uint64_t address = 0;
  Outputs outputs = variousOutputs();
  const std::vector<HostPart> parts = partsOf(outputs);
  if (note(Device::open(0, &device)) && note(allocate(*device, 12'000, &address))) {
    if (note(fillHost(*device, parts.data(), parts.size(), nullptr, 2048))) *right = asExpected(outputs);
    Output& output = *outputs[0];
    const Part part{output.fill, output.start, output.end, address};
    std::vector<char> copy(12'000);
    PointerInfo info;
    if (note(pointerInfo(address, &info))) *right = *right && info.device && info.bytes == 12'000;
    if (note(fillDevice(*device, &part, 1, nullptr)) &&
        note(copyToHost(*device, address, copy.data(), copy.size(), nullptr, 5000))) {
      *right = *right && std::memcmp(copy.data(), output.expected.data(), copy.size()) == 0;
    }
    note(release(*device, address));
  }
  releaseDevices();
  return first;
}

// Every call of a whole life fails once, and then every call from it on.
TEST(anyCallMayFail) {
  const struct {
    const char* failCode;
    Code code;
  } cases[] = {{"2", Code::kOutOfMemory}, {"700", Code::kDeviceError}};
  for (const auto& each : cases) {
    for (const char* forever : {"0", "1"}) {
      int call = 1, failures = 0;
      for (bool injected = true; injected; call++) {
        Fake fake{{"FAKE_CUDA_FAIL_AT", std::to_string(call)},
                  {"FAKE_CUDA_FAIL_CODE", each.failCode},
                  {"FAKE_CUDA_FAIL_FOREVER", forever}};
        bool right = false;
        const Status status = wholeLife(&right);
        injected = fake_cuda_injected() > 0;
        failures += status.ok() ? 0 : 1;
        CHECK(status.ok() || status.code == each.code || status.code == Code::kUnavailable);
        CHECK(right);
        CHECK(fake.leaked() == 0 && fake.damage() == 0 && memoryStats().allocations == 0);
      }
      CHECK(call > 40 && failures > 30);
    }
  }
  Fake fake;
  bool right = false;
  CHECK(wholeLife(&right).ok() && right);
}

}  // namespace
}  // namespace isometry::cuda
