// The device's orthogonal matrices are the CPU's, to the byte: every dtype, sizes around every tile, stacks,
// windows, strided regions, little memory; and nothing around them is touched.
#include "cpu/orthogonal.h"

#include <cstring>
#include <vector>

#include "cpu/pool.h"
#include "cuda/orthogonal.h"
#include "test/native/gpu/batch.h"

namespace isometry::gpu {
namespace {

constexpr unsigned char kGuard = 0xca;
constexpr const char* kDTypeNames[] = {"float64", "float32", "float16", "bfloat16"};

// Parts of an output, or a window of it.
struct Matrices {
  DType dtype;
  uint64_t rows, cols, length;
  std::vector<OrthogonalPart> parts;
};

std::vector<unsigned char> onCpu(Suite& suite, const Orthogonal& work, uint64_t start, uint64_t end) {
  std::vector<unsigned char> out((end - start) * byteSize(work.dtype), kGuard);
  cpu::OrthogonalWork cpuWork(work, *cpu::bestTarget(), out.data(), start, end, cpu::kMaxThreads);
  suite.report.check(cpuWork.allocate(), "the CPU has no memory for these matrices");
  cpu::runParallel(cpuWork);
  return out;
}

void compare(Suite& suite, const Matrices& matrices, uint64_t start, uint64_t end, uint64_t workBytes = 0) {
  const double* table = suite.cases.find("normal(0.3, 0.02), float64").params.table;
  const Orthogonal work{kSeed,
                        matrices.dtype,
                        0xfedcba9876543210ull,
                        matrices.rows,
                        matrices.cols,
                        matrices.dtype == DType::kFloat64 ? table : nullptr,
                        matrices.parts.data(),
                        matrices.parts.size()};
  const std::string what =
      format("%s, %zu part(s) of %llu × %llu, elements %llu to %llu, work memory %llu",
             kDTypeNames[static_cast<int>(matrices.dtype)], matrices.parts.size(),
             static_cast<unsigned long long>(matrices.rows), static_cast<unsigned long long>(matrices.cols),
             static_cast<unsigned long long>(start), static_cast<unsigned long long>(end),
             static_cast<unsigned long long>(workBytes));
  const std::vector<unsigned char> expected = onCpu(suite, work, start, end);
  const uint64_t around = 16;  // guards before and behind
  Buffer buffer(suite.gpu, expected.size() + 2 * around);
  std::vector<unsigned char> image(buffer.bytes(), kGuard);
  buffer.write(image.data(), image.size());
  const cuda::Status status =
      cuda::orthogonalDevice(suite.device, work, start, end, buffer.address() + around, nullptr, workBytes);
  suite.report.check(status.ok(), what + ": " + status.message);
  buffer.read(image.data(), image.size());
  bool guarded = true;
  for (uint64_t i = 0; i < around; ++i)
    guarded = guarded && image[i] == kGuard && image[image.size() - 1 - i] == kGuard;
  suite.report.check(guarded, what + ": memory around it was written to");
  suite.report.check(std::memcmp(image.data() + around, expected.data(), expected.size()) == 0,
                     what + ": other bytes than the CPU's");
}

// `count` whole matrices, one column after the other.
Matrices dense(DType dtype, uint64_t count, uint64_t rows, uint64_t cols) {
  Region region{};
  region.rank = 1;
  region.shape[0] = count * rows * cols;
  region.sourceStride[0] = region.targetStride[0] = 1;
  return {dtype, rows, cols, region.shape[0], {{-1.5, region}}};
}

// One matrix as a row-major tensor of its own shape, and its negative beside it.
Matrices beside(DType dtype, uint64_t rows, uint64_t cols) {
  Region region{};
  region.rank = 2;
  region.shape[0] = rows;
  region.shape[1] = cols;
  region.sourceStride[0] = 1;
  region.sourceStride[1] = rows;
  region.targetStride[0] = 2 * cols;
  region.targetStride[1] = 1;
  Region other = region;
  other.targetOffset = cols;
  return {dtype, rows, cols, 2 * rows * cols, {{1, region}, {-1, other}}};
}

// A slice of the columns of each of `count` matrices, as every ninth element: what a convolution's taps are.
Matrices taps(DType dtype, uint64_t count, uint64_t rows, uint64_t cols) {
  Region region{};
  region.rank = 3;
  region.shape[0] = count;
  region.shape[1] = cols / 2;
  region.shape[2] = rows;
  region.sourceOffset = (cols - cols / 2) * rows;
  region.sourceStride[0] = rows * cols;
  region.sourceStride[1] = rows;
  region.sourceStride[2] = 1;
  region.targetOffset = 4;
  region.targetStride[2] = 9;
  region.targetStride[1] = 9 * rows;
  region.targetStride[0] = 9 * rows * (cols / 2);
  return {dtype, rows, cols, count * 9 * rows * (cols / 2), {{1, region}}};
}

}  // namespace

void orthogonal(Suite& suite) {
  suite.report.beginStage("orthogonal");
  cpu::acquirePool();
  const std::vector<uint64_t> sides =
      suite.options.quick
          ? std::vector<uint64_t>{1, 3, 65, 129}
          : std::vector<uint64_t>{1, 2, 3, 4, 9, 32, 63, 64, 65, 127, 128, 129, 255, 256, 257, 385, 513};
  for (int code = 0; code < 4; ++code) {
    const auto dtype = static_cast<DType>(code);
    for (const uint64_t n : sides) {
      const Matrices square = dense(dtype, n < 100 ? 7 : 2, n, n);
      compare(suite, square, 0, square.length);
      compare(suite, square, square.length / 3, square.length - square.length / 5);
      if (n % 2 == 0) continue;
      const Matrices tall = beside(dtype, 2 * n + 3, n);
      compare(suite, tall, 0, tall.length);
      compare(suite, tall, 1, tall.length - tall.length / 3, 1);
    }
    if (suite.options.quick) continue;
    const Matrices stack = taps(dtype, 33, 96, 64);
    compare(suite, stack, 0, stack.length);
    const Matrices tall = dense(dtype, 1, 50000, 70);
    compare(suite, tall, 0, tall.length);
  }
  if (!suite.options.quick) {
    for (const auto& [dtype, n] :
         {std::pair<DType, uint64_t>{DType::kFloat32, 4096}, {DType::kFloat64, 2048}}) {
      const Matrices large = dense(dtype, 1, n, n);
      compare(suite, large, 0, large.length);
      compare(suite, large, 0, large.length, uint64_t{80} << 20);  // in panels
      compare(suite, large, large.length - 3 * n, large.length);
      const Matrices rows = beside(dtype, n, n / 2);
      compare(suite, rows, 0, rows.length);
    }
    const Matrices small = dense(DType::kFloat32, 1024, 64, 64);
    compare(suite, small, 0, small.length);
    const Matrices tiny = dense(DType::kFloat32, 20000, 2, 2);
    compare(suite, tiny, 0, tiny.length);
    // Sources beyond 2^32.
    Matrices far = dense(DType::kFloat32, 1, 300, 300);
    far.parts[0].region.sourceOffset = uint64_t{300 * 300} * 100000;
    compare(suite, far, 0, far.length);
  }
  cpu::releasePool();
}

}  // namespace isometry::gpu
