// The native CPU backend's fill: any window of an output, on one thread, for the SIMD target chosen at run
// time.
#ifndef ISOMETRY_CPU_FILL_H_
#define ISOMETRY_CPU_FILL_H_

#include <cstddef>
#include <cstdint>

#include "core/job.h"

namespace isometry::cpu {

struct Factor;
struct Scratch;

// The loops of orthogonal matrices (orthogonal-inl.h) in one precision.
struct Reflections {
  int lanes;  // columns of Q are computed three times so many at a time
  void (*makeBlock)(const Factor& factor, uint64_t block, const Scratch& scratch);
  // False: the work was cancelled.
  bool (*makePanel)(const Factor& factor, uint64_t first, uint64_t last, const Scratch& scratch);
  // What is in the window [start, end) of the panel that makePanel has left in the scratch memory.
  void (*storePanel)(const Factor& factor, uint64_t first, uint64_t last, const Scratch& scratch, void* out,
                     uint64_t start, uint64_t end);
};

// One SIMD target: the same function compiled for one instruction set.
struct Target {
  const char* name;     // "avx512", "avx2" or "portable"
  bool (*supported)();  // by this CPU
  // Computes elements [start, end) of the output into `out`, which holds element `start`. Elements that no
  // job covers are left alone.
  void (*fill)(const Fill& fill, void* out, uint64_t start, uint64_t end);
  // The standard normals of the given words (core/normal.h): what the exhaustive proof walks through.
  void (*standardNormals)(const uint32_t* words, size_t count, float* out);
  const Reflections *float32, *float64;
};

// All targets compiled in, best first; the last one runs everywhere.
const Target* targets(int* count);

// The target of that name, or null when it is not compiled in or this CPU cannot run it.
const Target* findTarget(const char* name);

// The best target this CPU can run.
const Target* bestTarget();

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FILL_H_
