// Orthogonal matrices by the CPU's pool.
#ifndef ISOMETRY_BINDING_ORTHOGONAL_JOB_H_
#define ISOMETRY_BINDING_ORTHOGONAL_JOB_H_

#include <optional>
#include <vector>

#include "binding/arguments.h"
#include "binding/jobs.h"
#include "binding/request.h"
#include "cpu/orthogonal.h"

namespace isometry::binding {

class OrthogonalJob : public AsyncJob {
 public:
  // Copies and checks the request; throws as refuse(). Throws Napi::Error OUT_OF_MEMORY.
  OrthogonalJob(Napi::Env env, const FillArguments& arguments);

 protected:
  void submit() override;
  void cancel() override { work_->cancelled = true; }
  Outcome outcome() const override;

 private:
  std::vector<double> words_;
  OrthogonalRequest request_;
  Orthogonal orthogonal_{};
  std::optional<cpu::OrthogonalWork> work_;
};

// Adds orthogonalSync, orthogonalAsync and orthogonalBytes.
void exportOrthogonal(Napi::Env env, Napi::Object exports);

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_ORTHOGONAL_JOB_H_
