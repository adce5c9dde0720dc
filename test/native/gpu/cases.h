// The laws that cases.ts wrote down.
#ifndef ISOMETRY_TEST_NATIVE_GPU_CASES_H_
#define ISOMETRY_TEST_NATIVE_GPU_CASES_H_

#include <string>
#include <vector>

#include "core/job.h"

namespace isometry::gpu {

struct Case {
  std::string name;
  DType dtype;
  Kind kind;
  Params params;
};

class Cases {
 public:
  // Reads FOLDER/laws.txt and FOLDER/tables.bin; throws std::runtime_error that says what is wrong.
  explicit Cases(const std::string& folder);
  const std::vector<Case>& all() const { return cases_; }
  // By name, such as "normal(0, 1), float32"; throws when there is none.
  const Case& find(const std::string& name) const;

 private:
  std::vector<double> tables_;
  std::vector<Case> cases_;
};

// A dense output of `length` elements, the stream's elements from `source` on.
Job denseJob(const Case& test, uint64_t length, uint64_t source = 0);

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_CASES_H_
