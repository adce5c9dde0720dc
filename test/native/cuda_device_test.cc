#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "cuda/device.h"
#include "cuda/memory.h"
#include "cuda_fake.h"

namespace isometry::cuda {
namespace {

using test::Fake;

TEST(aDeviceIsOpenedOnceAndClosedByTheLastRelease) {
  Fake fake{{"FAKE_CUDA_DEVICES", "2"}};
  acquireDevices();
  acquireDevices();
  CHECK(fake_cuda_calls() == 0);  // acquiring costs nothing
  Device* first = nullptr;
  Device* again = nullptr;
  Device* other = nullptr;
  CHECK(Device::open(0, &first).ok() && Device::open(0, &again).ok() && Device::open(1, &other).ok());
  CHECK(first == again && first != other && first->ordinal() == 0 && other->ordinal() == 1);
  CHECK(first->info().multiprocessors > 0 && first->context() != nullptr);
  releaseDevices();
  CHECK(fake.leaked() > 0);
  CHECK(Device::open(0, &again).ok() && again == first);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(aDeviceThatIsNotThereIsRefused) {
  Fake fake{{"FAKE_CUDA_DEVICES", "2"}};
  acquireDevices();
  for (int ordinal : {-1, 2, 63, 64, 1 << 30}) {
    Device* device = nullptr;
    const Status status = Device::open(ordinal, &device);
    CHECK(status.code == Code::kUnavailable && device == nullptr);
    CHECK(status.message.find("received " + std::to_string(ordinal)) != std::string::npos);
  }
  releaseDevices();
  CHECK(fake.leaked() == 0);
}

TEST(aDriverThatIsNotReadyIsRefused) {
  for (const char* name : {"FAKE_CUDA_DEVICES=0", "FAKE_CUDA_INIT=999", "FAKE_CUDA_VERSION=12080",
                           "FAKE_CUDA_CAPABILITY=70", "CUDA_VISIBLE_DEVICES="}) {
    const std::string text = name;
    Fake fake{{text.substr(0, text.find('=')), text.substr(text.find('=') + 1)}};
    acquireDevices();
    Device* device = nullptr;
    const Status status = Device::open(0, &device);
    CHECK(status.code == Code::kUnavailable && !status.message.empty() && device == nullptr);
    releaseDevices();
    CHECK(fake.leaked() == 0);
  }
}

TEST(codeThatTheDeviceCannotRunIsUnavailable) {
  for (const char* code : {"209", "200", "222"}) {
    Fake fake{{"FAKE_CUDA_FAIL_AT", "cuModuleLoadData:1"}, {"FAKE_CUDA_FAIL_CODE", code}};
    acquireDevices();
    Device* device = nullptr;
    const Status status = Device::open(0, &device);
    CHECK(status.code == Code::kUnavailable);
    CHECK(status.message.find("no code for its compute capability 9.0") != std::string::npos);
    releaseDevices();
    CHECK(fake.leaked() == 0 && fake.damage() == 0);
  }
}

TEST(openingThatFailsAtAnyCallUndoesEverything) {
  for (const char* forever : {"0", "1"}) {
    for (int call = 1;; call++) {
      Fake fake{{"FAKE_CUDA_FAIL_AT", std::to_string(call)}, {"FAKE_CUDA_FAIL_FOREVER", forever}};
      acquireDevices();
      Device* device = nullptr;
      const Status status = Device::open(0, &device);
      const bool failed = fake_cuda_injected() > 0;
      CHECK(status.ok() == (device != nullptr));
      if (*forever == '0') {
        Device* next = nullptr;
        CHECK(Device::open(0, &next).ok());  // the next call works
      }
      releaseDevices();
      CHECK(fake.leaked() == 0 && fake.damage() == 0);
      if (failed && !status.ok()) {
        // An error of the very last steps may leave a device that is open.
        CHECK(status.code == Code::kOutOfMemory || status.code == Code::kUnavailable);
      }
      if (!failed && device != nullptr) break;
    }
  }
}

TEST(kernelsAreFoundByNameOrAnError) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  {
    const Use use(*device, Use::kExclusive);
    Kernel kernel;
    CHECK(use.status().ok() && device->kernel("fillMixed", &kernel).ok());
    CHECK(kernel.function != nullptr);
    CHECK(kernel.residentBlocks >= static_cast<uint32_t>(device->info().multiprocessors));
    const int64_t calls = fake_cuda_calls();
    CHECK(device->kernel("fillMixed", &kernel).ok() && fake_cuda_calls() == calls);
    const Status status = device->kernel("noSuchKernel", &kernel);
    CHECK(status.code == Code::kDeviceError && status.message.find("noSuchKernel") != std::string::npos);
  }
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(aFaultStaysUntilTheDeviceIsClosed) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  CHECK(device->check(kErrorOutOfMemory, "cuAnything").code == Code::kOutOfMemory);
  CHECK(device->fault().ok());
  const Status fault = device->check(700, "cuStreamSynchronize");
  CHECK(fault.code == Code::kDeviceError);
  CHECK(fault.message.find("CUDA_ERROR_ILLEGAL_ADDRESS (700)") != std::string::npos);
  CHECK(device->check(719, "cuStreamSynchronize").message == fault.message);  // the first one counts
  {
    const int64_t calls = fake_cuda_calls();
    const Use use(*device, Use::kExclusive);
    CHECK(use.status().code == Code::kDeviceError && use.status().message == fault.message);
    CHECK(fake_cuda_calls() == calls);  // nothing that might hang
  }
  releaseDevices();
  acquireDevices();
  CHECK(Device::open(0, &device).ok() && device->fault().ok());
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(memoryIsFreedAlsoAfterAFault) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  uint64_t address = 0;
  CHECK(Device::open(0, &device).ok() && allocate(*device, 1000, &address).ok());
  const int64_t live = fake_cuda_live();
  CHECK(!device->check(700, "cuAnything").ok());
  uint64_t none = 1;
  CHECK(allocate(*device, 1000, &none).code == Code::kDeviceError && none == 0);
  CHECK(release(*device, address).ok() && fake_cuda_live() == live - 1);
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(manyThreadsOpenOneDevice) {
  Fake fake;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([] {
      for (int k = 0; k < 20; k++) {
        acquireDevices();
        Device* device = nullptr;
        CHECK(Device::open(0, &device).ok());
        {
          const Use use(*device, k % 2 == 0 ? Use::kExclusive : Use::kShared);
          CHECK(use.status().ok());
        }
        releaseDevices();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

}  // namespace
}  // namespace isometry::cuda
