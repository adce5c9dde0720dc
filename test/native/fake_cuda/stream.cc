#include "stream.h"

#include "control.h"

namespace fake_cuda {

constexpr unsigned kDisableTiming = 2;  // CU_EVENT_DISABLE_TIMING

bool Event::timed() const { return (flags_ & kDisableTiming) == 0; }

uint64_t Event::recorded() {
  std::lock_guard<std::mutex> lock(mutex_);
  return recorded_;
}

uint64_t Event::newRecord() {
  std::lock_guard<std::mutex> lock(mutex_);
  return ++recorded_;
}

void Event::complete(uint64_t record) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (record > completed_) completed_ = record;
  at_ = std::chrono::steady_clock::now();
  changed_.notify_all();
}

void Event::wait(uint64_t record) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [&] { return completed_ >= record; });
}

bool Event::time(std::chrono::steady_clock::time_point* out) {
  std::lock_guard<std::mutex> lock(mutex_);
  *out = at_;
  return recorded_ > 0 && completed_ == recorded_;
}

Stream::Stream(Context* context) : context_(context) {
  if (settings().async) thread_ = std::thread([this] { run(); });
}

Stream::~Stream() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Stream::enqueue(std::function<void()> work) {
  if (!thread_.joinable()) return work();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
    queued_++;
  }
  changed_.notify_all();
}

void Stream::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  const uint64_t until = queued_;
  changed_.wait(lock, [&] { return done_ >= until; });
}

void Stream::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (settings().delay > 0) std::this_thread::sleep_for(std::chrono::microseconds(settings().delay));
    work();
    work = nullptr;
    lock.lock();
    done_++;
    changed_.notify_all();
  }
}

}  // namespace fake_cuda
