// A fill by the CPU's pool.
#ifndef ISOMETRY_BINDING_FILL_JOB_H_
#define ISOMETRY_BINDING_FILL_JOB_H_

#include <vector>

#include "binding/arguments.h"
#include "binding/jobs.h"
#include "binding/request.h"
#include "cpu/fill_work.h"

namespace isometry::binding {

// Makes `work` what the arguments and their request ask for; throws as refuse() for a target that is not of
// the dtype's element type.
void describeWork(Napi::Env env, const FillArguments& arguments, const Request& request, cpu::FillWork& work);

class FillJob : public AsyncJob {
 public:
  // Copies and checks the request; throws as refuse().
  FillJob(Napi::Env env, const FillArguments& arguments);

 protected:
  void submit() override;
  void cancel() override { work_.cancelled = true; }
  Outcome outcome() const override;

 private:
  std::vector<double> words_;
  Request request_;
  cpu::FillWork work_;
};

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_FILL_JOB_H_
