// Asynchronous work of one JavaScript environment (the main thread, or one worker): started on its thread,
// done by others, settled on its thread again.
#ifndef ISOMETRY_BINDING_JOBS_H_
#define ISOMETRY_BINDING_JOBS_H_

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "binding/allocations.h"
#include "binding/arguments.h"

namespace isometry::binding {

class Environment;

// How a job ended. Only a failure has a code, one of the library's, and a message.
struct Outcome {
  enum Kind { kDone, kCancelled, kFailed } kind = kDone;
  const char* code = nullptr;
  std::string message;
};

// One piece of asynchronous work. What knows who does it is derived: fill_job.h, device_job.h.
class AsyncJob {
 public:
  virtual ~AsyncJob() = default;
  AsyncJob(const AsyncJob&) = delete;
  AsyncJob& operator=(const AsyncJob&) = delete;

 protected:
  AsyncJob() = default;

  // Hands the work to other threads, or does it: finish() must follow exactly once, on any thread.
  virtual void submit() = 0;
  // Leaves out what has not been done yet. On the environment's thread, between submit and the end of finish.
  virtual void cancel() = 0;
  // After finish(), on the environment's thread.
  virtual Outcome outcome() const = 0;

  // The last that the job's own thread does: the job may be gone when it returns.
  void finish();

 private:
  friend class Environment;
  Environment* environment_ = nullptr;
  double id_ = 0;
  napi_ref callback_ = nullptr;
  // The array that is written to, if any. Its memory cannot be freed while this is held, unless someone
  // detaches its buffer: so the buffer must be one that no other code can reach (see src/fill.ts).
  napi_ref target_ = nullptr;
  View view_;
  // The device memory that is used, if it is of this environment: it is not freed before the job has settled.
  Allocation* allocation_ = nullptr;
  AsyncJob* next_ = nullptr;
};

// Held by the environment as its instance data; there is no other state.
class Environment {
 public:
  explicit Environment(Napi::Env env);

  // Starts a job; `callback(outcome, error?)` is called once, later, with "done", "cancelled", "detached" or
  // "failed". `target` is null for work that writes to no array. Returns an id.
  double start(std::unique_ptr<AsyncJob> job, napi_value target, napi_value callback);

  // The same for work on device memory at `address`.
  double start(std::unique_ptr<AsyncJob> job, napi_value target, uint64_t address, napi_value callback);

  // Leaves out what has not been computed yet. An id that has settled is no error.
  void cancel(double id);

  // Cancels every job, waits until no thread works for this environment (about a chunk's time), and refuses
  // new ones. Nothing settles afterwards.
  void stop();

  // Device memory of this environment.
  Allocations& allocations() { return allocations_; }

 private:
  friend class AsyncJob;
  static void wake(napi_env env, napi_value, void* context, void*);
  static void cleanup(void* context);
  void finished(AsyncJob* job);
  void settle(Napi::Env env);
  void settleOne(Napi::Env env, AsyncJob& job);

  napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::unordered_map<double, std::unique_ptr<AsyncJob>> jobs_;  // on the environment's own thread only
  double lastId_ = 0;
  Allocations allocations_;  // the same

  std::mutex mutex_;
  std::condition_variable drained_;
  size_t inFlight_ = 0;
  AsyncJob* done_ = nullptr;
  bool stopped_ = false;
};

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_JOBS_H_
