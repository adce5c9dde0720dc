#include "cpu/pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "cpu/float_mode.h"

namespace isometry::cpu {
namespace {

// 256 KiB of output: stays in a core's L2 cache, takes about 0.1 ms, so a cancelled job ends within that.
constexpr uint64_t kChunkBytes = 256 * 1024;
// Chunks are cut at multiples of this many elements of the whole output: whole Philox blocks and whole
// vectors.
constexpr uint64_t kChunkAlign = 64;
// After so many chunks (about 2 ms) a thread looks whether other work waits, so that a small job does not
// wait for a huge one that came first.
constexpr int kChunksPerTurn = 16;

struct Pool {
  std::mutex mutex;
  std::condition_variable wake;  // work was listed, or the pool stops
  std::condition_variable idle;  // a thread left some work
  Work* first = nullptr;         // work that may still have chunks to take, in the order of turns
  bool stopping = false;
  std::vector<std::thread> threads;
};

// Pointers and a constexpr-constructed mutex only: nothing here has a destructor to run at exit, when threads
// may still be about.
std::mutex poolMutex;
Pool* pool = nullptr;
unsigned poolUsers = 0;

// No advice about huge pages: measured on fresh 1 GiB buffers in a virtual machine, MADV_HUGEPAGE made the
// first touch anything from 2.5 times faster to 4 times slower than plain pages, and slower in the median.
void prepare(Work& work) {
  const uint64_t size = byteSize(work.fill.dtype);
  work.chunkElements = kChunkBytes / size;
  work.firstCut = std::min(work.end, work.start / kChunkAlign * kChunkAlign + work.chunkElements);
  if (work.end <= work.start) {
    work.chunks = 0;
  } else {
    work.chunks = 1 + (work.end - work.firstCut + work.chunkElements - 1) / work.chunkElements;
  }
}

void fillChunk(Work& work, uint64_t chunk) {
  const uint64_t from = chunk == 0 ? work.start : work.firstCut + (chunk - 1) * work.chunkElements;
  const uint64_t to = std::min(work.end, work.firstCut + chunk * work.chunkElements);
  char* out = static_cast<char*>(work.out) + (from - work.start) * byteSize(work.fill.dtype);
  work.target->fill(work.fill, out, from, to);
}

// Takes up to `turns` chunks; false when none are left to take.
bool takeChunks(Work& work, uint64_t turns) {
  for (; turns > 0; turns--) {
    if (work.cancelled.load(std::memory_order_relaxed)) return false;
    const uint64_t chunk = work.nextChunk.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= work.chunks) return false;
    fillChunk(work, chunk);
  }
  return true;
}

void list(Pool& p, Work* work) {
  Work** end = &p.first;
  while (*end != nullptr) end = &(*end)->next;
  work->next = nullptr;
  work->listed = true;
  *end = work;
}

void unlist(Pool& p, Work* work) {
  if (!work->listed) return;
  Work** at = &p.first;
  while (*at != work) at = &(*at)->next;
  *at = work->next;
  work->listed = false;
}

Work* nextWork(Pool& p) {
  for (Work* work = p.first; work != nullptr; work = work->next) {
    if (work->running < work->threads) return work;
  }
  return nullptr;
}

void runThread(Pool& p) {
  FloatMode mode;
  std::unique_lock<std::mutex> lock(p.mutex);
  for (;;) {
    Work* work = nextWork(p);
    if (work == nullptr) {
      if (p.stopping) return;
      p.wake.wait(lock);
      continue;
    }
    work->running++;
    lock.unlock();
    const bool more = takeChunks(*work, kChunksPerTurn);
    lock.lock();
    work->running--;
    if (more && work->listed) {
      if (work->next != nullptr) {  // to the end of the line
        unlist(p, work);
        list(p, work);
        p.wake.notify_one();
      }
      continue;
    }
    unlist(p, work);
    if (work->running > 0) continue;
    if (work->finished == nullptr) {
      p.idle.notify_all();
    } else {
      lock.unlock();
      work->finished(work);
      lock.lock();
    }
  }
}

// At least one thread is running afterwards, and `count` if the system allows.
bool startThreads(Pool& p, unsigned count) {
  count = std::min(count, kMaxThreads);
  try {
    while (p.threads.size() < count) p.threads.emplace_back([&p] { runThread(p); });
  } catch (const std::system_error&) {
  } catch (const std::bad_alloc&) {
  }
  return !p.threads.empty();
}

}  // namespace

void acquirePool() {
  std::lock_guard<std::mutex> lock(poolMutex);
  if (poolUsers == 0) pool = new Pool;
  poolUsers++;
}

void releasePool() {
  Pool* last = nullptr;
  {
    std::lock_guard<std::mutex> lock(poolMutex);
    if (--poolUsers > 0) return;
    last = pool;
    pool = nullptr;
  }
  {
    std::lock_guard<std::mutex> lock(last->mutex);
    last->stopping = true;
  }
  last->wake.notify_all();
  for (std::thread& thread : last->threads) thread.join();
  delete last;
}

void fillParallel(Work& work) {
  FloatMode mode;
  prepare(work);
  const unsigned helpers = static_cast<unsigned>(std::min<uint64_t>(work.threads, work.chunks));
  if (helpers <= 1) {
    takeChunks(work, UINT64_MAX);
    return;
  }
  Pool& p = *pool;
  work.threads = helpers - 1;
  {
    std::lock_guard<std::mutex> lock(p.mutex);
    if (startThreads(p, work.threads)) list(p, &work);
  }
  p.wake.notify_all();
  takeChunks(work, UINT64_MAX);
  std::unique_lock<std::mutex> lock(p.mutex);
  unlist(p, &work);
  p.idle.wait(lock, [&work] { return work.running == 0; });
}

bool submit(Work* work) {
  if (work->threads == 0) work->threads = 1;
  prepare(*work);
  Pool& p = *pool;
  {
    std::lock_guard<std::mutex> lock(p.mutex);
    if (!startThreads(p, work->threads)) return false;
    list(p, work);
  }
  p.wake.notify_all();
  return true;
}

}  // namespace isometry::cpu
