// Orthogonal matrices on the CPU: the bits of the definition on every SIMD target, whatever the window, the
// region and the number of threads.
#include "cpu/orthogonal.h"

#include <thread>

#include "check.h"
#include "orthogonal_cases.h"

namespace isometry {
namespace {

using test::denseMatrices;
using test::kUntouched;
using test::OrthogonalCase;
using test::regionOf;

bool isRight(const OrthogonalCase& one, const cpu::Target& target, uint64_t start, uint64_t end,
             unsigned threads) {
  std::vector<unsigned char> out((end - start) * one.size(), kUntouched);
  cpu::OrthogonalWork work(one.work, target, out.data(), start, end, threads);
  if (!work.allocate()) return false;
  cpu::runParallel(work);
  return one.isRight(out, start, end);
}

// On all targets, with one thread and with several.
bool isRight(const OrthogonalCase& one, uint64_t start, uint64_t end) {
  int count = 0;
  const cpu::Target* targets = cpu::targets(&count);
  for (int k = 0; k < count; k++) {
    if (!targets[k].supported()) continue;
    for (const unsigned threads : {1u, 2u, 7u}) {
      if (!isRight(one, targets[k], start, end, threads)) return false;
    }
  }
  return true;
}

bool isRight(const OrthogonalCase& one) { return isRight(one, 0, one.length); }

// While the pool is there.
struct PoolUser {
  PoolUser() { cpu::acquirePool(); }
  ~PoolUser() { cpu::releasePool(); }
};

TEST(matricesAreThoseOfTheDefinition) {
  const PoolUser user;
  const struct {
    uint64_t count, rows, cols;
  } shapes[] = {{1, 1, 1},   {1, 2, 2},     {1, 3, 1},     {3, 4, 4},    {5, 9, 9},   {40, 3, 2},
                {2, 64, 64}, {1, 65, 65},   {1, 127, 70},  {3, 97, 97},  {1, 300, 5}, {2, 600, 3},
                {1, 255, 3}, {1, 257, 257}, {1, 770, 129}, {1, 530, 200}};
  for (const auto& s : shapes) {
    const uint64_t length = s.count * s.rows * s.cols;
    const OrthogonalCase one(DType::kFloat32, s.rows, s.cols, denseMatrices(s.count, s.rows, s.cols, -1.5),
                             length);
    CHECK(isRight(one));
    if (s.rows > 300) continue;
    const OrthogonalCase wide(DType::kFloat64, s.rows, s.cols, denseMatrices(s.count, s.rows, s.cols, 0.7),
                              length);
    CHECK(isRight(wide));
  }
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const OrthogonalCase narrow(dtype, 70, 66, denseMatrices(2, 70, 66, 1.25), 2 * 70 * 66);
    CHECK(isRight(narrow));
  }
}

TEST(aColumnOfZerosIsNotReflected) {
  const Reflection<float> none = reflection<float>(0, 0, false);
  CHECK(none.diagonal == 0 && none.rho == 0 && none.sign == -1);
  const Reflection<float> last = reflection<float>(-0.5, 0.25, true);
  CHECK(last.diagonal == 0 && last.rho == 0 && last.sign == -1);
}

TEST(anyWindowIsThatPartOfTheWhole) {
  const PoolUser user;
  const OrthogonalCase one(DType::kFloat32, 150, 140, denseMatrices(3, 150, 140), 3 * 150 * 140);
  const uint64_t size = 150 * 140;
  const struct {
    uint64_t start, end;
  } windows[] = {{0, 1},
                 {149, 151},
                 {size - 1, size + 1},
                 {10000, 10000},
                 {7, 2 * size + 8},
                 {size, 2 * size},
                 {size + 99 * 150, size + 101 * 150},
                 {3 * size - 1, 3 * size}};
  for (const auto& w : windows) CHECK(isRight(one, w.start, w.end));
  const OrthogonalCase small(DType::kFloat64, 10, 7, denseMatrices(30, 10, 7), 2100);
  CHECK(isRight(small, 33, 1999) && isRight(small, 69, 71));
}

TEST(regionsOfMatricesGoWhereTheyBelong) {
  const PoolUser user;
  const uint64_t rows = 370, cols = 67;
  const OrthogonalCase tall(DType::kFloat32, rows, cols, {{1, regionOf({rows, cols}, {1, rows}, {cols, 1})}},
                            rows * cols);
  CHECK(isRight(tall) && isRight(tall, 100, 101) && isRight(tall, 66, 68));
  const OrthogonalCase both(DType::kBFloat16, rows, cols,
                            {{1, regionOf({rows, cols}, {1, rows}, {2 * cols, 1})},
                             {-1, regionOf({rows, cols}, {1, rows}, {2 * cols, 1}, 0, cols)}},
                            2 * rows * cols);
  CHECK(isRight(both) && isRight(both, 33, 1001));
  // The middle tap of a convolution, a slice of its channels, in a stack of two.
  const OrthogonalCase taps(
      DType::kFloat32, rows, cols,
      {{2, regionOf({2, 1, 30, 20}, {rows * cols, 5, 1, rows}, {5400, 0, 180, 9}, 3 * rows + 250, 4)}},
      2 * 5400 + 7);
  CHECK(isRight(taps) && isRight(taps, 5000, 6000) && isRight(taps, 0, 4));
  // Axes that are no digits of the source's index.
  const OrthogonalCase odd(DType::kFloat32, 10, 7, {{1, regionOf({5, 9}, {2, 7}, {9, 1}, 1)}}, 45);
  CHECK(isRight(odd) && isRight(odd, 8, 31));
  const OrthogonalCase across(DType::kFloat32, 10, 7, {{1, regionOf({60}, {3}, {2}, 1)}}, 120);
  CHECK(isRight(across));
  const OrthogonalCase everyOther(DType::kFloat32, 100, 99, {{1, regionOf({40, 20}, {5, 200}, {20, 1}, 7)}},
                                  800);
  CHECK(isRight(everyOther) && isRight(everyOther, 21, 333));
  const OrthogonalCase single(DType::kFloat32, 10, 7, {{1, regionOf({}, {}, {}, 69, 3)}}, 5);
  CHECK(isRight(single));
  const OrthogonalCase nothing(DType::kFloat32, 10, 7, {}, 5);
  CHECK(isRight(nothing));
}

// Each matrix must find its own elements: if it passed those of all others, this would take minutes.
TEST(aLargeStackTakesWhatItsMatricesTake) {
  const PoolUser user;
  const OrthogonalCase tall(DType::kFloat32, 3, 2, {{1, regionOf({20000, 3, 2}, {6, 1, 3}, {6, 2, 1})}},
                            120000);
  CHECK(isRight(tall) && isRight(tall, 60001, 60100));
  const OrthogonalCase innermost(DType::kFloat32, 3, 2,
                                 {{1, regionOf({3, 2, 20000}, {1, 3, 6}, {40000, 20000, 1})}}, 120000);
  CHECK(isRight(innermost));
}

// Beside the output, as a multiple of it.
double workMemory(DType dtype, uint64_t rows, uint64_t cols, unsigned threads) {
  const OrthogonalPart part{1, regionOf({rows, cols}, {1, rows}, {cols, 1})};
  const Orthogonal work{1,     dtype, 1, rows, cols, dtype == DType::kFloat64 ? test::anyTable() : nullptr,
                        &part, 1};
  const cpu::OrthogonalWork job(work, *cpu::bestTarget(), nullptr, 0, rows * cols, threads);
  return static_cast<double>(job.bytes()) / static_cast<double>(rows * cols * byteSize(dtype));
}

TEST(memoryIsWithinTwoAndAHalfTimesTheOutput) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    for (const unsigned threads : {1u, 2u, 16u, 64u}) {
      CHECK(workMemory(dtype, 4096, 4096, threads) <= 1.5);
      CHECK(workMemory(dtype, 4096, 1024, threads) <= 1.5);
      CHECK(workMemory(dtype, 50000, 768, threads) <= 1.5);
      CHECK(workMemory(dtype, 100000, 64, threads) <= 1.5);
    }
  }
}

