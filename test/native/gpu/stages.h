// The stages of the suite, one per file.
#ifndef ISOMETRY_TEST_NATIVE_GPU_STAGES_H_
#define ISOMETRY_TEST_NATIVE_GPU_STAGES_H_

#include <string>

#include "cuda/device.h"
#include "test/native/gpu/cases.h"
#include "test/native/gpu/gpu.h"
#include "test/native/gpu/report.h"

namespace isometry::gpu {

struct Options {
  bool quick = false;      // small sizes: for sanitizers, and to see that everything works
  int device = 0;          // ordinal
  std::string hashes;      // test/golden/normal-f32.hashes
  std::string curand;      // libcurand.so.10, or empty: looked for by its plain name
  std::string program;     // this program, for stages that need a second process
  double secondsLeft = 0;  // for the bench, which drops the least important when there is no time
};

struct Suite {
  Options options;
  Report& report;
  Gpu& gpu;
  cuda::Device& device;  // the library's
  const Cases& cases;
  cuda::Module library;    // cuda/fill.cu, loaded once more for the suite's own launches
  cuda::Module own;        // kernels.cu; null when it does not run here
  std::string ownMissing;  // why it is null
};

void exhaustive(Suite& suite);
void parity(Suite& suite);
void curand(Suite& suite);
void faults(Suite& suite);
void orthogonal(Suite& suite);
void bench(Suite& suite);
void orthogonalBench(Suite& suite);
void micro(Suite& suite);
void sweep(Suite& suite);

// What a second process does for the stage `faults`; its exit status.
int openHandle(int device, const std::string& handle, uint64_t offset, uint64_t bytes);
int writeOutOfBounds(int device);

}  // namespace isometry::gpu

#endif  // ISOMETRY_TEST_NATIVE_GPU_STAGES_H_
