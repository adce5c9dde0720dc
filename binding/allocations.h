// The device memory of one JavaScript environment: freed when JavaScript says so and no job works on it any
// more, or with the environment. On the environment's own thread only.
#ifndef ISOMETRY_BINDING_ALLOCATIONS_H_
#define ISOMETRY_BINDING_ALLOCATIONS_H_

#include <cstdint>
#include <map>
#include <unordered_map>

#include "cuda/status.h"

namespace isometry::binding {

struct Allocation {
  double id;
  int device;
  uint64_t address, bytes;
  unsigned holders = 0;    // jobs that work on it
  bool abandoned = false;  // to be freed by the last of them
};

class Allocations {
 public:
  // `bytes` > 0.
  cuda::Status allocate(int device, uint64_t bytes, Allocation* out);

  // At once, or after the last job that holds it. An id that was freed before is no error. Nor is one of the
  // driver's: after a fault it frees the memory with the process.
  void free(double id);

  // The allocation that `address` lies in, not to be freed before letGo; null when the memory is not of this
  // environment.
  Allocation* hold(uint64_t address);
  void letGo(Allocation* allocation);

  // All of it. No job may be under way.
  void freeAll();

 private:
  void release(const Allocation& allocation);

  std::map<uint64_t, Allocation> byAddress_;
  std::unordered_map<double, uint64_t> addresses_;  // by id
  double lastId_ = 0;
};

}  // namespace isometry::binding

#endif  // ISOMETRY_BINDING_ALLOCATIONS_H_
