// Fills through the fake driver against the CPU's; what the driver may do wrong at any call; threads.
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/quantile.h"
#include "cpu/fill.h"
#include "cuda/device.h"
#include "cuda/fill.h"
#include "cuda/memory.h"
#include "cuda_fake.h"
#include "jobs.h"

namespace isometry::cuda {
namespace {

using test::denseJob;
using test::Fake;

const std::vector<double>& table() {
  static const std::vector<double>* const made = [] {
    auto* rows = new std::vector<double>(kQuantileTableSize, 0.0);
    for (int row = 0; row < kQuantileRows; row++)
      (*rows)[static_cast<size_t>(row) * (kQuantileDegree + 1)] = row;
    return rows;
  }();
  return *made;
}

// One output of `count` elements, from a job of its own; a window of it, on the host.
struct Output {
  Job job;
  Fill fill;
  uint64_t start, end;
  std::vector<char> bytes, expected;

  Output(Kind kind, DType dtype, uint64_t count, uint64_t start_, uint64_t end_)
      : job(denseJob(kind, count)), fill{42, dtype, &job, 1}, start(start_), end(end_) {
    job.stream += count;
    job.params.table = table().data();
    bytes.assign((end - start) * byteSize(dtype) + 1, '\xca');
    expected = bytes;
    cpu::bestTarget()->fill(fill, expected.data(), start, end);
  }
  Output(const Output&) = delete;
  HostPart part() { return {fill, start, end, bytes.data()}; }
};

using Outputs = std::vector<std::unique_ptr<Output>>;

Outputs variousOutputs() {
  Outputs outputs;
  const struct {
    Kind kind;
    DType dtype;
    uint64_t count, start, end;
  } cases[] = {
      {Kind::kNormal, DType::kFloat32, 3000, 0, 3000},
      {Kind::kConstant, DType::kFloat16, 5, 0, 5},
      {Kind::kUniform, DType::kFloat64, 777, 1, 776},
      {Kind::kUniform, DType::kFloat32, 10, 10, 10},
      {Kind::kTruncatedNormal, DType::kBFloat16, 999, 3, 999},
      {Kind::kQuantile, DType::kFloat64, 500, 7, 499},
      {Kind::kQuantile, DType::kFloat32, 130, 0, 130},
      {Kind::kNormal, DType::kFloat16, 1, 0, 1},
  };
  for (const auto& c : cases)
    outputs.push_back(std::make_unique<Output>(c.kind, c.dtype, c.count, c.start, c.end));
  return outputs;
}

std::vector<HostPart> partsOf(Outputs& outputs) {
  std::vector<HostPart> parts;
  for (auto& output : outputs) parts.push_back(output->part());
  return parts;
}

bool asExpected(const Outputs& outputs) {
  for (const auto& output : outputs) {
    if (output->bytes != output->expected) return false;
  }
  return true;
}

TEST(hostFillsEqualTheCpusWhateverTheChunk) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  for (uint64_t chunk : {uint64_t{128}, uint64_t{200}, uint64_t{1024}, uint64_t{4097}, kChunkBytes}) {
    Outputs outputs = variousOutputs();
    const std::vector<HostPart> parts = partsOf(outputs);
    const int64_t launches = fake_cuda_launches();
    CHECK(fillHost(*device, parts.data(), parts.size(), nullptr, chunk).ok());
    CHECK(asExpected(outputs));
    if (chunk == kChunkBytes) CHECK(fake_cuda_launches() - launches == 1);
  }
  const int64_t launches = fake_cuda_launches();
  CHECK(fillHost(*device, nullptr, 0, nullptr).ok());
  Output empty(Kind::kNormal, DType::kFloat32, 10, 4, 4);
  const HostPart part = empty.part();
  CHECK(fillHost(*device, &part, 1, nullptr).ok());
  CHECK(fake_cuda_launches() == launches);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(deviceFillsEqualTheCpusInOneLaunch) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  Outputs outputs = variousOutputs();
  uint64_t address = 0, bytes = 0;
  std::vector<uint64_t> offsets;
  for (const auto& output : outputs) {  // at every alignment that the dtype allows
    const uint64_t size = byteSize(output->fill.dtype);
    offsets.push_back((bytes + size) / size * size);
    bytes = offsets.back() + output->bytes.size() - 1;
  }
  CHECK(allocate(*device, bytes + 1, &address).ok());
  std::vector<Part> parts;
  for (size_t i = 0; i < outputs.size(); i++) {
    parts.push_back({outputs[i]->fill, outputs[i]->start, outputs[i]->end, address + offsets[i]});
  }
  const int64_t launches = fake_cuda_launches();
  CHECK(fillDevice(*device, parts.data(), parts.size(), nullptr).ok());
  CHECK(fake_cuda_launches() == launches + 1);
  for (size_t i = 0; i < outputs.size(); i++) {
    Output& output = *outputs[i];
    CHECK(copyToHost(*device, address + offsets[i], output.bytes.data(), output.bytes.size() - 1, nullptr)
              .ok());
  }
  CHECK(asExpected(outputs));

