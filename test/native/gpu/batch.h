// Many fills in one call, each in a place of its own between guards, compared byte for byte with the CPU's.
#ifndef ISOMETRY_TEST_NATIVE_GPU_BATCH_H_
#define ISOMETRY_TEST_NATIVE_GPU_BATCH_H_

#include <deque>
#include <string>
#include <vector>

#include "test/native/gpu/stages.h"

namespace isometry::gpu {

inline constexpr uint64_t kSeed = 0x9e3779b97f4a7c15ull;  // as test/parity/cpu-js.test.ts

class Batch {
 public:
  explicit Batch(Suite& suite, uint64_t seed = kSeed) : suite_(suite), seed_(seed) {}

  // Elements [start, end) of an output made by `jobs`, `misaligned` elements after a 256-byte boundary of
  // memory.
  void add(std::string what, DType dtype, std::vector<Job> jobs, uint64_t start, uint64_t end,
           uint64_t misaligned = 0);
  // Fills all of them by cuda::fillDevice, and, into host memory, by cuda::fillHost.
  void onDevice();
  void onHost();
  size_t size() const { return items_.size(); }

 private:
  struct Item {
    std::string what;
    DType dtype;
    std::vector<Job> jobs;
    uint64_t start, end;
    uint64_t offset, bytes;  // in the image
  };
  Fill fillOf(const Item& item) const { return {seed_, item.dtype, item.jobs.data(), item.jobs.size()}; }
  // What memory must look like afterwards: the CPU's elements, and the guard byte everywhere else.
  std::vector<unsigned char> expected() const;
  void compare(const std::vector<unsigned char>& image, const char* path);

  Suite& suite_;
  uint64_t seed_;
  std::deque<Item> items_;
  uint64_t bytes_ = 0;
};

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_BATCH_H_
