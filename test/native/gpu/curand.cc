// What cuRAND's own generator draws on this device beside core/philox.h: curand_init, curand and curand4 at
// word offsets and streams around every boundary of the counter.
#include "test/native/gpu/kernels.h"
#include "test/native/gpu/stages.h"

namespace isometry::gpu {

void curand(Suite& suite) {
  Report& report = suite.report;
  report.beginStage("curand");
  const char* const kName = "countCurandDifferences";
  if (suite.own == nullptr) return report.skip(kName, suite.ownMissing);
  Gpu& gpu = suite.gpu;
  constexpr uint32_t kThreads = 256;
  const Kernel kernel = gpu.kernel(suite.own, kName, kThreads);
  Buffer counter(gpu, sizeof(uint64_t));
  const uint64_t threads = suite.options.quick ? 1 << 10 : 1 << 16;
  const uint64_t seeds[] = {0, 1, 42, 0xffffffff, 0x100000000, 0x9e3779b97f4a7c15, ~uint64_t{0}};
  const uint64_t streams[] = {0, 1, 0xffffffff, 0x100000000, 0x0123456789abcdef, ~uint64_t{0}};
  // Word 2^34 is where the counter's second word begins to count; the last one is as far as JavaScript names.
  const uint64_t offsets[] = {0,
                              1,
                              2,
                              3,
                              0xfffffffe,
                              (uint64_t{1} << 34) - 5,
                              uint64_t{1} << 34,
                              (uint64_t{1} << 40) + 3,
                              (uint64_t{1} << 53) - 1 - threads};
  uint64_t draws = 0;
  for (const uint64_t seed : seeds) {
    for (const uint64_t stream : streams) {
      for (const uint64_t first : offsets) {
        counter.set(0);
        const Draws run{seed, stream, first, threads, counter.address()};
        gpu.launch(kernel, static_cast<uint32_t>((threads + kThreads - 1) / kThreads), kThreads, &run);
        uint64_t differences = 0;
        counter.read(&differences, sizeof differences);
        draws += threads * 16;
        report.check(
            differences == 0,
            format("cuRAND differs from core/philox.h in %llu words: seed %llx stream %llx first word %llx",
                   static_cast<unsigned long long>(differences), static_cast<unsigned long long>(seed),
                   static_cast<unsigned long long>(stream), static_cast<unsigned long long>(first)));
      }
    }
  }
  report.say(format("%llu words drawn by curand and curand4", static_cast<unsigned long long>(draws)));
}

}  // namespace isometry::gpu
