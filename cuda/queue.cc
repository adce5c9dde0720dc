#include "cuda/queue.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "cuda/device.h"

namespace isometry::cuda {
namespace {

struct Queue {
  std::mutex mutex;
  std::condition_variable wake;  // work was listed, or the queue stops
  Work* first = nullptr;
  Work* last = nullptr;
  bool stopping = false;
  std::thread thread;
};

// As in device.cc: nothing with a destructor.
std::mutex queuesMutex;
Queue* queues[kMaxDevices] = {};

Status runOne(int ordinal, Work* work) {
  return guarded([&]() -> Status {
    if (work->cancelled.load(std::memory_order_relaxed)) return {Code::kCancelled, "cancelled"};
    Device* device = nullptr;
    Status status = Device::open(ordinal, &device);
    if (!status.ok()) return status;
    return work->run(*device, work);
  });
}

void runThread(Queue& queue, int ordinal) {
  std::unique_lock<std::mutex> lock(queue.mutex);
  for (;;) {
    Work* work = queue.first;
    if (work == nullptr) {
      if (queue.stopping) return;
      queue.wake.wait(lock);
      continue;
    }
    queue.first = work->next;
    if (queue.first == nullptr) queue.last = nullptr;
    lock.unlock();
    work->status = runOne(ordinal, work);
    work->finished(work);
    lock.lock();
  }
}

}  // namespace

bool submit(int ordinal, Work* work) {
  if (ordinal < 0 || ordinal >= kMaxDevices) return false;
  std::lock_guard<std::mutex> lock(queuesMutex);
  Queue*& queue = queues[ordinal];
  if (queue == nullptr) {
    try {
      auto fresh = std::make_unique<Queue>();
      Queue& made = *fresh;
      made.thread = std::thread([&made, ordinal] { runThread(made, ordinal); });
      queue = fresh.release();
    } catch (const std::system_error&) {
      return false;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }
  {
    std::lock_guard<std::mutex> inside(queue->mutex);
    work->next = nullptr;
    (queue->last == nullptr ? queue->first : queue->last->next) = work;
    queue->last = work;
  }
  queue->wake.notify_one();
  return true;
}

void stopQueues() {
  Queue* ending[kMaxDevices];
  {
    std::lock_guard<std::mutex> lock(queuesMutex);
    for (int i = 0; i < kMaxDevices; ++i) ending[i] = std::exchange(queues[i], nullptr);
  }
  for (Queue* queue : ending) {
    if (queue == nullptr) continue;
    {
      std::lock_guard<std::mutex> lock(queue->mutex);
      queue->stopping = true;
    }
    queue->wake.notify_one();
    queue->thread.join();
    delete queue;
  }
}

}  // namespace isometry::cuda
