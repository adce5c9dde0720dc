// The shipped kernels' speed beside the device's own memset, cuRAND's host generator beside it, and the
// copies to the host. Device times by events; a memset of the same bytes is timed in the same turns.
#include <algorithm>
#include <cstring>

#include "cuda/fill.h"
#include "test/native/gpu/batch.h"
#include "test/native/gpu/timing.h"

namespace isometry::gpu {
namespace {

constexpr const char* kDTypeNames[] = {"float64", "float32", "float16", "bfloat16"};

// Memory that all of the bench writes to. Small outputs take turns in it: one that is written again and again
// would stay in the cache.
struct Arena {
  Buffer buffer;
  uint64_t places(uint64_t bytes) const { return std::clamp<uint64_t>(buffer.bytes() / bytes, 1, 16); }
  uint64_t place(uint64_t bytes, uint64_t i) const { return buffer.address() + i % places(bytes) * bytes; }
};

std::string sizeText(uint64_t bytes) {
  return bytes >= uint64_t{1} << 30 ? format("%.3g GiB", static_cast<double>(bytes) / (1 << 30))
                                    : format("%.3g MiB", static_cast<double>(bytes) / (1 << 20));
}

int turnsOf(const Suite& suite) { return suite.options.quick ? 1 : 12; }

// About a millisecond's worth of work at memset speed.
int timesOf(const Suite& suite, uint64_t bytes) {
  return suite.options.quick ? 1 : static_cast<int>(std::clamp<uint64_t>((uint64_t{4} << 30) / bytes, 1, 64));
}

void record(Suite& suite, const std::string& name, const std::string& dtype, uint64_t bytes, uint64_t samples,
            const Compared& times) {
  const double second = times.milliseconds / 1e3;
  suite.report.say(format("%-34s %-9s %9s %9.4f ms %8.1f GB/s %8.1f GS/s %6.3f of memset", name.c_str(),
                          dtype.c_str(), sizeText(bytes).c_str(), times.milliseconds,
                          static_cast<double>(bytes) / second / 1e9,
                          static_cast<double>(samples) / second / 1e9, times.ratio));
  suite.report.json(Json()
                        .text("kind", "bench")
                        .text("name", name)
                        .text("dtype", dtype)
                        .whole("bytes", bytes)
                        .whole("samples", samples)
                        .number("ms", times.milliseconds)
                        .number("gbps", static_cast<double>(bytes) / second / 1e9)
                        .number("gsps", static_cast<double>(samples) / second / 1e9)
                        .number("memset_ms", times.referenceMilliseconds)
                        .number("memset_ratio", times.ratio));
}

std::function<void(int)> memsetOf(Suite& suite, const Arena& arena, uint64_t bytes) {
  return [&suite, &arena, bytes](int i) {
    suite.gpu.memset(arena.place(bytes, static_cast<uint64_t>(i)), 0, bytes);
  };
}

// One fill per place of the arena.
void benchFill(Suite& suite, const Arena& arena, const std::string& name, DType dtype, uint64_t bytes,
               const std::function<std::vector<cuda::Part>(uint64_t address)>& partsAt) {
  std::vector<std::unique_ptr<Prepared>> fills;
  for (uint64_t i = 0; i < arena.places(bytes); ++i) {
    fills.push_back(std::make_unique<Prepared>(suite, partsAt(arena.place(bytes, i))));
  }
  const auto work = [&](int i) { fills[static_cast<size_t>(i) % fills.size()]->launch(); };
  record(suite, name, kDTypeNames[static_cast<int>(dtype)], bytes, bytes / byteSize(dtype),
         compare(suite.gpu, turnsOf(suite), timesOf(suite, bytes), work, memsetOf(suite, arena, bytes)));
}

void laws(Suite& suite, const Arena& arena, const std::vector<uint64_t>& sizes) {
  struct Law {
    const char* name;
    const char* test;
  };
  // float64's normals are quantile tables by definition; float32's are where a window is narrow.
  const Law laws[] = {{"constant", "constant 0.1"},
                      {"uniform", "uniform [-1, 1)"},
                      {"normal", "normal(0.3, 0.02)"},
                      {"truncated normal", "truncated ±2σ, rescaled"},
                      {"quantile table", "narrow [0.1σ, 0.3σ]"}};
  for (const auto bytes : sizes) {
    for (const Law& law : laws) {
      for (const char* dtype : kDTypeNames) {
        const Case& test = suite.cases.find(std::string(law.test) + ", " + dtype);
        const uint64_t length = bytes / byteSize(test.dtype);
        const Job job = denseJob(test, length);
        const Fill fill{kSeed, test.dtype, &job, 1};
        benchFill(suite, arena, law.name, test.dtype, bytes, [&](uint64_t address) {
          return std::vector<cuda::Part>{{fill, 0, length, address}};
        });
      }
    }
  }
}

void stridedFills(Suite& suite, const Arena& arena, uint64_t bytes) {
  const Case& test = suite.cases.find("normal(0.3, 0.02), float32");
  const uint64_t columns = 4096, rows = bytes / 4 / columns;
  Job half =
      denseJob(test, 1);  // the left half of a matrix twice as wide, as a tensor-parallel rank takes it
  half.region.rank = 2;
  half.region.shape[0] = rows;
  half.region.shape[1] = columns;
  half.region.sourceStride[0] = 2 * columns;
  half.region.targetStride[0] = columns;
  half.region.sourceStride[1] = half.region.targetStride[1] = 1;
  Job transposed = half;  // every element's block has to be drawn for it alone
  transposed.region.sourceStride[0] = 1;
  transposed.region.sourceStride[1] = rows;
  for (const auto& [name, job] : {std::pair<const char*, const Job&>{"normal, half of the columns", half},
                                  {"normal, transposed", transposed}}) {
    const Fill fill{kSeed, test.dtype, &job, 1};
    benchFill(suite, arena, name, test.dtype, bytes, [&](uint64_t address) {
      return std::vector<cuda::Part>{{fill, 0, rows * columns, address}};
    });
  }
  const Job dense = denseJob(test, bytes / 4);
  const Fill fill{kSeed, test.dtype, &dense, 1};
  benchFill(suite, arena, "normal, 4 bytes off alignment", test.dtype, bytes, [&](uint64_t address) {
    return std::vector<cuda::Part>{{fill, 0, bytes / 4 - 1, address + 4}};
  });
}

// 300 tensors of a transformer's sizes in one launch, beside one flat fill of the same bytes.
void grouped(Suite& suite, const Arena& arena) {
  const uint64_t width = suite.options.quick ? 32 : 2048;
  const Case& normal = suite.cases.find("normal(0.3, 0.02), float32");
  const Case& zero = suite.cases.find("constant 0, float32");
  std::vector<Job> jobs;
  std::vector<uint64_t> lengths;
  const auto tensor = [&](const Case& test, uint64_t length) {
    jobs.push_back(denseJob(test, length));
    jobs.back().stream += jobs.size() * 0x9e3779b97f4a7c15ull;
    lengths.push_back(length);
  };
  while (jobs.size() < 300) {  // twelve per layer
    for (int k = 0; k < 4; ++k) tensor(normal, width * width);
    for (int k = 0; k < 2; ++k) tensor(normal, width * width * 3 / 2 + width);
    for (int k = 0; k < 6; ++k) tensor(zero, width + static_cast<uint64_t>(k % 2) * 4);
  }
  uint64_t bytes = 0;
  for (const uint64_t length : lengths) bytes += length * 4;
  if (bytes > arena.buffer.bytes()) return suite.report.skip("300 tensors", "the arena is too small");
  std::vector<Fill> fills;
  for (const Job& job : jobs) fills.push_back({kSeed, DType::kFloat32, &job, 1});
  const auto group = [&](uint64_t address) {
    std::vector<cuda::Part> parts;
    for (size_t i = 0; i < fills.size(); ++i) {
      parts.push_back({fills[i], 0, lengths[i], address});
      address += lengths[i] * 4;
    }
    return parts;
  };
  const Job flat = denseJob(normal, bytes / 4);
  const Fill flatFill{kSeed, DType::kFloat32, &flat, 1};
  Prepared one(suite, {{flatFill, 0, bytes / 4, arena.buffer.address()}});
  Prepared all(suite, group(arena.buffer.address()));
  const auto times = compare(
      suite.gpu, turnsOf(suite), 2, [&](int) { all.launch(); }, [&](int) { one.launch(); });
  suite.report.say(format("300 tensors, %s, %llu launch(es) of %s: %.4f ms, %.3f × the time of one flat fill",
                          sizeText(bytes).c_str(), static_cast<unsigned long long>(all.launches()),
                          all.kernelName().c_str(), times.milliseconds, 1 / times.ratio));
  suite.report.json(Json()
                        .text("kind", "grouped")
                        .whole("tensors", jobs.size())
                        .whole("bytes", bytes)
                        .whole("launches", all.launches())
                        .number("ms", times.milliseconds)
                        .number("flat_ms", times.referenceMilliseconds)
                        .number("time_ratio", 1 / times.ratio));
  // The whole call, as the library makes it: planning, upload, launch, waiting. Wall clock.
  const auto parts = group(arena.buffer.address());
  std::vector<double> calls;
  for (int turn = 0; turn < turnsOf(suite); ++turn) {
    const double began = seconds();
    const cuda::Status status = cuda::fillDevice(suite.device, parts.data(), parts.size(), nullptr);
    calls.push_back((seconds() - began) * 1e3);
    if (!status.ok()) return suite.report.check(false, "fillDevice: " + status.message);
  }
  suite.report.say(format("the same by one call of fillDevice: %.4f ms (wall clock)", median(calls)));
  suite.report.json(Json()
                        .text("kind", "call")
                        .text("name", "300 tensors")
                        .whole("bytes", bytes)
                        .number("ms", median(calls)));
}

// A whole call on a small tensor: what launching and waiting cost.
void smallCall(Suite& suite, const Arena& arena) {
  const Case& test = suite.cases.find("normal(0.3, 0.02), float32");
  const Job job = denseJob(test, 1 << 14);
  const cuda::Part part{{kSeed, test.dtype, &job, 1}, 0, 1 << 14, arena.buffer.address()};
  std::vector<double> calls;
  for (int turn = 0; turn < (suite.options.quick ? 5 : 200); ++turn) {
    const double began = seconds();
    const cuda::Status status = cuda::fillDevice(suite.device, &part, 1, nullptr);
    calls.push_back((seconds() - began) * 1e6);
    if (!status.ok()) return suite.report.check(false, "fillDevice: " + status.message);
  }
  suite.report.say(format("one call for 64 KiB: %.1f µs (wall clock)", median(calls)));
  suite.report.json(Json()
                        .text("kind", "call")
                        .text("name", "64 KiB")
                        .whole("bytes", 1 << 16)
                        .number("ms", median(calls) / 1e3));
}

// Into host memory: our pipeline beside the bare copy out of pinned memory, which is the link.
void hostCopies(Suite& suite, const Arena& arena) {
  const uint64_t bytes = suite.options.quick ? uint64_t{4} << 20 : uint64_t{2} << 30;
  if (arena.buffer.bytes() < bytes) return suite.report.skip("copies to the host", "the arena is too small");
  double link = 0;
  {
    Pinned pinned(suite.gpu, bytes);
    std::memset(pinned.data(), 1, bytes);
    std::vector<double> times;
    for (int turn = 0; turn < (suite.options.quick ? 1 : 5); ++turn) {
      times.push_back(suite.gpu.milliseconds(
          [&] { suite.gpu.copyToHostAsync(pinned.data(), arena.buffer.address(), bytes); }));
    }
    link = median(times);
  }
  for (const char* name : {"normal(0.3, 0.02), float32", "normal(0.3, 0.02), bfloat16"}) {
    const Case& test = suite.cases.find(name);
    const uint64_t length = bytes / byteSize(test.dtype);
    std::vector<unsigned char> out(bytes, 1);  // its pages are there
    const Job job = denseJob(test, length);
    const cuda::HostPart part{{kSeed, test.dtype, &job, 1}, 0, length, out.data()};
    std::vector<double> times;
    for (int turn = 0; turn < (suite.options.quick ? 1 : 5); ++turn) {
      const double began = seconds();
      const cuda::Status status = cuda::fillHost(suite.device, &part, 1, nullptr);
      times.push_back((seconds() - began) * 1e3);
      if (!status.ok()) return suite.report.check(false, "fillHost: " + status.message);
    }
    const double ms = median(times);
    suite.report.say(format("to host memory, %s, %s: %.1f ms, %.1f GB/s, %.3f of the bare copy (%.1f GB/s)",
                            name, sizeText(bytes).c_str(), ms, static_cast<double>(bytes) / ms / 1e6,
                            link / ms, static_cast<double>(bytes) / link / 1e6));
    suite.report.json(Json()
                          .text("kind", "host")
                          .text("name", name)
                          .whole("bytes", bytes)
                          .number("ms", ms)
                          .number("link_ms", link)
                          .number("link_ratio", link / ms));
  }
}

// cuRAND's host API with its Philox generator, which writes from element 0 on and nothing else.
void curandHost(Suite& suite, const Arena& arena, uint64_t bytes) {
  cuda::Library library;
  std::string why;
  const std::string name = suite.options.curand.empty() ? "libcurand.so.10" : suite.options.curand;
  if (!cuda::openLibrary(name, false, &library, &why)) return suite.report.skip("cuRAND's host API", why);
  using Generator = void*;
  const auto find = [&](const char* symbol) { return cuda::findSymbol(library, symbol); };
  const auto create = reinterpret_cast<int (*)(Generator*, int)>(find("curandCreateGenerator"));
  const auto destroy = reinterpret_cast<int (*)(Generator)>(find("curandDestroyGenerator"));
  const auto seed =
      reinterpret_cast<int (*)(Generator, unsigned long long)>(find("curandSetPseudoRandomGeneratorSeed"));
  const auto setStream = reinterpret_cast<int (*)(Generator, cuda::Stream)>(find("curandSetStream"));
  const auto uniform = reinterpret_cast<int (*)(Generator, float*, size_t)>(find("curandGenerateUniform"));
  const auto normal =
      reinterpret_cast<int (*)(Generator, float*, size_t, float, float)>(find("curandGenerateNormal"));
  const auto uniform64 =
      reinterpret_cast<int (*)(Generator, double*, size_t)>(find("curandGenerateUniformDouble"));
  const auto normal64 = reinterpret_cast<int (*)(Generator, double*, size_t, double, double)>(
      find("curandGenerateNormalDouble"));
  Generator generator = nullptr;
  const bool complete = create && destroy && seed && setStream && uniform && normal && uniform64 && normal64;
  if (!complete || create(&generator, 161 /* CURAND_RNG_PSEUDO_PHILOX4_32_10 */) != 0) {
    return suite.report.skip("cuRAND's host API",
                             library.path + (complete ? " makes no generator" : " is incomplete"));
  }
  (void)seed(generator, 42);
  (void)setStream(generator, suite.gpu.stream());
  int failed = 0;
  const auto measure = [&](const char* law, const char* dtype, uint64_t size,
                           const std::function<int(uint64_t)>& draw) {
    const auto work = [&](int i) { failed |= draw(arena.place(bytes, static_cast<uint64_t>(i))); };
    record(suite, std::string("cuRAND host API ") + law, dtype, bytes, bytes / size,
           compare(suite.gpu, turnsOf(suite), timesOf(suite, bytes), work, memsetOf(suite, arena, bytes)));
  };
  measure("uniform", "float32", 4,
          [&](uint64_t at) { return uniform(generator, reinterpret_cast<float*>(at), bytes / 4); });
  measure("normal", "float32", 4,
          [&](uint64_t at) { return normal(generator, reinterpret_cast<float*>(at), bytes / 4, 0, 1); });
  measure("uniform", "float64", 8,
          [&](uint64_t at) { return uniform64(generator, reinterpret_cast<double*>(at), bytes / 8); });
  measure("normal", "float64", 8,
          [&](uint64_t at) { return normal64(generator, reinterpret_cast<double*>(at), bytes / 8, 0, 1); });
  suite.report.check(failed == 0, format("cuRAND's host API gave error %d", failed));
  (void)destroy(generator);
}

}  // namespace

void bench(Suite& suite) {
  suite.report.beginStage("bench");
  const bool quick = suite.options.quick;
  std::vector<uint64_t> sizes;
  for (const uint64_t mebibytes : quick ? std::vector<uint64_t>{1} : std::vector<uint64_t>{64, 1024, 8192}) {
    if (mebibytes << 20 <= suite.gpu.freeBytes() * 3 / 4) sizes.push_back(mebibytes << 20);
  }
  if (sizes.empty()) return suite.report.skip("bench", "less than 86 MiB of device memory are free");
  const Arena arena{{suite.gpu, std::max(sizes.back(), quick ? uint64_t{8} << 20 : uint64_t{0})}};
  warmUp(suite, quick ? 1 : 500);
  const uint64_t middle = sizes[std::min<size_t>(1, sizes.size() - 1)];
  laws(suite, arena, sizes);
  grouped(suite, arena);
  stridedFills(suite, arena, middle);
  curandHost(suite, arena, middle);
  smallCall(suite, arena);
  hostCopies(suite, arena);
}

}  // namespace isometry::gpu
