#include "binding/fill_job.h"

namespace isometry::binding {

void describeWork(Napi::Env env, const FillArguments& arguments, const Request& request,
                  cpu::FillWork& work) {
  checkTarget(env, arguments, request.dtype);
  work.target = arguments.simd;
  work.fill = request.fill();
  work.out = arguments.target.data;
  work.start = arguments.start;
  work.end = arguments.start + arguments.target.length;
  work.threads = arguments.threads;
}

FillJob::FillJob(Napi::Env env, const FillArguments& arguments) {
  const double* words = static_cast<const double*>(arguments.words.data);
  words_.assign(words, words + arguments.words.length);
  const char* problem = decodeRequest(words_.data(), words_.size(), request_);
  if (problem != nullptr) refuse(env, problem);
  describeWork(env, arguments, request_, work_);
  work_.context = this;
  work_.finished = [](cpu::Work* work) { static_cast<FillJob*>(work->context)->finish(); };
}

void FillJob::submit() {
  if (cpu::submit(&work_)) return;
  work_.threads = 1;  // not one thread to be had: compute here, settle as usual
  cpu::fillParallel(work_);
  finish();
}

Outcome FillJob::outcome() const {
  return {work_.cancelled ? Outcome::kCancelled : Outcome::kDone, nullptr, {}};
}

}  // namespace isometry::binding
