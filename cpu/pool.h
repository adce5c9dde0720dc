// The native backend's threads: one pool for the whole process, shared by every JavaScript environment in it.
// Which thread computes which chunk never matters: a chunk's bytes depend on its element indices alone.
#ifndef ISOMETRY_CPU_POOL_H_
#define ISOMETRY_CPU_POOL_H_

#include <atomic>
#include <cstdint>

#include "core/job.h"
#include "cpu/fill.h"

namespace isometry::cpu {

// More threads than this are never started, whatever is asked for.
inline constexpr unsigned kMaxThreads = 256;

// The pool lives from the first acquire to the last release, which joins all its threads: afterwards no code
// of this library runs, so it may be unloaded. Every other function here needs the pool acquired.
void acquirePool();
void releasePool();

// One window [start, end) of one fill, cut into chunks that threads take in turn. Everything it points to
// must stay alive until it has finished.
struct Work {
  const Target* target = nullptr;
  Fill fill{};
  void* out = nullptr;  // holds element `start`
  uint64_t start = 0, end = 0;
  unsigned threads = 1;  // at most so many at once

  // Called exactly once for submitted work, by the thread that leaves it last, also when it was cancelled. It
  // may delete the work; the pool touches neither work nor context afterwards. Null for fillParallel.
  void (*finished)(Work* work) = nullptr;
  void* context = nullptr;

  // May be set by any thread at any time: chunks not yet begun are left out.
  std::atomic<bool> cancelled{false};

  // The pool's own.
  std::atomic<uint64_t> nextChunk{0};
  uint64_t firstCut = 0, chunkElements = 0, chunks = 0;
  unsigned running = 0;
  bool listed = false;
  Work* next = nullptr;
};

// Computes the window with up to `work.threads` threads, the caller among them, and returns when it is done.
void fillParallel(Work& work);

// Hands the window to the pool's threads and returns at once. False, and nothing is done, when the system
// refuses even one thread.
bool submit(Work* work);

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_POOL_H_
