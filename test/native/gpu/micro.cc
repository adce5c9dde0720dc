// Rates of single instructions, per clock and multiprocessor: which pipe a fill is bound by.
#include "test/native/gpu/kernels.h"
#include "test/native/gpu/stages.h"

namespace isometry::gpu {

void micro(Suite& suite) {
  Report& report = suite.report;
  report.beginStage("micro");
  if (suite.own == nullptr) return report.skip("microbenchmarks", suite.ownMissing);
  constexpr double kSteps = kMicroChains * kMicroSteps;
  struct Rate {
    const char* kernel;
    const char* what;
    double perTurn;  // of what is counted, in one thread
  };
  const Rate rates[] = {
      {"microImadWide", "IMAD.WIDE (two to one LOP3)", 2 * kSteps},
      {"microLop3", "LOP3", kSteps},
      {"microPhiloxMix", "IMAD.WIDE + LOP3 pairs", kSteps},
      {"microFfma", "FFMA", kSteps},
      {"microI2f", "I2F + LOP3 pairs", kSteps},
      {"microLdsTable", "LDS.32 at the normal's rows", kSteps},
      {"microPhilox", "Philox blocks, nothing stored", 1},
  };
  Gpu& gpu = suite.gpu;
  const uint32_t blocks = gpu.multiprocessors();  // one to each
  Buffer cycles(gpu, blocks * sizeof(uint64_t));
  Buffer sink(gpu, uint64_t{blocks} * kMicroThreads * sizeof(uint32_t));
  for (const Rate& rate : rates) {
    const Kernel kernel = gpu.kernel(suite.own, rate.kernel, kMicroThreads);
    const uint32_t turns = suite.options.quick ? 4 : rate.perTurn == 1 ? 4096 : 512;
    std::vector<double> results;
    for (uint32_t run = 0; run < 5; ++run) {
      const Micro parameter{cycles.address(), sink.address(), turns, run};
      gpu.launch(kernel, blocks, kMicroThreads, &parameter);
      std::vector<uint64_t> took(blocks);
      cycles.read(took.data(), blocks * sizeof(uint64_t));
      std::vector<double> sorted(took.begin(), took.end());
      if (run > 0) results.push_back(kMicroThreads * rate.perTurn * turns / median(sorted));
    }
    const double perClock = median(results);
    report.check(perClock > 0 && perClock < 1024, format("%s: %g per clock", rate.what, perClock));
    report.say(format("%-32s %8.3f per clock and multiprocessor", rate.what, perClock));
    report.json(Json().text("kind", "micro").text("name", rate.what).number("per_clock_per_sm", perClock));
  }
}

}  // namespace isometry::gpu
