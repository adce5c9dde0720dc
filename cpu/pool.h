// The native backend's threads: one pool for the whole process, shared by every JavaScript environment in it.
// Which thread computes which chunk never matters: a chunk's bytes depend on its element indices alone.
#ifndef ISOMETRY_CPU_POOL_H_
#define ISOMETRY_CPU_POOL_H_

#include <atomic>
#include <cstdint>

namespace isometry::cpu {

// More threads than this are never started, whatever is asked for.
inline constexpr unsigned kMaxThreads = 256;

// The pool lives from the first acquire to the last release, which joins all its threads: afterwards no code
// of this library runs, so it may be unloaded. Every other function here needs the pool acquired.
void acquirePool();
void releasePool();

// Work in chunks that threads take in turn. Everything it points to must stay alive until it has finished.
struct Work {
  void (*run)(Work& work, uint64_t chunk) = nullptr;
  uint64_t chunks = 0;
  // After so many chunks a thread looks whether other work waits, so that a small job does not wait for a
  // huge one that came first: together about 2 ms, or one chunk.
  unsigned chunksPerTurn = 1;
  unsigned threads = 1;  // at most so many at once

  // Called exactly once for submitted work, by the thread that leaves it last, also when it was cancelled. It
  // may delete the work; the pool touches neither work nor context afterwards. Not called by runParallel.
  void (*finished)(Work* work) = nullptr;
  void* context = nullptr;

  // May be set by any thread at any time: chunks not yet begun are left out.
  std::atomic<bool> cancelled{false};

  // The pool's own.
  std::atomic<uint64_t> nextChunk{0};
  unsigned running = 0;
  bool listed = false;
  Work* next = nullptr;
};

// Runs the work with up to `work.threads` threads, the caller among them, and returns when it is done.
void runParallel(Work& work);

// Hands the work to the pool's threads and returns at once. False, and nothing is done, when the system
// refuses even one thread.
bool submit(Work* work);

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_POOL_H_
