#include "binding/jobs.h"

#include "cpu/pool.h"
#include "cuda/device.h"

namespace isometry::binding {

Environment::Environment(Napi::Env env) : env_(env) {
  napi_value name = Napi::String::New(env, "isometry.fill");
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr,
                                                             nullptr, this, wake, &wake_);
  if (status != napi_ok) refuse(env, "no threadsafe function");
  napi_unref_threadsafe_function(env,
                                 wake_);  // held only while jobs run, so that they alone keep the loop alive
  cpu::acquirePool();
  cuda::acquireDevices();
  // Hooks run in reverse order: this one before the threadsafe function's own, which frees it under our
  // threads.
  napi_add_env_cleanup_hook(env, cleanup, this);
}

double Environment::start(std::unique_ptr<AsyncJob> job, napi_value target, napi_value callback) {
  const Napi::Env env(env_);
  if (stopped_) refuse(env, "the environment is shutting down");
  job->environment_ = this;
  job->id_ = lastId_ + 1;
  if (target != nullptr) job->view_ = viewOf(env, target, "the target must be a typed array");
  if (napi_create_reference(env, callback, 1, &job->callback_) != napi_ok) {
    refuse(env, "no reference to the callback");
  }
  if (target != nullptr && napi_create_reference(env, target, 1, &job->target_) != napi_ok) {
    napi_delete_reference(env, job->callback_);
    refuse(env, "no reference to the target");
  }

  AsyncJob* started = job.get();
  jobs_.emplace(started->id_, std::move(job));
  lastId_ = started->id_;
  if (jobs_.size() == 1) napi_ref_threadsafe_function(env, wake_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    inFlight_++;
  }
  const double id = started->id_;
  started->submit();
  return id;
}

double Environment::start(std::unique_ptr<AsyncJob> job, napi_value target, uint64_t address,
                          napi_value callback) {
  Allocation* const held = allocations_.hold(address);
  job->allocation_ = held;
  try {
    return start(std::move(job), target, callback);
  } catch (...) {
    allocations_.letGo(held);
    throw;
  }
}

void Environment::cancel(double id) {
  const auto found = jobs_.find(id);
  if (found != jobs_.end()) found->second->cancel();
}

void Environment::stop() {
  for (auto& [id, job] : jobs_) job->cancel();
  std::unique_lock<std::mutex> lock(mutex_);
  stopped_ = true;
  drained_.wait(lock, [this] { return inFlight_ == 0; });
}

void AsyncJob::finish() { environment_->finished(this); }

// On any thread. Once the mutex is free again the environment may be gone.
void Environment::finished(AsyncJob* job) {
  std::lock_guard<std::mutex> lock(mutex_);
  job->next_ = done_;
  done_ = job;
  inFlight_--;
  if (!stopped_) napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking);
  drained_.notify_all();
}

void Environment::wake(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;  // the environment is being torn down
  static_cast<Environment*>(context)->settle(Napi::Env(env));
}

void Environment::settle(Napi::Env env) {
  AsyncJob* done = nullptr;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::swap(done, done_);
  }
  while (done != nullptr) {
    AsyncJob* next = done->next_;
    settleOne(env, *done);
    jobs_.erase(done->id_);
    if (jobs_.empty()) napi_unref_threadsafe_function(env, wake_);
    done = next;
  }
}

void Environment::settleOne(Napi::Env env, AsyncJob& job) {
  Napi::HandleScope scope(env);
  allocations_.letGo(job.allocation_);
  napi_value target = nullptr, callback = nullptr, undefined = nullptr;
  bool detached = false;
  if (job.target_ != nullptr) {
    napi_get_reference_value(env, job.target_, &target);
    napi_delete_reference(env, job.target_);
    size_t length = 0;
    void* data = nullptr;
    napi_get_typedarray_info(env, target, nullptr, &length, &data, nullptr, nullptr);
    detached = length != job.view_.length || (length > 0 && data != job.view_.data);
  }
  napi_get_reference_value(env, job.callback_, &callback);
  napi_delete_reference(env, job.callback_);
  const Outcome outcome = job.outcome();
  const char* text = detached                              ? "detached"
                     : outcome.kind == Outcome::kFailed    ? "failed"
                     : outcome.kind == Outcome::kCancelled ? "cancelled"
                                                           : "done";
  napi_value arguments[2] = {};
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &arguments[0]);
  napi_get_undefined(env, &undefined);
  arguments[1] = undefined;
  if (outcome.kind == Outcome::kFailed) {
    napi_value code = nullptr, message = nullptr;
    napi_create_object(env, &arguments[1]);
    napi_create_string_utf8(env, outcome.code, NAPI_AUTO_LENGTH, &code);
    napi_create_string_utf8(env, outcome.message.data(), outcome.message.size(), &message);
    napi_set_named_property(env, arguments[1], "code", code);
    napi_set_named_property(env, arguments[1], "message", message);
  }
  // It only settles a promise. Should the call fail, the environment is being terminated.
  if (napi_call_function(env, undefined, callback, 2, arguments, nullptr) == napi_pending_exception) {
    napi_value ignored;
    napi_get_and_clear_last_exception(env, &ignored);
  }
}

void Environment::cleanup(void* context) {
  auto* self = static_cast<Environment*>(context);
  self->stop();
  self->allocations_.freeAll();
  cuda::releaseDevices();
  cpu::releasePool();
}

}  // namespace isometry::binding
