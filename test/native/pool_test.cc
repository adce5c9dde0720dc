// The pool under ThreadSanitizer: concurrent work of several owners, cancellation, start and end of the pool.
#include "cpu/pool.h"

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "check.h"
#include "cpu/fill_work.h"
#include "jobs.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace isometry {
namespace {

using cpu::Work;
using test::denseJob;

constexpr uint64_t kCount = 1'000'003;  // four chunks of float32, the last one ragged

// Waits for submitted work.
struct Latch {
  std::mutex mutex;
  std::condition_variable changed;
  int open = 0;

  static void finished(Work* work) {
    Latch* self = static_cast<Latch*>(work->context);
    std::lock_guard<std::mutex> lock(self->mutex);
    self->open++;
    self->changed.notify_all();
  }
  void wait(int count) {
    std::unique_lock<std::mutex> lock(mutex);
    changed.wait(lock, [&] { return open >= count; });
  }
};

struct Output {
  Job job = denseJob(Kind::kNormal, kCount);
  std::vector<float> data;
  cpu::FillWork work;

  explicit Output(unsigned threads, uint64_t start = 0, uint64_t end = kCount) : data(end - start) {
    work.target = cpu::bestTarget();
    work.fill = Fill{42, DType::kFloat32, &job, 1};
    work.out = data.data();
    work.start = start;
    work.end = end;
    work.threads = threads;
  }
};

std::vector<float> reference() {
  Output whole(1);
  whole.work.target->fill(whole.work.fill, whole.data.data(), 0, kCount);
  return whole.data;
}

TEST(anyNumberOfThreadsGivesTheSame) {
  cpu::acquirePool();
  const std::vector<float> expected = reference();
  for (unsigned threads : {1u, 2u, 3u, 7u, 16u}) {
    Output output(threads);
    fillParallel(output.work);
    CHECK(output.data == expected);
  }
  for (uint64_t start : {1ull, 63ull, 64ull, 65535ull, 65536ull, 999999ull}) {
    Output output(3, start);
    fillParallel(output.work);
    CHECK(std::memcmp(output.data.data(), expected.data() + start, output.data.size() * sizeof(float)) == 0);
  }
  cpu::releasePool();
}

TEST(ownersDoNotDisturbEachOther) {
  cpu::acquirePool();
  const std::vector<float> expected = reference();
  std::vector<std::thread> owners;
  for (int owner = 0; owner < 4; owner++) {
    owners.emplace_back([&] {
      cpu::acquirePool();
      Latch latch;
      std::vector<std::unique_ptr<Output>> outputs;
      for (int k = 0; k < 6; k++) {
        outputs.push_back(std::make_unique<Output>(3));
        outputs.back()->work.finished = Latch::finished;
        outputs.back()->work.context = &latch;
        CHECK(submit(&outputs.back()->work));
      }
      Output own(2);
      fillParallel(own.work);
      CHECK(own.data == expected);
      latch.wait(6);
      for (auto& output : outputs) CHECK(output->data == expected);
      cpu::releasePool();
    });
  }
  for (std::thread& owner : owners) owner.join();
  cpu::releasePool();
}

TEST(cancelledWorkFinishesOnce) {
  cpu::acquirePool();
  Latch latch;
  std::vector<std::unique_ptr<Output>> outputs;
  for (int k = 0; k < 40; k++) {
    outputs.push_back(std::make_unique<Output>(2));
    outputs.back()->work.finished = Latch::finished;
    outputs.back()->work.context = &latch;
    CHECK(submit(&outputs.back()->work));
    if (k % 3 == 0) outputs[static_cast<size_t>(k) / 2]->work.cancelled = true;
  }
  for (auto& output : outputs) output->work.cancelled = true;
  latch.wait(40);
  cpu::releasePool();  // joins: nothing can finish twice after this
  CHECK(latch.open == 40);
}

TEST(anEmptyWindowFinishes) {
  cpu::acquirePool();
  Latch latch;
  Output output(2, 5, 5);
  output.work.finished = Latch::finished;
  output.work.context = &latch;
  CHECK(submit(&output.work));
  latch.wait(1);
  Output own(2, 5, 5);
  fillParallel(own.work);
  cpu::releasePool();
}

#if defined(__x86_64__)
// Another addon may have set flush-to-zero, or another rounding, for the thread that calls us.
TEST(theCallersFloatModeDoesNotMatterAndIsKept) {
  cpu::acquirePool();
  Output plain(2), disturbed(2);
  for (Output* output : {&plain, &disturbed}) output->job.params.std = 1e-39;  // most samples are subnormal
  fillParallel(plain.work);
  const unsigned before = _mm_getcsr();
  const unsigned strange = before | 0x8040 | 0x6000;  // FTZ, DAZ, round toward zero
  _mm_setcsr(strange);
  fillParallel(disturbed.work);
  const unsigned after = _mm_getcsr();
  _mm_setcsr(before);
  CHECK((after & ~0x3fu) == (strange & ~0x3fu));  // without the sticky exception flags
  CHECK(disturbed.data == plain.data);
  CHECK(plain.data[0] != 0 && plain.data[0] != plain.data[1]);
  cpu::releasePool();
}
#endif

TEST(thePoolStartsAndEndsManyTimes) {
  for (int k = 0; k < 50; k++) {
    cpu::acquirePool();
    Output output(4, 0, 300'000);
    fillParallel(output.work);
    cpu::releasePool();
  }
}

}  // namespace
}  // namespace isometry
