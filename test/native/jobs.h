// Jobs that the tests fill with.
#ifndef ISOMETRY_TEST_NATIVE_JOBS_H_
#define ISOMETRY_TEST_NATIVE_JOBS_H_

#include <limits>

#include "core/job.h"

namespace isometry::test {

// A whole, dense output of `count` elements.
inline Job denseJob(Kind kind, uint64_t count) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Job job{};
  job.kind = kind;
  job.stream = 0x0123456789abcdefull;
  job.params.value = 0.25;
  job.params.low = -1;
  job.params.range = 2;
  job.params.std = 1;
  job.params.base = 1u << 30;
  job.params.count = 1u << 31;
  job.params.min = kind == Kind::kUniform ? -1 : -kInfinity;
  job.params.max =
      kind == Kind::kUniform ? 0.9990234375 : kInfinity;  // a value of all dtypes' but bfloat16's
  job.region.rank = 1;
  job.region.shape[0] = count;
  job.region.sourceStride[0] = job.region.targetStride[0] = 1;
  return job;
}

}  // namespace isometry::test

#endif  // ISOMETRY_TEST_NATIVE_JOBS_H_
