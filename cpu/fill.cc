#include "cpu/fill.h"

#include <cstring>

#include "cpu/targets/targets.h"

namespace isometry::cpu {
namespace {

bool always() { return true; }

#if ISOMETRY_X86
bool hasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("fma");
}
bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}
#endif

constexpr Target kTargets[] = {
#if ISOMETRY_X86
    {"avx512", hasAvx512, fillAvx512, standardNormalsAvx512, &kReflections32Avx512, &kReflections64Avx512},
    {"avx2", hasAvx2, fillAvx2, standardNormalsAvx2, &kReflections32Avx2, &kReflections64Avx2},
#endif
    {"portable", always, fillPortable, standardNormalsPortable, &kReflections32Portable,
     &kReflections64Portable},
};

}  // namespace

const Target* targets(int* count) {
  *count = sizeof kTargets / sizeof *kTargets;
  return kTargets;
}

const Target* findTarget(const char* name) {
  for (const Target& target : kTargets) {
    if (std::strcmp(target.name, name) == 0) return target.supported() ? &target : nullptr;
  }
  return nullptr;
}

const Target* bestTarget() {
  for (const Target& target : kTargets) {
    if (target.supported()) return &target;
  }
  return nullptr;  // not reached: "portable" runs everywhere
}

}  // namespace isometry::cpu
