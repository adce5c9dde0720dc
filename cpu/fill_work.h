// A fill as work of the pool.
#ifndef ISOMETRY_CPU_FILL_WORK_H_
#define ISOMETRY_CPU_FILL_WORK_H_

#include "core/job.h"
#include "cpu/fill.h"
#include "cpu/pool.h"

namespace isometry::cpu {

// One window [start, end) of one fill, cut into chunks.
struct FillWork : Work {
  const Target* target = nullptr;
  Fill fill{};
  void* out = nullptr;  // holds element `start`
  uint64_t start = 0, end = 0;

  // Set when it is run.
  uint64_t firstCut = 0, chunkElements = 0;
};

// As runParallel and submit.
void fillParallel(FillWork& work);
bool submit(FillWork* work);

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FILL_WORK_H_