TEST(aSliceOfColumnsTakesItsShareOfMemory) {
  const OrthogonalPart part = denseMatrices(1, 4096, 4096)[0];
  const Orthogonal work{1, DType::kFloat32, 1, 4096, 4096, nullptr, &part, 1};
  const uint64_t whole = cpu::OrthogonalWork(work, *cpu::bestTarget(), nullptr, 0, 4096 * 4096, 2).bytes();
  CHECK(whole <= 1.5 * 4096 * 4096 * 4);  // beside the output
  CHECK(cpu::OrthogonalWork(work, *cpu::bestTarget(), nullptr, 0, 64 * 4096, 2).bytes() < whole / 10);
  const OrthogonalPart many = denseMatrices(1 << 20, 256, 256)[0];
  const Orthogonal stack{1, DType::kFloat32, 1, 256, 256, nullptr, &many, 1};
  CHECK(cpu::OrthogonalWork(stack, *cpu::bestTarget(), nullptr, 0, uint64_t{1} << 36, 2).bytes() < 8 << 20);
  const OrthogonalPart huge = denseMatrices(1, 1 << 22, 1 << 22)[0];
  const Orthogonal beyond{1, DType::kFloat32, 1, 1 << 22, 1 << 22, nullptr, &huge, 1};
  cpu::OrthogonalWork refused(beyond, *cpu::bestTarget(), nullptr, 0, uint64_t{1} << 44, 2);
  CHECK(refused.bytes() > uint64_t{1} << 44 && !refused.allocate());
}

TEST(cancelledWorkEndsAndOthersGoOn) {
  const PoolUser user;
  const uint64_t rows = 3000;
  std::vector<float> out(rows * rows), other(rows);
  const OrthogonalPart part = denseMatrices(1, rows, rows)[0];
  const Orthogonal work{1, DType::kFloat32, 1, rows, rows, nullptr, &part, 1};
  for (const int delay : {0, 3, 30}) {
    cpu::OrthogonalWork job(work, *cpu::bestTarget(), out.data(), 0, out.size(), 3);
    CHECK(job.allocate());
    std::atomic<bool> finished{false};
    job.context = &finished;
    job.finished = [](cpu::Work* done) { static_cast<std::atomic<bool>*>(done->context)->store(true); };
    CHECK(cpu::submit(&job));
    std::this_thread::sleep_for(std::chrono::milliseconds(delay));
    job.cancelled = true;
    while (!finished) std::this_thread::yield();
  }
}

}  // namespace
}  // namespace isometry
