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

// Takes up to `turns` chunks; false when none are left to take.
bool takeChunks(Work& work, uint64_t turns) {
  for (; turns > 0; turns--) {
    if (work.cancelled.load(std::memory_order_relaxed)) return false;
    const uint64_t chunk = work.nextChunk.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= work.chunks) return false;
    work.run(work, chunk);
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
    const bool more = takeChunks(*work, work->chunksPerTurn);
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

void runParallel(Work& work) {
  FloatMode mode;
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
