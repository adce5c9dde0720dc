// What differs between compilers. Every header of core/ is compiled by g++ or clang for the CPU backend and
// by nvcc for the GPU, host and device side, with floating-point contraction off.
#ifndef ISOMETRY_CORE_PLATFORM_H_
#define ISOMETRY_CORE_PLATFORM_H_

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define ISOMETRY_HD __host__ __device__ __forceinline__
#else
#define ISOMETRY_HD inline
#endif

// How often a device compiler writes a loop out; the host compiler decides for itself.
#if defined(__CUDA_ARCH__)
#define ISOMETRY_UNROLL _Pragma("unroll")
#define ISOMETRY_ROLLED _Pragma("unroll 1")
#else
#define ISOMETRY_UNROLL
#define ISOMETRY_ROLLED
#endif

// A source file compiled for an instruction set of its own names it here before it includes anything, so that
// its copies of these inline functions are its own: otherwise the linker could give a plain CPU the AVX-512
// ones.
#ifndef ISOMETRY_TARGET
#define ISOMETRY_TARGET baseline
#endif

namespace isometry::inline ISOMETRY_TARGET {

template <class To, class From>
ISOMETRY_HD To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "bitCast needs equal sizes");
  To to;
  memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_PLATFORM_H_
