// Asynchronous fills of one JavaScript environment (the main thread, or one worker): started on its thread,
// computed by the process's pool, settled on its thread again.
#ifndef ISOMETRY_BINDING_JOBS_H_
#define ISOMETRY_BINDING_JOBS_H_

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "binding/arguments.h"
#include "binding/request.h"
#include "cpu/pool.h"

namespace isometry::binding {

// Held by the environment as its instance data; there is no other state.
class Environment {
 public:
  explicit Environment(Napi::Env env);

  // Starts a fill; `callback(outcome)` is called once, later, with "done", "cancelled" or "detached". Returns
  // an id.
  double start(const FillArguments& arguments, napi_value target, napi_value callback);

  // Leaves out what has not been computed yet. An id that has settled is no error.
  void cancel(double id);

  // Cancels every job, waits until no thread works for this environment (about a chunk's time), and refuses
  // new ones. Nothing settles afterwards.
  void stop();

 private:
  struct Job {
    Environment* environment = nullptr;
    double id = 0;
    std::vector<double> words;
    Request request;
    cpu::Work work;
    // The target's memory cannot be freed while this is held, unless someone detaches its buffer: so the
    // buffer must be one that no other code can reach (see src/fill.ts).
    napi_ref target = nullptr;
    napi_ref callback = nullptr;
    size_t length = 0;
    Job* next = nullptr;
  };

  static void finished(cpu::Work* work);
  static void wake(napi_env env, napi_value, void* context, void*);
  static void cleanup(void* context);
  void settle(Napi::Env env);
  void settleOne(Napi::Env env, const Job& job);

  napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::unordered_map<double, std::unique_ptr<Job>> jobs_;  // on the environment's own thread only
  double lastId_ = 0;

  std::mutex mutex_;
  std::condition_variable drained_;
  size_t inFlight_ = 0;
  Job* done_ = nullptr;
  bool stopped_ = false;
};

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_JOBS_H_
