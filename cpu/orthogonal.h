// Orthogonal matrices on the native backend: who computes which columns when. The mathematics is in
// docs/adr/0008-orthogonal.md, its loops in orthogonal-inl.h.
#ifndef ISOMETRY_CPU_ORTHOGONAL_H_
#define ISOMETRY_CPU_ORTHOGONAL_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/columns.h"
#include "core/job.h"
#include "cpu/factor.h"
#include "cpu/fill.h"
#include "cpu/pool.h"

namespace isometry::cpu {

// Computes those elements of a window that belong to a part, and no others. The pool runs it as any work:
// runParallel or submit. Everything it is given must stay alive until it has finished.
class OrthogonalWork : public Work {
 public:
  OrthogonalWork(const Orthogonal& orthogonal, const Target& target, void* out, uint64_t start, uint64_t end,
                 unsigned threads);

  // The memory it works in, beside the output.
  uint64_t bytes() const { return bytes_; }

  // Allocates that memory. False, and the work must not be run, when there is not so much.
  bool allocate();

 private:
  struct One {
    uint64_t matrix, first, last;  // columns
  };
  One needed(uint64_t index) const;
  uint64_t matrices() const { return firstIndex_.back(); }
  void planTasks();
  void computeTask(uint64_t task);
  void makeBlock(uint64_t index, uint64_t block, const Scratch& scratch);
  void makePanel(uint64_t index, uint64_t panel, const Scratch& scratch);
  void makeWhole(uint64_t index, size_t slot, const Scratch& scratch);
  void storeColumns(const Factor& factor, uint64_t first, uint64_t last, const Scratch& scratch);
  Factor factorOf(uint64_t index, size_t buffer) const;
  Scratch scratchOf(size_t slot) const;
  uint64_t panelsOf(uint64_t index) const;
  bool waitFor(const std::atomic<uint64_t>& done, uint64_t count) const;
  size_t takeSlot();
  void returnSlot(size_t slot);

  const Orthogonal& orthogonal_;
  const Target& target_;
  const Reflections& loops_;
  void* out_;
  uint64_t start_, end_;
  size_t elementBytes_;  // of the working precision
  std::vector<Columns> needed_;
  std::vector<uint64_t> firstIndex_;  // how many matrices come before each entry; and all of them

  bool small_ = false;  // a task is `batch_` whole matrices; else a block or a panel of one
  uint64_t batch_ = 1;
  uint64_t panelColumns_ = 0;
  std::vector<uint64_t> firstTask_;  // of each matrix; one more at the end

  // Pieces of memory_, in bytes.
  size_t factors_ = 1, slots_ = 1;
  uint64_t vBytes_ = 0, uBytes_ = 0, rhoBytes_ = 0, factorBytes_ = 0;
  uint64_t columnsBytes_ = 0, stripBytes_ = 0, sumsBytes_ = 0, panelBytes_ = 0, storedBytes_ = 0,
           slotBytes_ = 0, bytes_ = 0;
  struct Free {
    void operator()(void* memory) const;
  };
  std::unique_ptr<char, Free> memory_;

  // Of each matrix, when tasks are parts of one.
  std::unique_ptr<std::atomic<uint64_t>[]> blocksDone_, panelsDone_;
  std::mutex mutex_;
  std::vector<size_t> freeSlots_;
};

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_ORTHOGONAL_H_
