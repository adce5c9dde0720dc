// Kernels whose threads wait for each other, written once for the GPU and for the host, where the tests run
// them: as phases, "for each thread", with barriers between. On the GPU a phase is what the one thread does;
// on the host it is a loop over the block's threads, and a barrier is its end.
#ifndef ISOMETRY_CUDA_BLOCK_H_
#define ISOMETRY_CUDA_BLOCK_H_

#include "core/platform.h"

#if defined(__CUDA_ARCH__)
#define ISOMETRY_EACH_THREAD(t, threads) if (const uint32_t t = threadIdx.x; true)
#define ISOMETRY_BARRIER() __syncthreads()
#else
#define ISOMETRY_EACH_THREAD(t, threads) for (uint32_t t = 0; t < (threads); ++t)
#define ISOMETRY_BARRIER() static_cast<void>(0)
#endif

namespace isometry::cuda {

// What a thread keeps from one phase to the next: its registers.
#if defined(__CUDA_ARCH__)
template <class T, uint32_t threads>
struct PerThread {
  T own;
  ISOMETRY_HD T& operator[](uint32_t) { return own; }
};
#else
template <class T, uint32_t threads>
struct PerThread {
  T all[threads];
  ISOMETRY_HD T& operator[](uint32_t thread) { return all[thread]; }
};
#endif

// Starts a copy of 4, 8 or 16 bytes, both ends aligned to that, from global to shared memory. Where the
// hardware cannot (before compute capability 8.0), it copies.
template <uint32_t bytes>
ISOMETRY_HD void copyAhead(void* to, const void* from) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const auto shared = static_cast<uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (bytes == 16) {  // past the first-level cache: no other thread of the block wants it
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared), "l"(from) : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(shared), "l"(from), "n"(bytes) : "memory");
  }
#elif defined(__CUDA_ARCH__)
  if constexpr (bytes == 16) *static_cast<uint4*>(to) = __ldg(static_cast<const uint4*>(from));
  if constexpr (bytes == 8) *static_cast<uint2*>(to) = __ldg(static_cast<const uint2*>(from));
  if constexpr (bytes == 4) *static_cast<uint32_t*>(to) = __ldg(static_cast<const uint32_t*>(from));
#else
  memcpy(to, from, bytes);
#endif
}

// Ends a group of copies of this thread. Every thread ends the same number of groups, empty ones too.
ISOMETRY_HD void endCopies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

// Waits until at most the `open` newest groups of this thread's copies are not done. A barrier must follow
// before another thread reads what was copied.
template <int open>
ISOMETRY_HD void awaitCopies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(open) : "memory");
#endif
}

// 16 bytes of numbers.
template <class Real>
struct alignas(16) Quad {
  static constexpr uint32_t kCount = 16 / sizeof(Real);
  Real x[kCount];
};

template <class Real>
ISOMETRY_HD Quad<Real> loadQuad(const Real* from) {
  return *reinterpret_cast<const Quad<Real>*>(from);
}

template <class Real>
ISOMETRY_HD void storeQuad(Real* to, const Quad<Real>& quad) {
  *reinterpret_cast<Quad<Real>*>(to) = quad;
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_BLOCK_H_
