// What the backend asks of the operating system.
#ifndef ISOMETRY_CPU_MACHINE_H_
#define ISOMETRY_CPU_MACHINE_H_

#include <cstddef>

namespace isometry::cpu {

// CPUs that this process may use at once, at least 1: its affinity mask, and a cgroup's CPU quota rounded up.
unsigned usableCpus();

// Asks for huge pages under the memory's interior. Filling fresh memory is bound by page faults otherwise: a fresh
// 1 GiB takes 2^18 of them at 4 KiB, 512 at 2 MiB. Advice only; does nothing for small or already touched memory.
void adviseHugePages(void* memory, size_t bytes);

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_MACHINE_H_
