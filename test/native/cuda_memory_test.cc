#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
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

// A device for one test.
struct Opened {
  Fake fake;
  Device* device = nullptr;
  explicit Opened(Fake::Settings settings = {}) : fake(settings) {
    acquireDevices();
    CHECK(Device::open(0, &device).ok());
  }
  ~Opened() {
    releaseDevices();
    CHECK(fake.leaked() == 0 && fake.damage() == 0);
    CHECK(memoryStats().allocations == 0 && memoryStats().bytes == 0);
  }
};

bool has(const Status& status, const char* part) { return status.message.find(part) != std::string::npos; }

TEST(memoryIsCountedAndFreedOnce) {
  Opened on;
  uint64_t a = 1, b = 1, none = 1;
  CHECK(allocate(*on.device, 1000, &a).ok() && a != 0);
  CHECK(allocate(*on.device, 24, &b).ok() && b != 0 && b != a);
  CHECK(allocate(*on.device, 0, &none).ok() && none == 0);
  CHECK(memoryStats().allocations == 2 && memoryStats().bytes == 1024);
  CHECK(release(*on.device, 0).ok());
  CHECK(release(*on.device, a).ok());
  CHECK(memoryStats().allocations == 1 && memoryStats().bytes == 24);
  CHECK(release(*on.device, a).code == Code::kInvalidTarget);
  CHECK(release(*on.device, b + 1).code == Code::kInvalidTarget);
  // b goes with the device.
}

