// Fills through the fake driver against the CPU's; cancelling; threads.
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "cpu/fill.h"
#include "cuda/device.h"
#include "cuda/fill.h"
#include "cuda/memory.h"
#include "cuda_fake.h"
#include "cuda_outputs.h"
#include "jobs.h"

namespace isometry::cuda {
namespace {

using test::asExpected;
using test::denseJob;
using test::Fake;
using test::Output;
using test::Outputs;
using test::partsOf;
using test::variousOutputs;

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
  Output output(Kind::kUniform, DType::kFloat32, 100'000, 0, 100'000);
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
  // Nothing of it goes on: what is in the buffers stays there.
  const auto pinned = [device] {
    const Use use(*device, Use::kExclusive);
    std::string bytes;
    for (int i = 0; i < kSlots; i++) {
      const PinnedBuffer& data = device->slot(i).hostData;
      bytes.append(reinterpret_cast<const char*>(data.data), data.bytes);
    }
    return bytes;
  };
  const std::string before = pinned();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CHECK(pinned() == before);
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

}  // namespace
}  // namespace isometry::cuda
