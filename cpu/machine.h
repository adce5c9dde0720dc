// What the backend asks of the operating system.
#ifndef ISOMETRY_CPU_MACHINE_H_
#define ISOMETRY_CPU_MACHINE_H_

namespace isometry::cpu {

// CPUs that this process may use at once, at least 1: its affinity mask, and a cgroup's CPU quota rounded up.
unsigned usableCpus();

}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_MACHINE_H_
