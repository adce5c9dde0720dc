// The speed of orthogonal matrices, by the clock around whole calls (allocating, launching, waiting), beside
// cuSOLVER's QR factorization, its orgqr alone, which from as many reflectors makes Q, and the rate of
// cuBLAS' SGEMM.
#include <algorithm>
#include <cstdlib>
#include <functional>

#include "cpu/fill.h"
#include "cuda/orthogonal.h"
#include "cuda/solver.h"
#include "test/native/gpu/batch.h"
#include "test/native/gpu/timing.h"

namespace isometry::gpu {
namespace {

// 4/3·n³: blocks of reflections applied to the columns that they change; of a QR factorization orgqr's share.
double flops(uint64_t n) {
  return 4.0 / 3 * static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n);
}

void record(Suite& suite, const std::string& what, uint64_t n, uint64_t count, std::vector<double> times,
            double share = 1) {
  const double ms = median(std::move(times));
  const double rate = share * flops(n) * static_cast<double>(count) / ms / 1e9;
  suite.report.say(format("%-34s %5llu × %llu² %10.3f ms %7.2f TFLOP/s", what.c_str(),
                          static_cast<unsigned long long>(count), static_cast<unsigned long long>(n), ms,
                          rate));
  suite.report.json(Json()
                        .text("kind", "matrices")
                        .text("name", what)
                        .text("dtype", "float32")
                        .whole("n", n)
                        .whole("count", count)
                        .number("ms", ms)
                        .number("tflops", rate));
}

int turnsOf(const Suite& suite, uint64_t n) { return suite.options.quick ? 1 : n > 4096 ? 3 : 10; }

// Milliseconds of each call by the clock, after one that is not counted; empty when one failed.
std::vector<double> timed(Suite& suite, int turns, const std::function<cuda::Status()>& call) {
  std::vector<double> times;
  for (int turn = -1; turn < turns; ++turn) {
    const double began = seconds();
    const cuda::Status status = call();
    if (!status.ok()) {
      suite.report.check(false, status.message);
      return {};
    }
    if (turn >= 0) times.push_back((seconds() - began) * 1e3);
  }
  return times;
}

void ours(Suite& suite, uint64_t n, uint64_t count) {
  OrthogonalPart part{1, {}};
  part.region.rank = 1;
  part.region.shape[0] = count * n * n;
  part.region.sourceStride[0] = part.region.targetStride[0] = 1;
  const Orthogonal work{kSeed, DType::kFloat32, 1, n, n, nullptr, &part, 1};
  Buffer buffer(suite.gpu, count * n * n * 4);
  auto times = timed(suite, turnsOf(suite, n), [&] {
    return cuda::orthogonalDevice(suite.device, work, 0, count * n * n, buffer.address(), nullptr);
  });
  if (!times.empty()) record(suite, "reflections", n, count, std::move(times));
}

void byQr(Suite& suite, const cuda::SolverLibrary& solver, uint64_t n) {
  const Job job = denseJob(suite.cases.find("normal(0.3, 0.02), float32"), n * n);
  cuda::QrMatrices work;
  work.normals = {kSeed, DType::kFloat32, &job, 1};
  work.outputs = work.after = n;
  Buffer buffer(suite.gpu, n * n * 4);
  auto times = timed(suite, turnsOf(suite, n),
                     [&] { return cuda::qrDevice(suite.device, solver, work, buffer.address(), nullptr); });
  if (!times.empty()) record(suite, "cuSOLVER, method 'qr'", n, 1, std::move(times));
}

void orgqr(Suite& suite, const cuda::SolverLibrary& solver, uint64_t n) {
  const int size = static_cast<int>(n);
  Buffer matrix(suite.gpu, n * n * 4), taus(suite.gpu, n * 4), info(suite.gpu, 256);
  matrix.set(
      0);  // as many reflectors as ours, of length 0: a multiplication does not look at what it multiplies
  taus.set(0);
  const auto floats = [](const Buffer& buffer) { return reinterpret_cast<float*>(buffer.address()); };
  cuda::SolverHandle handle = nullptr;
  int elements = 0;
  bool ok = solver.Create(&handle) == cuda::kSolverSuccess &&
            solver.SetStream(handle, suite.gpu.stream()) == cuda::kSolverSuccess &&
            solver.SorgqrBufferSize(handle, size, size, size, floats(matrix), size, floats(taus),
                                    &elements) == cuda::kSolverSuccess;
  if (ok) {
    Buffer scratch(suite.gpu, static_cast<uint64_t>(std::max(elements, 1)) * 4);
    std::vector<double> times;
    for (int turn = -1; turn < turnsOf(suite, n) && ok; ++turn) {
      const double ms = suite.gpu.milliseconds([&] {
        ok = solver.Sorgqr(handle, size, size, size, floats(matrix), size, floats(taus), floats(scratch),
                           elements, reinterpret_cast<int*>(info.address())) == cuda::kSolverSuccess;
      });
      if (turn >= 0) times.push_back(ms);
    }
    if (ok) record(suite, "cuSOLVER, orgqr alone", n, 1, std::move(times));
  }
  suite.report.check(ok, format("cuSOLVER's orgqr of %llu²", static_cast<unsigned long long>(n)));
  if (handle != nullptr) (void)solver.Destroy(handle);
}

// What a library that sums in any order reaches in float32, without the units that round operands to 19 bits.
void sgemm(Suite& suite, uint64_t n) {
  cuda::Library library;
  std::string why;
  bool opened = false;
  for (const char* name : {"libcublas.so.13", "libcublas.so.12"})
    opened = opened || cuda::openLibrary(name, false, &library, &why);
  if (!opened) return suite.report.skip("cuBLAS' SGEMM", why);
  using Handle = void*;
  const auto create = reinterpret_cast<int (*)(Handle*)>(cuda::findSymbol(library, "cublasCreate_v2"));
  const auto destroy = reinterpret_cast<int (*)(Handle)>(cuda::findSymbol(library, "cublasDestroy_v2"));
  const auto setStream =
      reinterpret_cast<int (*)(Handle, cuda::Stream)>(cuda::findSymbol(library, "cublasSetStream_v2"));
  const auto multiply =
      reinterpret_cast<int (*)(Handle, int, int, int, int, int, const float*, const float*, int, const float*,
                               int, const float*, float*, int)>(cuda::findSymbol(library, "cublasSgemm_v2"));
  Handle handle = nullptr;
  if (!create || !destroy || !setStream || !multiply || create(&handle) != 0)
    return suite.report.skip("cuBLAS' SGEMM", library.path + " makes no handle");
  (void)setStream(handle, suite.gpu.stream());
  Buffer a(suite.gpu, n * n * 4), b(suite.gpu, n * n * 4), c(suite.gpu, n * n * 4);
  for (Buffer* each : {&a, &b, &c}) each->set(0x3f800000);  // 1
  const auto floats = [](const Buffer& buffer) { return reinterpret_cast<float*>(buffer.address()); };
  const int size = static_cast<int>(n);
  const float one = 1, none = 0;
  int failed = 0;
  std::vector<double> times;
  for (int turn = -1; turn < turnsOf(suite, n); ++turn) {
    const double ms = suite.gpu.milliseconds([&] {
      failed |= multiply(handle, 0, 0, size, size, size, &one, floats(a), size, floats(b), size, &none,
                         floats(c), size);
    });
    if (turn >= 0) times.push_back(ms);
  }
  (void)destroy(handle);
  suite.report.check(failed == 0, format("cuBLAS' SGEMM gave error %d", failed));
  if (failed == 0) record(suite, "cuBLAS, SGEMM", n, 1, std::move(times), 1.5);  // 2·n³
}

}  // namespace

