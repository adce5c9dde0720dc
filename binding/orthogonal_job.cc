#include "binding/orthogonal_job.h"

#include <memory>
#include <new>
#include <string>

namespace isometry::binding {
namespace {

[[noreturn]] void outOfMemory(Napi::Env env, uint64_t bytes) {
  const std::string amount = bytes == 0 ? "" : " of " + std::to_string(bytes) + " bytes";
  Napi::Error error =
      Napi::Error::New(env, "the system refused work memory" + amount + " for an orthogonal matrix");
  error.Set("code", Napi::String::New(env, "OUT_OF_MEMORY"));
  throw error;
}

// The work that the arguments ask for, with its memory.
void describe(Napi::Env env, const FillArguments& arguments, const Orthogonal& orthogonal,
              std::optional<cpu::OrthogonalWork>& work) {
  checkTarget(env, arguments, orthogonal.dtype);
  try {
    work.emplace(orthogonal, *arguments.simd, arguments.target.data, arguments.start,
                 arguments.start + arguments.target.length, arguments.threads);
  } catch (const std::bad_alloc&) {
    outOfMemory(env, 0);
  }
  if (!work->allocate()) outOfMemory(env, work->bytes());
}

void decode(Napi::Env env, const double* words, size_t count, OrthogonalRequest& request) {
  const char* problem = decodeOrthogonal(words, count, request);
  if (problem != nullptr) refuse(env, problem);
}

// orthogonalSync(words, target, start, simd?, threads?)
void OrthogonalSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FillArguments arguments = readFillArguments(info);
  OrthogonalRequest request;
  decode(env, static_cast<const double*>(arguments.words.data), arguments.words.length, request);
  const Orthogonal orthogonal = request.orthogonal();
  std::optional<cpu::OrthogonalWork> work;
  describe(env, arguments, orthogonal, work);
  cpu::runParallel(*work);
}

// orthogonalAsync(words, target, start, simd, threads, callback): id
Napi::Value OrthogonalAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FillArguments arguments = readFillArguments(info);
  if (!info[5].IsFunction()) refuse(env, "the callback must be a function");
  auto job = std::make_unique<OrthogonalJob>(env, arguments);
  return Napi::Number::New(env, env.GetInstanceData<Environment>()->start(std::move(job), info[1], info[5]));
}

// orthogonalBytes(words, target, start, simd?, threads?): the work memory of that call
Napi::Value OrthogonalBytes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FillArguments arguments = readFillArguments(info);
  OrthogonalRequest request;
  decode(env, static_cast<const double*>(arguments.words.data), arguments.words.length, request);
  const Orthogonal orthogonal = request.orthogonal();
  try {
    const cpu::OrthogonalWork work(orthogonal, *arguments.simd, arguments.target.data, arguments.start,
                                   arguments.start + arguments.target.length, arguments.threads);
    return Napi::Number::New(env, static_cast<double>(work.bytes()));
  } catch (const std::bad_alloc&) {
    outOfMemory(env, 0);
  }
}

}  // namespace

OrthogonalJob::OrthogonalJob(Napi::Env env, const FillArguments& arguments) {
  const double* words = static_cast<const double*>(arguments.words.data);
  words_.assign(words, words + arguments.words.length);
  decode(env, words_.data(), words_.size(), request_);
  orthogonal_ = request_.orthogonal();
  describe(env, arguments, orthogonal_, work_);
  work_->context = this;
  work_->finished = [](cpu::Work* work) { static_cast<OrthogonalJob*>(work->context)->finish(); };
}

void OrthogonalJob::submit() {
  if (cpu::submit(&*work_)) return;
  work_->threads = 1;  // not one thread to be had: compute here, settle as usual
  cpu::runParallel(*work_);
  finish();
}

Outcome OrthogonalJob::outcome() const {
  return {work_->cancelled ? Outcome::kCancelled : Outcome::kDone, nullptr, {}};
}

void exportOrthogonal(Napi::Env env, Napi::Object exports) {
  exports.Set("orthogonalSync", Napi::Function::New<OrthogonalSync>(env, "orthogonalSync"));
  exports.Set("orthogonalAsync", Napi::Function::New<OrthogonalAsync>(env, "orthogonalAsync"));
  exports.Set("orthogonalBytes", Napi::Function::New<OrthogonalBytes>(env, "orthogonalBytes"));
}

}  // namespace isometry::binding
