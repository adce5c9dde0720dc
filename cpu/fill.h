// The native CPU backend's fill: any window of an output, on one thread, for the SIMD target chosen at run
// time.
#ifndef ISOMETRY_CPU_FILL_H_
#define ISOMETRY_CPU_FILL_H_

#include <cstddef>
#include <cstdint>

#include "core/job.h"

namespace isometry::cpu {

// One SIMD target: the same function compiled for one instruction set.
struct Target {
  const char* name;     // "avx512", "avx2" or "portable"
  bool (*supported)();  // by this CPU
  // Computes elements [start, end) of the output into `out`, which holds element `start`. Elements that no
  // job covers are left alone.
  void (*fill)(const Fill& fill, void* out, uint64_t start, uint64_t end);
  // The standard normals of the given words (core/normal.h): what the exhaustive proof walks through.
  void (*standardNormals)(const uint32_t* words, size_t count, float* out);
};

// All targets compiled in, best first; the last one runs everywhere.
const Target* targets(int* count);

// The target of that name, or null when it is not compiled in or this CPU cannot run it.
const Target* findTarget(const char* name);

// The best target this CPU can run.
const Target* bestTarget();

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FILL_H_
