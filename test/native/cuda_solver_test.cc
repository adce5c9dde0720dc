// QR factorizations through the fake driver and the fake cuSOLVER: the right Q of the right normals, wherever
// it goes; what can go wrong at any call.
#include <cmath>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "core/quantile.h"
#include "core/round.h"
#include "cpu/fill.h"
#include "cuda/memory.h"
#include "cuda/solver.h"
#include "cuda_fake.h"
#include "fake_cuda/fake_solver.h"
#include "jobs.h"

namespace isometry::cuda {
namespace {

using test::denseJob;

// The fakes with settings for one test.
class Fake {
 public:
  explicit Fake(test::Fake::Settings settings = {}) : cuda_(settings) { fake_solver_reload(); }
  bool clean() const {
    return cuda_.leaked() == 0 && cuda_.damage() == 0 && fake_solver_live() == 0 &&
           fake_solver_damage() == 0 && memoryStats().allocations == 0;
  }

 private:
  test::Fake cuda_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The library, found once all that cannot be used has been refused: afterwards it stays open.
const SolverLibrary& solver() {
  static const SolverLibrary* const found = [] {
    std::string why;
    CHECK(solverLibrary({"/nowhere", "/proc"}, &why) == nullptr);
    CHECK(contains(why, "libcusolver.so.12 or libcusolver.so.11") && contains(why, "in /nowhere, in /proc") &&
          contains(why, "ISOMETRY_CUDA_LIB_DIR"));
    CHECK(solverLibrary({ISOMETRY_OLD_SOLVER}, &why) == nullptr);
    CHECK(contains(why, "it lacks cusolverDnXgeqrf_bufferSize, cusolverDnXgeqrf"));
    setenv("FAKE_SOLVER_VERSION", "10", 1);
    CHECK(solverLibrary({ISOMETRY_FAKE_SOLVER}, &why) == nullptr);
    CHECK(contains(why, "it is version 10.3.4, and 11 or newer is needed"));
    std::vector<LibraryReport> reports = libraryReports({ISOMETRY_FAKE_SOLVER});
    CHECK(reports.size() == 2 && reports[0].name == "cuSOLVER" && reports[0].path.empty() &&
          contains(reports[0].reason, "10.3.4") && reports[1].name == "cuBLAS" && !reports[1].reason.empty());
    unsetenv("FAKE_SOLVER_VERSION");
    // One that cannot be used does not stop the search.
    const SolverLibrary* library =
        solverLibrary({"/nowhere", ISOMETRY_OLD_SOLVER, ISOMETRY_FAKE_SOLVER}, &why);
    CHECK(library != nullptr && contains(library->path, ISOMETRY_FAKE_SOLVER) &&
          library->version == "12.3.4");
    CHECK(solverLibrary({}, &why) == library);
    reports = libraryReports({});
    CHECK(reports.size() == 2 && reports[0].path == library->path && reports[0].version == "12.3.4" &&
          reports[0].reason.empty() && contains(reports[1].path, "libcublas.so.13") &&
          reports[1].version == "13.1.2" && reports[1].reason.empty());
    return library;
  }();
  return *found;
}

// Of Φ⁻¹: any table of normals will do, as long as the matrix has full rank.
const std::vector<double>& table() {
  static const std::vector<double>* const made = [] {
    auto* rows = new std::vector<double>(kQuantileTableSize, 0.0);
    for (int row = 0; row < kQuantileRows; row++)
      (*rows)[static_cast<size_t>(row) * (kQuantileDegree + 1)] = std::sin(row);
    return rows;
  }();
  return *made;
}

// A tensor's matrices, what they are made of, and where they go.
struct Case {
  Job job;
  QrMatrices work;
  std::vector<unsigned char> out;

