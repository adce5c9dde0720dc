// Fills as simple as can be in many shapes: threads of a block × packets of a thread × kind of store, for the
// stores alone, the random words, and the ways to make a normal of them.
#include <algorithm>

#include "test/native/gpu/kernels.h"
#include "test/native/gpu/timing.h"

namespace isometry::gpu {

void sweep(Suite& suite) {
  Report& report = suite.report;
  report.beginStage("sweep");
  if (suite.own == nullptr) return report.skip("shapes of a fill", suite.ownMissing);
  Gpu& gpu = suite.gpu;
  const bool quick = suite.options.quick;
  const uint64_t bytes =
      std::min<uint64_t>(quick ? 1 << 20 : uint64_t{1} << 30, gpu.freeBytes() / 2 / 16 * 16);
  Buffer buffer(gpu, bytes);
  Flat flat{};
  flat.address = buffer.address();
  flat.packets = bytes / 16;
  flat.stream = 0x0123456789abcdefull;
  flat.scale = 1;
  flat.keys = philoxKeys(42);
  const std::pair<const char*, const char*> laws[] = {
      {"Store", "stores alone"},
      {"Words", "random words"},
      {"Uniform", "uniform"},
      {"Icdf", "normal, inverse CDF (the definition)"},
      {"FmaBoxMuller", "normal, Box-Muller by FMA"},
      {"MufuBoxMuller", "normal, Box-Muller by approximations"}};
  warmUp(suite, quick ? 1 : 300);
  for (const auto& [law, what] : laws) {
    double best = 0;
    std::string bestShape;
    for (const char* suffix : {"1", "2", "4", "1s", "2s", "4s"}) {
      for (const uint32_t threads : {128u, 256u, 512u, 1024u}) {
        const std::string name = std::string("flat") + law + suffix;
        const Kernel kernel = gpu.kernel(suite.own, name.c_str(), threads);
        const uint64_t packets = static_cast<uint64_t>(suffix[0] - '0');
        const uint64_t tiles = (flat.packets + threads * packets - 1) / (threads * packets);
        const auto blocks = static_cast<uint32_t>(std::min<uint64_t>(tiles, kernel.residentBlocks));
        const auto times = compare(
            gpu, quick ? 1 : 5, 2, [&](int) { gpu.launch(kernel, blocks, threads, &flat); },
            [&](int) { gpu.memset(flat.address, 0, bytes); });
        report.json(Json()
                        .text("kind", "sweep")
                        .text("name", what)
                        .whole("threads", threads)
                        .whole("packets", packets)
                        .flag("streaming", suffix[1] == 's')
                        .whole("blocks_per_sm", kernel.residentBlocks / gpu.multiprocessors())
                        .whole("bytes", bytes)
                        .number("ms", times.milliseconds)
                        .number("memset_ratio", times.ratio));
        if (times.ratio > best) {
          best = times.ratio;
          bestShape = format("%u threads, %s packets%s: %.4f ms, %.1f GB/s", threads,
                             std::string(suffix, 1).c_str(), suffix[1] == 's' ? ", streaming" : "",
                             times.milliseconds, static_cast<double>(bytes) / times.milliseconds / 1e6);
        }
      }
    }
    report.check(best > 0, std::string(what) + " took no time");
    report.say(format("%-38s best %.3f of memset (%s)", what, best, bestShape.c_str()));
  }
}

}  // namespace isometry::gpu
