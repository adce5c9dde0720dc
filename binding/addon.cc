// The addon's functions; src/backends/native.ts has their TypeScript types.
#include <napi.h>

#include <memory>

#include "binding/arguments.h"
#include "binding/cuda.h"
#include "binding/file_fill.h"
#include "binding/file_write.h"
#include "binding/fill_job.h"
#include "binding/jobs.h"
#include "binding/orthogonal_job.h"
#include "binding/request.h"
#include "binding/solver.h"
#include "cpu/fill.h"
#include "cpu/fill_work.h"
#include "cpu/machine.h"
#include "cpu/pool.h"

namespace isometry::binding {
namespace {

// targets(): [{ name, supported }], best first
Napi::Value Targets(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  Napi::Array result = Napi::Array::New(env, static_cast<size_t>(count));
  for (int k = 0; k < count; k++) {
    Napi::Object target = Napi::Object::New(env);
    target.Set("name", Napi::String::New(env, targets[k].name));
    target.Set("supported", Napi::Boolean::New(env, targets[k].supported()));
    result.Set(static_cast<uint32_t>(k), target);
  }
  return result;
}

// cpus(): how many this process may use
Napi::Value Cpus(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), cpu::usableCpus()); }

// fillSync(words, target, start, simd?, threads?)
void FillSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FillArguments arguments = readFillArguments(info);
  Request request;
  const char* problem =
      decodeRequest(static_cast<const double*>(arguments.words.data), arguments.words.length, request);
  if (problem != nullptr) refuse(env, problem);
  cpu::FillWork work;
  describeWork(env, arguments, request, work);
  cpu::fillParallel(work);
}

// fillAsync(words, target, start, simd, threads, callback): id
Napi::Value FillAsync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const FillArguments arguments = readFillArguments(info);
  if (!info[5].IsFunction()) refuse(env, "the callback must be a function");
  auto job = std::make_unique<FillJob>(env, arguments);
  return Napi::Number::New(env, env.GetInstanceData<Environment>()->start(std::move(job), info[1], info[5]));
}

// cancel(id)
void Cancel(const Napi::CallbackInfo& info) {
  if (info[0].IsNumber())
    info.Env().GetInstanceData<Environment>()->cancel(info[0].As<Napi::Number>().DoubleValue());
}

// stop()
void Stop(const Napi::CallbackInfo& info) { info.Env().GetInstanceData<Environment>()->stop(); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("targets", Napi::Function::New(env, Targets, "targets"));
  exports.Set("cpus", Napi::Function::New(env, Cpus, "cpus"));
  exports.Set("fillSync", Napi::Function::New<FillSync>(env, "fillSync"));
  exports.Set("fillAsync", Napi::Function::New<FillAsync>(env, "fillAsync"));
  exports.Set("cancel", Napi::Function::New<Cancel>(env, "cancel"));
  exports.Set("stop", Napi::Function::New<Stop>(env, "stop"));
  exportOrthogonal(env, exports);
  exportCuda(env, exports);
  exportSolver(env, exports);
  exportFileWrite(env, exports);
  exportFileFill(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(isometry, Init)

}  // namespace isometry::binding