void orthogonalBench(Suite& suite) {
  suite.report.beginStage("orthogonal-bench");
  const bool quick = suite.options.quick;
  warmUp(suite, quick ? 1 : 300);
  const std::vector<uint64_t> sizes =
      quick ? std::vector<uint64_t>{64} : std::vector<uint64_t>{1024, 2048, 4096, 8192, 16384};
  for (const uint64_t n : sizes) {
    // V and Y, sums, and the result.
    if (n * n * 4 * 4 > suite.gpu.freeBytes()) {
      suite.report.skip(format("orthogonal %llu²", static_cast<unsigned long long>(n)), "not enough memory");
      continue;
    }
    ours(suite, n, 1);
  }
  ours(suite, quick ? 8 : 64, quick ? 3 : 1024);

  std::vector<std::string> folders;
  if (const char* folder = std::getenv("ISOMETRY_CUDA_LIB_DIR")) folders.push_back(folder);
  folders.push_back("");
  std::string why;
  const cuda::SolverLibrary* solver = cuda::solverLibrary(folders, &why);
  sgemm(suite, quick ? 64 : 4096);  // the solver has brought cuBLAS, if it is anywhere
  if (solver == nullptr) return suite.report.skip("cuSOLVER", why);
  for (const uint64_t n : sizes) {
    if (n > 16384 || n * n * 4 * 4 > suite.gpu.freeBytes()) continue;
    byQr(suite, *solver, n);
    orgqr(suite, *solver, n);
  }
}

}  // namespace isometry::gpu
