#include "cpu/machine.h"

#include <algorithm>
#include <cstdio>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace isometry::cpu {
namespace {

#if defined(__linux__)
// CPUs' worth of quota in cgroup v2 ("max 100000" or "150000 100000", microseconds), or 0 when there is none.
unsigned cgroupCpus() {
  FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == nullptr) return 0;
  long long quota = 0, period = 0;
  const int read = std::fscanf(file, "%lld %lld", &quota, &period);
  std::fclose(file);
  if (read != 2 || quota <= 0 || period <= 0) return 0;
  return static_cast<unsigned>((quota + period - 1) / period);
}
#endif

}  // namespace

unsigned usableCpus() {
  unsigned count = std::max(1u, std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;  // fails with more than 1024 CPUs: then the count above stands
  if (sched_getaffinity(0, sizeof(set), &set) == 0) count = std::max(1, CPU_COUNT(&set));
  const unsigned quota = cgroupCpus();
  if (quota > 0) count = std::min(count, quota);
#endif
  return count;
}

}  // namespace isometry::cpu
