// From jobs to what one launch needs. Host code without a GPU: everything about alignment, windows and
// strides is decided and tested here.
#ifndef ISOMETRY_CUDA_TASKS_H_
#define ISOMETRY_CUDA_TASKS_H_

#include <vector>

#include "core/job.h"
#include "cuda/launch.h"

namespace isometry::cuda {

// Elements [start, end) of one output, to device memory.
struct Part {
  Fill fill;
  uint64_t start, end;
  uint64_t address;  // of element `start`; aligned to the element's size
};

// The tasks of one launch. They are computed in any order, so no two may write the same element.
class TaskList {
 public:
  // The elements of one job that lie in the part's window.
  void add(const Part& part, const Job& job);

  // Numbers the tiles for a launch on a device that runs `residentBlocks` blocks at a time; call after the
  // last add.
  void finish(uint32_t residentBlocks);

  // Of each quantile task its table in host memory, in the order of `tasks`; the caller uploads them (equal
  // addresses once) and calls setTable.
  struct Table {
    size_t task;
    const double* host;
  };
  const std::vector<Table>& tables() const { return tables_; }
  void setTable(size_t task, uint64_t address) { tasks_[task].numbers.f64.table = address; }

  const std::vector<Task>& tasks() const { return tasks_; }
  const std::vector<Axis>& axes() const { return axes_; }
  bool empty() const { return tasks_.empty(); }
  uint64_t tiles() const { return tiles_; }
  uint32_t unitsPerThread() const { return unitsPerThread_; }
  // Which kernel: the law's own when all tasks are dense and of one law, else kMixedKernel.
  const char* kernel() const;

 private:
  void addRun(const Task& task, uint64_t source, uint64_t count);
  void addPackets(Task task, uint64_t block, uint64_t packets, uint64_t lastHalves);
  void addStrided(Task task, uint64_t source, const Axis* axes, size_t axisCount);

  std::vector<Task> tasks_;
  std::vector<Axis> axes_;
  std::vector<Table> tables_;
  uint64_t tiles_ = 0;
  uint32_t unitsPerThread_ = kTurns;
};

// All parts' jobs, as launches to be run one after the other: jobs of one part that may overlap are in
// different ones, the later job in the later launch. Parts must not overlap each other. Empty when there is
// nothing to compute.
std::vector<TaskList> planLaunches(const Part* parts, size_t count);

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_TASKS_H_
