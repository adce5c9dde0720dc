// The GPU suite: everything about the CUDA backend that only a real device can show, without Node.
//
//   isometry_gpu_suite [STAGE …] [--quick] [--device N] [--json FILE] [--root FOLDER] [--curand LIBRARY]
//
// Stages, by default all: exhaustive parity orthogonal curand faults micro sweep bench orthogonal-bench.
// --quick takes small sizes and shows only that everything works. --json writes one object per line. --root
// is the project's folder, for the committed hashes and laws. Exit status 0: every check of every stage
// passed; 1: some failed; 2: wrong usage; 3: nothing could run.
#include <cstdlib>
#include <cstring>
#include <exception>

#if !defined(_WIN32)
#include <unistd.h>
#endif

#include "cpu/fill.h"
#include "cuda/fatbin.h"
#include "test/native/gpu/stages.h"

namespace {

using namespace isometry;
using namespace isometry::gpu;

const std::pair<const char*, void (*)(Suite&)> kStages[] = {
    {"exhaustive", exhaustive}, {"parity", parity}, {"orthogonal", orthogonal},
    {"curand", gpu::curand},    {"faults", faults}, {"micro", micro},
    {"sweep", sweep},           {"bench", bench},   {"orthogonal-bench", orthogonalBench},
};

std::string ownPath() {
  char path[4096] = {};
#if !defined(_WIN32)
  if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0) return "";
#endif
  return path;
}

// Empty when there is none.
std::string readFile(const char* path) {
  std::string bytes;
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return bytes;
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) bytes.append(buffer, n);
  std::fclose(file);
  return bytes;
}

int usage(const char* problem) {
  std::fprintf(stderr,
               "%s\nusage: isometry_gpu_suite "
               "[exhaustive|parity|orthogonal|curand|faults|micro|sweep|bench|orthogonal-bench …] [--quick]\n"
               "       [--device N] [--json FILE] [--root FOLDER] [--curand LIBRARY]\n",
               problem);
  return 2;
}

void describe(Report& report, const Gpu& gpu, const cuda::Device& device) {
  const auto& info = device.info();
  report.say(format(
      "%s, compute capability %d.%d, %u multiprocessors, %.1f GiB; driver for CUDA %d.%d; CPU target %s",
      gpu.name().c_str(), info.major, info.minor, gpu.multiprocessors(),
      static_cast<double>(info.totalMemory) / (1 << 30), gpu.driverVersion() / 1000,
      gpu.driverVersion() % 1000 / 10, cpu::bestTarget()->name));
  report.json(Json()
                  .text("kind", "device")
                  .text("name", gpu.name())
                  .whole("major", static_cast<uint64_t>(info.major))
                  .whole("minor", static_cast<uint64_t>(info.minor))
                  .whole("multiprocessors", gpu.multiprocessors())
                  .whole("memory", info.totalMemory)
                  .whole("driver", static_cast<uint64_t>(gpu.driverVersion()))
                  .whole("toolkit", static_cast<uint64_t>(isometry_fatbin_version))
                  .text("cpu_target", cpu::bestTarget()->name));
}

int run(const Options& options, const std::string& root, const std::string& json,
        const std::vector<std::string>& wanted) {
  Report report(json);
  if (isometry_fatbin_bytes == 0) {
    report.say("this suite was built without GPU code: nvcc or cuRAND's headers were not found");
    return 3;
  }
  const Cases cases(root + "/test/native/gpu/cases");
  Gpu gpu(options.device);
  cuda::Device* device = nullptr;
  const cuda::Status opened = cuda::Device::open(options.device, &device);
  if (!opened.ok()) {
    report.say("the device cannot be opened: " + opened.message);
    return 3;
  }
  describe(report, gpu, *device);
  std::string why;
  const cuda::Module library = gpu.load(isometry_fatbin, &why);
  if (library == nullptr) {
    report.say("the GPU code does not load: " + why);
    return 3;
  }
  std::string ownMissing = "kernels.cu was not compiled";
  const std::string kernels = readFile(ISOMETRY_SUITE_KERNELS);
  cuda::Module own = kernels.empty() ? nullptr : gpu.load(kernels.data(), &ownMissing);
  if (own != nullptr && !gpu.has(own, "countCurandDifferences")) {
    own = nullptr;
    ownMissing = "this driver does not run the suite's own kernels";
  }
  Suite suite{options, report, gpu, *device, cases, library, own, ownMissing};
  for (const auto& [name, stage] : kStages) {
    bool chosen = wanted.empty();
    for (const auto& one : wanted) chosen = chosen || one == name;
    if (!chosen) continue;
    try {
      stage(suite);
    } catch (const std::exception& error) {
      report.check(false, std::string("the stage ") + name + " ended early: " + error.what());
    }
  }
  return report.summary() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::string json, root = ISOMETRY_ROOT;
  std::vector<std::string> wanted;
  options.program = ownPath();
  if (argc == 6 && !std::strcmp(argv[1], "--open-handle")) {
    return openHandle(std::atoi(argv[5]), argv[2], std::strtoull(argv[3], nullptr, 10),
                      std::strtoull(argv[4], nullptr, 10));
  }
  if (argc == 3 && !std::strcmp(argv[1], "--write-out-of-bounds"))
    return writeOutOfBounds(std::atoi(argv[2]));
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&]() -> std::string { return i + 1 < argc ? argv[++i] : ""; };
    if (argument == "--quick") {
      options.quick = true;
    } else if (argument == "--device") {
      options.device = std::atoi(value().c_str());
    } else if (argument == "--json") {
      json = value();
    } else if (argument == "--root") {
      root = value();
    } else if (argument == "--curand") {
      options.curand = value();
    } else {
      bool known = false;
      for (const auto& stage : kStages) known = known || argument == stage.first;
      if (!known) return usage(("unknown argument " + argument).c_str());
      wanted.push_back(argument);
    }
  }
  options.hashes = root + "/test/golden/normal-f32.hashes";
  cuda::acquireDevices();
  int status = 3;
  try {
    status = run(options, root, json, wanted);
  } catch (const std::exception& error) {
    std::printf("the suite cannot run: %s\n", error.what());
  }
  cuda::releaseDevices();
  return status;
}
