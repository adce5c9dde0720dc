#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "check.h"
#include "cuda/device.h"
#include "cuda/queue.h"
#include "cuda_fake.h"

namespace isometry::cuda {
namespace {

using test::Fake;

// Work that calls a function, and what became of it.
struct Job {
  Work work;
  std::function<Status(Device&)> body;
  std::mutex mutex;
  std::condition_variable changed;
  int finished = 0;

  explicit Job(std::function<Status(Device&)> body_) : body(std::move(body_)) {
    work.context = this;
    work.run = [](Device& device, Work* own) { return static_cast<Job*>(own->context)->body(device); };
    work.finished = [](Work* own) {
      Job* job = static_cast<Job*>(own->context);
      std::lock_guard<std::mutex> lock(job->mutex);
      job->finished++;
      job->changed.notify_all();
    };
  }
  const Status& wait() {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [this] { return finished > 0; });
    return work.status;
  }
};

TEST(workIsDoneInOrderOnOneThread) {
  Fake fake;
  acquireDevices();
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  std::vector<std::unique_ptr<Job>> jobs;
  for (int k = 0; k < 20; k++) {
    jobs.push_back(std::make_unique<Job>([&, k](Device& device) -> Status {
      order.push_back(k);
      threads.push_back(std::this_thread::get_id());
      return device.ordinal() == 0 ? Status{} : Status{Code::kDeviceError, "another device"};
    }));
  }
  for (auto& job : jobs) CHECK(submit(0, &job->work));
  for (auto& job : jobs) CHECK(job->wait().ok());
  for (int k = 0; k < 20; k++)
    CHECK(order[static_cast<size_t>(k)] == k && threads[static_cast<size_t>(k)] == threads[0]);
  CHECK(threads[0] != std::this_thread::get_id());
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(whatFailsOrThrowsIsAStatus) {
  Fake fake;
  acquireDevices();
  Job failing([](Device&) -> Status { return {Code::kTooLarge, "too large"}; });
  Job throwing([](Device&) -> Status { throw std::bad_alloc(); });
  Job never([](Device&) -> Status { return {}; });
  Job after([](Device&) -> Status { return {}; });
  CHECK(submit(0, &failing.work) && submit(0, &throwing.work) && submit(5, &never.work) &&
        submit(0, &after.work));
  CHECK(failing.wait().code == Code::kTooLarge && failing.wait().message == "too large");
  CHECK(throwing.wait().code == Code::kOutOfMemory);
  CHECK(never.wait().code == Code::kUnavailable);  // no such device
  CHECK(after.wait().ok());
  Work refused;
  CHECK(!submit(-1, &refused) && !submit(kMaxDevices, &refused));
  releaseDevices();
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

TEST(workCancelledBeforeItsTurnIsNotRun) {
  Fake fake;
  acquireDevices();
  std::mutex gate;
  gate.lock();
  bool ran = false;
  Job first([&](Device&) -> Status {
    std::lock_guard<std::mutex> wait(gate);
    return {};
  });
  Job second([&](Device&) -> Status {
    ran = true;
    return {};
  });
  CHECK(submit(0, &first.work) && submit(0, &second.work));
  second.work.cancelled = true;
  gate.unlock();
  CHECK(second.wait().code == Code::kCancelled && !ran);
  releaseDevices();
  CHECK(first.finished == 1 && second.finished == 1);
  CHECK(fake.leaked() == 0);
}

TEST(theLastReleaseDoesWhatIsListed) {
  Fake fake;
  acquireDevices();
  int ran = 0;
  std::vector<std::unique_ptr<Job>> jobs;
  for (int k = 0; k < 10; k++) {
    jobs.push_back(std::make_unique<Job>([&](Device&) -> Status {
      ran++;
      return {};
    }));
    CHECK(submit(0, &jobs.back()->work));
  }
  releaseDevices();
  CHECK(ran == 10);
  CHECK(fake.leaked() == 0 && fake.damage() == 0);
}

}  // namespace
}  // namespace isometry::cuda