  Case(DType dtype, uint64_t count, uint64_t before, uint64_t outputs, uint64_t after, double gain = 1)
      : job(denseJob(dtype == DType::kFloat64 ? Kind::kQuantile : Kind::kNormal,
                     count * before * outputs * after)) {
    job.params.table = table().data();
    work.normals = {42, dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32, &job, 1};
    work.dtype = dtype;
    work.before = before;
    work.outputs = outputs;
    work.after = after;
    work.gain = gain;
    work.count = count;
    out.assign(bytes(), 0xca);
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  uint64_t bytes() const { return work.count * work.elements() * byteSize(work.dtype); }

  double element(uint64_t i) const {
    const unsigned char* at = out.data() + i * byteSize(work.dtype);
    if (work.dtype == DType::kFloat64) return read<double>(at);
    if (work.dtype == DType::kFloat32) return static_cast<double>(read<float>(at));
    const uint32_t bits = read<uint16_t>(at);
    if (work.dtype == DType::kBFloat16) return static_cast<double>(bitCast<float>(bits << 16));
    const double sign = bits & 0x8000 ? -1 : 1;
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const double fraction = bits & 1023;
    return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
  }

  // How far the output is from gain·Q with QᵀQ = 1 and QᵀG upper triangular with a positive diagonal.
  double error() const {
    const uint64_t others = work.before * work.after;
    const bool wide = work.outputs < others;
    const uint64_t rows = std::max(work.outputs, others), cols = std::min(work.outputs, others);
    double worst = 0;
    for (uint64_t k = 0; k < work.count; k++) {
      const uint64_t matrix = work.first + k;
      std::vector<double> q(rows * cols), g(rows * cols);
      for (uint64_t i = 0; i < work.elements(); i++) {
        const uint64_t b = i % work.after, o = i / work.after % work.outputs,
                       a = i / work.after / work.outputs;
        const uint64_t other = a * work.after + b;
        q[(wide ? o : other) * rows + (wide ? other : o)] = element(k * work.elements() + i) / work.gain;
      }
      normals(matrix, g);
      for (uint64_t i = 0; i < cols; i++) {
        for (uint64_t j = 0; j < cols; j++) {
          double dot = 0, r = 0;
          for (uint64_t row = 0; row < rows; row++) {
            dot += q[i * rows + row] * q[j * rows + row];
            r += q[i * rows + row] * g[j * rows + row];
          }
          worst = std::max(worst, std::abs(dot - (i == j ? 1 : 0)));
          if (i > j) worst = std::max(worst, std::abs(r));
          if (i == j && !(r > 0)) worst = HUGE_VAL;
        }
      }
    }
    return worst;
  }

 private:
  template <class Type>
  static Type read(const unsigned char* at) {
    Type value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }

  void normals(uint64_t matrix, std::vector<double>& g) const {
    const uint64_t from = matrix * g.size(), to = from + g.size();
    if (work.normals.dtype == DType::kFloat64) {
      cpu::bestTarget()->fill(work.normals, g.data(), from, to);
      return;
    }
    std::vector<float> narrow(g.size());
    cpu::bestTarget()->fill(work.normals, narrow.data(), from, to);
    g.assign(narrow.begin(), narrow.end());
  }
};

double tolerance(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return 1e-13;
    case DType::kFloat32:
      return 1e-5;
    case DType::kFloat16:
      return 2e-2;
    default:
      return 0.2;
  }
}

TEST(matricesAreTheRightOnes) {
  const SolverLibrary& library = solver();
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  const struct {
    uint64_t count, before, outputs, after;
  } shapes[] = {{1, 1, 1, 1},   {1, 1, 1, 5},   {1, 1, 5, 1},   {1, 1, 8, 8}, {1, 1, 40, 17},
                {1, 1, 17, 40}, {1, 13, 29, 1}, {1, 29, 13, 1}, {3, 2, 7, 5}, {2, 3, 30, 4}};
  for (const DType dtype : {DType::kFloat64, DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    for (const auto& s : shapes) {
      Case host(dtype, s.count, s.before, s.outputs, s.after, -1.5);
      CHECK(qrHost(*device, library, host.work, host.out.data(), nullptr).ok());
      const double error = host.error();
      CHECK(error < tolerance(dtype));

      uint64_t address = 0;
      CHECK(allocate(*device, host.bytes() + byteSize(dtype), &address).ok());
      const uint64_t at = address + byteSize(dtype);  // aligned to the element only
      CHECK(qrDevice(*device, library, host.work, at, nullptr).ok());
      Case copy(dtype, s.count, s.before, s.outputs, s.after, -1.5);
      CHECK(copyToHost(*device, at, copy.out.data(), copy.bytes(), nullptr).ok());
      CHECK(copy.out == host.out);
      CHECK(release(*device, address).ok());

      // The last matrix alone.
      Case last(dtype, s.count, s.before, s.outputs, s.after, -1.5);
      last.work.first = s.count - 1;
      last.work.count = 1;
      CHECK(qrHost(*device, library, last.work, last.out.data(), nullptr).ok());
      const uint64_t bytes = host.bytes() / s.count;
      CHECK(std::memcmp(last.out.data(), host.out.data() + (s.count - 1) * bytes, bytes) == 0);
    }
  }
  releaseDevices();
  CHECK(fake.clean());
}

// All that a process does.
Status wholeLife(bool* right) {
  acquireDevices();
  Device* device = nullptr;
  Case one(DType::kBFloat16, 2, 1, 12, 9);
  Status status = Device::open(0, &device);
  if (status.ok()) status = qrHost(*device, solver(), one.work, one.out.data(), nullptr);
  *right = !status.ok() || one.error() < tolerance(DType::kBFloat16);
  releaseDevices();
  return status;
}

TEST(anyCallOfTheDriverMayFailDuringAFactorization) {
  solver();
  const struct {
    const char* failCode;
    Code code;
  } cases[] = {{"2", Code::kOutOfMemory}, {"700", Code::kDeviceError}};
  for (const auto& each : cases) {
    for (const char* forever : {"0", "1"}) {
      int call = 1, failures = 0;
      for (bool injected = true; injected; call++) {
        Fake fake({{"FAKE_CUDA_FAIL_AT", std::to_string(call)},
                   {"FAKE_CUDA_FAIL_CODE", each.failCode},
                   {"FAKE_CUDA_FAIL_FOREVER", forever}});
        bool right = false;
        const Status status = wholeLife(&right);
        injected = fake_cuda_injected() > 0;
        failures += status.ok() ? 0 : 1;
        // cuSOLVER itself waits for the stream, and calls whatever happens there a failure of its own.
        CHECK(status.ok() || status.code == each.code || status.code == Code::kUnavailable ||
              status.code == Code::kDeviceError);
        CHECK(right);
        CHECK(fake.clean());
      }
      CHECK(call > 40 && failures > 25);
    }
  }
  Fake fake;
  bool right = false;
  CHECK(wholeLife(&right).ok() && right && fake.clean());
}

TEST(anyCallOfTheSolverMayFail) {
  solver();
  const struct {
    const char* failCode;
    Code code;
    const char* text;
  } cases[] = {{"2", Code::kOutOfMemory, "CUSOLVER_STATUS_ALLOC_FAILED (2)"},
               {"1", Code::kUnavailable, "CUSOLVER_STATUS_NOT_INITIALIZED (1)"},
               {"7", Code::kDeviceError, "CUSOLVER_STATUS_INTERNAL_ERROR (7)"},
               {"99", Code::kDeviceError, "an unknown status (99)"}};
  for (const auto& each : cases) {
    int call = 1;
    for (bool injected = true; injected; call++) {
      Fake fake({{"FAKE_SOLVER_FAIL_AT", std::to_string(call)}, {"FAKE_SOLVER_FAIL_CODE", each.failCode}});
      bool right = false;
      const Status status = wholeLife(&right);
      injected = fake_solver_injected() > 0;
      CHECK(status.ok() != injected && right && fake.clean());
      if (injected) CHECK(status.code == each.code && contains(status.message, each.text));
      if (injected) CHECK(contains(status.message, "12 × 9") && contains(status.message, "cusolverDn"));
    }
    CHECK(call == 11);  // five to prepare, two for each of the two matrices, and the run without a failure
  }
}

TEST(whatTheSolverSaysOfItsArgumentsIsLookedAt) {
  solver();
  Fake fake({{"FAKE_SOLVER_INFO", "-4"}});
  bool right = false;
  const Status status = wholeLife(&right);
  CHECK(status.code == Code::kDeviceError && contains(status.message, "geqrf refused") &&
        contains(status.message, "info is -4"));
  CHECK(fake.clean());
}

TEST(moreMemoryThanThereIs) {
  solver();
  for (const char* bytes : {"1073741824", "9223372036854775807", "-1"}) {
    Fake fake({{"FAKE_SOLVER_WORKSPACE", bytes}});
    bool right = false;
    const int64_t launches = fake_cuda_launches();
    const Status status = wholeLife(&right);
    CHECK(status.code == (bytes[0] == '-' ? Code::kTooLarge : Code::kOutOfMemory));
    if (bytes[0] != '-') CHECK(contains(status.message, "needed") && contains(status.message, "available"));
    CHECK(fake_cuda_launches() == launches);
    CHECK(fake.clean());
  }
}

TEST(matricesBeyond32BitsAreRefused) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  Case one(DType::kFloat32, 1, 1, 2, 2);
  one.work.outputs = uint64_t{1} << 31;
  CHECK(qrDevice(*device, solver(), one.work, 4096, nullptr).code == Code::kTooLarge);
  one.work.outputs = 1;
  one.work.before = one.work.after = uint64_t{1} << 16;
  CHECK(qrDevice(*device, solver(), one.work, 4096, nullptr).code == Code::kTooLarge);
  releaseDevices();
  CHECK(fake.clean());
}

TEST(aFactorizationIsCancelled) {
  Fake fake;
  acquireDevices();
  Device* device = nullptr;
  CHECK(Device::open(0, &device).ok());
  Case one(DType::kFloat32, 500, 1, 20, 20);
  std::atomic<bool> cancelled{true};
  const int64_t before = fake_cuda_launches();
  CHECK(qrHost(*device, solver(), one.work, one.out.data(), &cancelled).code == Code::kCancelled);
  CHECK(fake_cuda_launches() == before);
  cancelled = false;
  std::thread canceller([&] {
    while (fake_cuda_launches() < before + 5) std::this_thread::yield();
    cancelled = true;
  });
  CHECK(qrHost(*device, solver(), one.work, one.out.data(), &cancelled).code == Code::kCancelled);
  canceller.join();
  CHECK(fake_cuda_launches() < before + 1500);  // three for each matrix
  releaseDevices();
  CHECK(fake.clean());
}

}  // namespace
}  // namespace isometry::cuda