TEST(tooMuchSaysWhatIsNeededAndWhatIsThere) {
  Opened on{{"FAKE_CUDA_MEMORY", "1000000"}};
  uint64_t some = 0, more = 1;
  CHECK(allocate(*on.device, 600'000, &some).ok());
  const Status status = allocate(*on.device, 400'001, &more);
  CHECK(status.code == Code::kOutOfMemory && more == 0);
  CHECK(has(status, "needed 390.6 KiB (400001 bytes)") && has(status, "available 390.6 KiB (400000 bytes)"));
  CHECK(memoryStats().allocations == 1);
  CHECK(allocate(*on.device, 400'000, &more).ok());
  CHECK(release(*on.device, more).ok() && release(*on.device, some).ok());
  CHECK(allocate(*on.device, std::numeric_limits<uint64_t>::max(), &more).code == Code::kOutOfMemory);
}

TEST(anAddressIsDescribed) {
  Opened on{{"FAKE_CUDA_DEVICES", "2"}};
  Device* second = nullptr;
  CHECK(Device::open(1, &second).ok());
  uint64_t address = 0;
  CHECK(allocate(*second, 1000, &address).ok());
  PointerInfo info;
  for (uint64_t at : {address, address + 1, address + 999}) {
    CHECK(pointerInfo(at, &info).ok());
    CHECK(info.device && info.ordinal == 1 && info.base == address && info.bytes == 1000);
  }
  std::vector<char> plain(64);
  for (uint64_t other : {uint64_t{0}, uint64_t{1}, reinterpret_cast<uint64_t>(plain.data()), ~uint64_t{0}}) {
    CHECK(pointerInfo(other, &info).ok() && !info.device);
  }
  void* pinned = nullptr;
  {
    const Use use(*second, Use::kShared);
    CHECK(use.status().ok() && second->driver().MemHostAlloc(&pinned, 64, 0) == kSuccess);
    CHECK(pointerInfo(reinterpret_cast<uint64_t>(pinned), &info).ok() && !info.device);
    CHECK(second->driver().MemFreeHost(pinned) == kSuccess);
  }
  CHECK(release(*second, address).ok());
  CHECK(pointerInfo(address, &info).ok() && !info.device);
}

TEST(aHandleIsOfTheWholeAllocation) {
  Opened on;
  uint64_t address = 0;
  CHECK(allocate(*on.device, 1000, &address).ok());
  uint8_t whole[64], part[64];
  uint64_t offset = 7;
  CHECK(ipcHandle(*on.device, address, whole, &offset).ok() && offset == 0);
  CHECK(ipcHandle(*on.device, address + 24, part, &offset).ok() && offset == 24);
  CHECK(std::memcmp(whole, part, sizeof whole) == 0);
  CHECK(release(*on.device, address).ok());
  CHECK(!ipcHandle(*on.device, address, part, &offset).ok());
}

TEST(memoryThatCannotBeSharedIsSaidToBe) {
  Opened on{{"FAKE_CUDA_FAIL_AT", "cuIpcGetMemHandle:1"}, {"FAKE_CUDA_FAIL_CODE", "801"}};
  uint64_t address = 0, offset = 0;
  uint8_t handle[64];
  CHECK(allocate(*on.device, 1000, &address).ok());
  CHECK(ipcHandle(*on.device, address, handle, &offset).code == Code::kUnavailable);
  CHECK(ipcHandle(*on.device, address, handle, &offset).ok());
}

TEST(copiesComeInOrderWhateverTheChunk) {
  Opened on;
  constexpr uint64_t kCount = 5000;
  uint64_t address = 0;
  CHECK(allocate(*on.device, kCount * 4, &address).ok());
  const Job job = denseJob(Kind::kUniform, kCount);
  const Part part{{42, DType::kFloat32, &job, 1}, 0, kCount, address};
  CHECK(fillDevice(*on.device, &part, 1, nullptr).ok());
  std::vector<float> expected(kCount);
  cpu::bestTarget()->fill(part.fill, expected.data(), 0, kCount);
  for (uint64_t chunk : {uint64_t{4}, uint64_t{1000}, kCount * 4 - 1, kCount * 4, kChunkBytes}) {
    std::vector<float> out(kCount, -1);
    CHECK(copyToHost(*on.device, address, out.data(), kCount * 4, nullptr, chunk).ok());
    CHECK(out == expected);
  }
  std::vector<float> out(3, -1);
  CHECK(copyToHost(*on.device, address + 40, out.data(), 8, nullptr).ok());
  CHECK(out[0] == expected[10] && out[1] == expected[11] && out[2] == -1);
  CHECK(copyToHost(*on.device, address, out.data(), 0, nullptr).ok());
  CHECK(copyToHost(*on.device, 12345, out.data(), 4, nullptr).code == Code::kInvalidTarget);
  const std::atomic<bool> cancelled{true};
  CHECK(copyToHost(*on.device, address, out.data(), 4, &cancelled).code == Code::kCancelled);
  CHECK(out[0] == expected[10]);
}

TEST(copiesToTheDeviceAreWhole) {
  Opened on;
  constexpr uint64_t kBytes = 20'001;
  std::vector<unsigned char> source(kBytes), out(kBytes);
  for (uint64_t i = 0; i < kBytes; i++) source[i] = static_cast<unsigned char>(i * 7 + i / 256);
  for (uint64_t chunk : {uint64_t{1000}, kBytes - 1, kBytes, kChunkBytes}) {
    uint64_t address = 0;
    CHECK(allocate(*on.device, kBytes + 2, &address).ok());
    CHECK(copyFromHost(*on.device, source.data(), address + 1, kBytes, nullptr, chunk).ok());
    CHECK(copyToHost(*on.device, address + 1, out.data(), kBytes, nullptr).ok() && out == source);
    unsigned char around[2] = {0, 0};
    CHECK(copyToHost(*on.device, address, around, 1, nullptr).ok());
    CHECK(copyToHost(*on.device, address + kBytes + 1, around + 1, 1, nullptr).ok());
    CHECK(around[0] == 0xca && around[1] == 0xca);
    CHECK(copyFromHost(*on.device, source.data(), address, 0, nullptr).ok());
    const std::atomic<bool> cancelled{true};
    CHECK(copyFromHost(*on.device, source.data() + 9, address + 1, 4, &cancelled).code == Code::kCancelled);
    CHECK(copyToHost(*on.device, address + 1, out.data(), kBytes, nullptr).ok() && out == source);
    CHECK(release(*on.device, address).ok());
  }
  CHECK(copyFromHost(*on.device, source.data(), 12345, 4, nullptr).code == Code::kInvalidTarget);
}

}  // namespace
}  // namespace isometry::cuda
