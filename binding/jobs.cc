#include "binding/jobs.h"

namespace isometry::binding {

Environment::Environment(Napi::Env env) : env_(env) {
  napi_value name = Napi::String::New(env, "isometry.fill");
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr,
                                                             nullptr, this, wake, &wake_);
  if (status != napi_ok) refuse(env, "no threadsafe function");
  napi_unref_threadsafe_function(env,
                                 wake_);  // held only while jobs run, so that they alone keep the loop alive
  cpu::acquirePool();
  // Hooks run in reverse order: this one before the threadsafe function's own, which frees it under our
  // threads.
  napi_add_env_cleanup_hook(env, cleanup, this);
}

double Environment::start(const FillArguments& arguments, napi_value target, napi_value callback) {
  const Napi::Env env(env_);
  if (stopped_) refuse(env, "the environment is shutting down");
  auto job = std::make_unique<Job>();
  const double* words = static_cast<const double*>(arguments.words.data);
  job->words.assign(words, words + arguments.words.length);
  const char* problem = decodeRequest(job->words.data(), job->words.size(), job->request);
  if (problem != nullptr) refuse(env, problem);
  checkTarget(env, arguments, job->request.dtype);

  job->environment = this;
  job->id = ++lastId_;
  job->length = arguments.target.length;
  job->work.target = arguments.simd;
  job->work.fill = job->request.fill();
  job->work.out = arguments.target.data;
  job->work.start = arguments.start;
  job->work.end = arguments.start + arguments.target.length;
  job->work.threads = arguments.threads;
  job->work.finished = finished;
  job->work.context = job.get();
  if (napi_create_reference(env, target, 1, &job->target) != napi_ok ||
      napi_create_reference(env, callback, 1, &job->callback) != napi_ok) {
    refuse(env, "no reference to the target");
  }

  if (jobs_.empty()) napi_ref_threadsafe_function(env, wake_);
  Job* started = job.get();
  jobs_.emplace(started->id, std::move(job));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    inFlight_++;
  }
  if (!cpu::submit(&started->work)) {  // not one thread to be had: compute here, settle as usual
    started->work.threads = 1;
    cpu::fillParallel(started->work);
    finished(&started->work);
  }
  return started->id;
}

void Environment::cancel(double id) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end()) found->second->work.cancelled = true;
}

void Environment::stop() {
  for (auto& [id, job] : jobs_) job->work.cancelled = true;
  std::unique_lock<std::mutex> lock(mutex_);
  stopped_ = true;
  drained_.wait(lock, [this] { return inFlight_ == 0; });
}

// On one of the pool's threads. Once the mutex is free again the environment may be gone.
void Environment::finished(cpu::Work* work) {
  Job* job = static_cast<Job*>(work->context);
  Environment& self = *job->environment;
  std::lock_guard<std::mutex> lock(self.mutex_);
  job->next = self.done_;
  self.done_ = job;
  self.inFlight_--;
  if (!self.stopped_) napi_call_threadsafe_function(self.wake_, nullptr, napi_tsfn_nonblocking);
  self.drained_.notify_all();
}

void Environment::wake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is being torn down
  static_cast<Environment*>(context)->settle(Napi::Env(env));
}

void Environment::settle(Napi::Env env) {
  Job* done = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::swap(done, done_);
  }
  while (done != nullptr) {
    Job* next = done->next;
    settleOne(env, *done);
    jobs_.erase(done->id);
    if (jobs_.empty()) napi_unref_threadsafe_function(env, wake_);
    done = next;
  }
}

void Environment::settleOne(Napi::Env env, const Job& job) {
  Napi::HandleScope scope(env);
  napi_value target = nullptr, callback = nullptr, undefined = nullptr, outcome = nullptr;
  napi_get_reference_value(env, job.target, &target);
  napi_get_reference_value(env, job.callback, &callback);
  napi_delete_reference(env, job.target);
  napi_delete_reference(env, job.callback);
  size_t length = 0;
  void* data = nullptr;
  napi_get_typedarray_info(env, target, nullptr, &length, &data, nullptr, nullptr);
  const bool detached = length != job.length || (length > 0 && data != job.work.out);
  const char* text = detached ? "detached" : job.work.cancelled ? "cancelled" : "done";
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &outcome);
  napi_get_undefined(env, &undefined);
  // It only settles a promise. Should the call fail, the environment is being terminated.
  if (napi_call_function(env, undefined, callback, 1, &outcome, nullptr) == napi_pending_exception) {
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
  }
}

void Environment::cleanup(void* context) {
  static_cast<Environment*>(context)->stop();
  cpu::releasePool();
}

}  // namespace isometry::binding
