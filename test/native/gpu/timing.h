// Fills prepared once and launched many times, and comparisons of times taken in turns.
#ifndef ISOMETRY_TEST_NATIVE_GPU_TIMING_H_
#define ISOMETRY_TEST_NATIVE_GPU_TIMING_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/tasks.h"
#include "test/native/gpu/stages.h"

namespace isometry::gpu {

// The launches that cuda::fillDevice would make for these parts, with everything uploaded: what is timed is
// kernels.
class Prepared {
 public:
  Prepared(Suite& suite, const std::vector<cuda::Part>& parts);
  void launch();
  uint64_t launches() const { return launches_.size(); }
  const std::string& kernelName() const { return launches_.front().name; }

 private:
  struct One {
    std::string name;
    Kernel kernel;
    cuda::Launch parameter;
    uint32_t blocks;
    std::vector<std::unique_ptr<Buffer>> uploads;
  };
  Suite& suite_;
  std::vector<One> launches_;
};

// Two pieces of work in turns: what disturbs one disturbs the other. `times` is how often a turn repeats its
// work between two events, so that a turn is long beside the events' half a microsecond.
struct Compared {
  double milliseconds = 0;           // median over the turns, of one repetition of `work`
  double referenceMilliseconds = 0;  // of `reference`
  double ratio = 0;                  // median of the turns' own reference ÷ work: the share of its speed
};
Compared compare(Gpu& gpu, int turns, int times, const std::function<void(int)>& work,
                 const std::function<void(int)>& reference);

// Keeps the device busy until its clocks have risen.
void warmUp(Suite& suite, double milliseconds);

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_TIMING_H_
