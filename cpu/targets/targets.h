// The entry of each SIMD target; each .cc beside this file is compiled with its target's flags.
#ifndef ISOMETRY_CPU_TARGETS_TARGETS_H_
#define ISOMETRY_CPU_TARGETS_TARGETS_H_

#include "core/job.h"
#include "cpu/fill.h"

#if defined(__x86_64__) || defined(_M_X64)
#define ISOMETRY_X86 1
#else
#define ISOMETRY_X86 0
#endif

namespace isometry::cpu {

void fillAvx512(const Fill& fill, void* out, uint64_t start, uint64_t end);
void standardNormalsAvx512(const uint32_t* words, size_t count, float* out);
extern const Reflections kReflections32Avx512, kReflections64Avx512;
void fillAvx2(const Fill& fill, void* out, uint64_t start, uint64_t end);
void standardNormalsAvx2(const uint32_t* words, size_t count, float* out);
extern const Reflections kReflections32Avx2, kReflections64Avx2;
void fillPortable(const Fill& fill, void* out, uint64_t start, uint64_t end);
void standardNormalsPortable(const uint32_t* words, size_t count, float* out);
extern const Reflections kReflections32Portable, kReflections64Portable;

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_TARGETS_TARGETS_H_
