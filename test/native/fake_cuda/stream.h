// Streams and events of the fake. Every stream has a thread that does its work in order; so what our code
// does not wait for really happens later, and on another thread. The null stream is one more stream: it waits
// for no other, which is less than the real one promises.
#ifndef ISOMETRY_TEST_FAKE_CUDA_STREAM_H_
#define ISOMETRY_TEST_FAKE_CUDA_STREAM_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace fake_cuda {

struct Context;

class Event {
 public:
  Event(Context* context, unsigned flags) : context_(context), flags_(flags) {}
  Context* context() const { return context_; }
  bool timed() const;

  // What a record returns, and a wait takes: which record is meant.
  uint64_t recorded();
  uint64_t newRecord();
  void complete(uint64_t record);
  void wait(uint64_t record);
  // False when it was never recorded or is not complete.
  bool time(std::chrono::steady_clock::time_point* out);

 private:
  Context* context_;
  unsigned flags_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t recorded_ = 0, completed_ = 0;
  std::chrono::steady_clock::time_point at_{};
};

class Stream {
 public:
  explicit Stream(Context* context);
  ~Stream();  // does what is queued first
  Context* context() const { return context_; }

  void enqueue(std::function<void()> work);
  void drain();  // waits until all that was queued before is done

 private:
  void run();

  Context* context_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  uint64_t queued_ = 0, done_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace fake_cuda

#endif  // ISOMETRY_TEST_FAKE_CUDA_STREAM_H_