  CHECK(fillDevice(*device, nullptr, 0, nullptr).ok());
  const Part none{outputs[0]->fill, 5, 5, 0};
  CHECK(fillDevice(*device, &none, 1, nullptr).ok());
  const std::atomic<bool> cancelled{true};
  CHECK(fillDevice(*device, parts.data(), parts.size(), &cancelled).code == Code::kCancelled);
  CHECK(fake_cuda_launches() == launches + 1);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(laterJobsOverwriteEarlierOnes) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  Job jobs[3] = {denseJob(Kind::kNormal, 1000), denseJob(Kind::kConstant, 100), denseJob(Kind::kUniform, 50)};
  jobs[1].region.targetOffset = 450;
  jobs[2].region.targetOffset = 500;
  const Fill fill{7, DType::kFloat32, jobs, 3};
  std::vector<float> out(1000), expected(1000);
  cpu::bestTarget()->fill(fill, expected.data(), 0, 1000);
  const HostPart part{fill, 0, 1000, out.data()};
  CHECK(fillHost(*device, &part, 1, nullptr).ok());
  CHECK(out == expected && out[449] != 0.25f && out[450] == 0.25f && out[499] == 0.25f && out[500] != 0.25f);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(partsThatCannotBeAreRefused) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  const Job job = denseJob(Kind::kNormal, 100);
  const Fill fill{1, DType::kFloat32, &job, 1}, other{2, DType::kFloat32, &job, 1};
  const Part odd{fill, 0, 100, 4098}, beyond{fill, 0, 100, ~uint64_t{0} - 103};
  const Part seeds[] = {{fill, 0, 100, 4096}, {other, 0, 100, 8192}};
  const int64_t launches = fake_cuda_launches();
  CHECK(fillDevice(*device, &odd, 1, nullptr).code == Code::kInvalidTarget);
  CHECK(fillDevice(*device, &beyond, 1, nullptr).code == Code::kTooLarge);
  CHECK(fillDevice(*device, seeds, 2, nullptr).code == Code::kInvalidTarget);
  CHECK(fake_cuda_launches() == launches);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(aCancelledHostFillEndsWithinAFewChunks) {
  Fake fake{{"FAKE_CUDA_DELAY", "2000"}};
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  Output output(Kind::kConstant, DType::kFloat32, 100'000, 0, 100'000);
  const HostPart part = output.part();
  std::atomic<bool> cancelled{false};
  const int64_t launches = fake_cuda_launches();
  std::thread canceller([&] {
    while (fake_cuda_launches() < launches + 5) std::this_thread::yield();
    cancelled = true;
  });
  CHECK(fillHost(*device, &part, 1, &cancelled, 1024).code == Code::kCancelled);  // 391 chunks
  canceller.join();
  CHECK(fake_cuda_launches() - launches < 100);
  CHECK(output.bytes != output.expected);
  Outputs after = variousOutputs();
  const std::vector<HostPart> parts = partsOf(after);
  CHECK(fillHost(*device, parts.data(), parts.size(), nullptr, 1024).ok() && asExpected(after));
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(threadsShareADevice) {
  Fake fake;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; t++) {
    threads.emplace_back([] {
      for (int k = 0; k < 3; k++) {
        acquireDevices();
        Device* device = nullptr;
        CHECK(Device::open(0, &device).ok());
        Outputs outputs = variousOutputs();
        const std::vector<HostPart> parts = partsOf(outputs);
        CHECK(fillHost(*device, parts.data(), parts.size(), nullptr, 1024).ok() && asExpected(outputs));
        uint64_t address = 0;
        CHECK(allocate(*device, 12'000, &address).ok());
        Output& output = *outputs[0];
        const Part part{output.fill, output.start, output.end, address};
        CHECK(fillDevice(*device, &part, 1, nullptr).ok());
        std::fill(output.bytes.begin(), output.bytes.end() - 1, '\0');
        CHECK(copyToHost(*device, address, output.bytes.data(), 12'000, nullptr, 1000).ok());
        CHECK(asExpected(outputs));
        CHECK(release(*device, address).ok());
        releaseDevices();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

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
