// Philox as cuRAND draws it on the device beside ours; needs the cuRAND headers (tools/fetch-cuda-headers.mjs
// gets them where only the compiler is installed). The host generator of the same library is compared word
// for word by test/oracle without a GPU; this is the device half, for a machine that has one.
#include <curand_kernel.h>

#include <cstdint>

#include "core/philox.h"

namespace isometry::cuda {

// Philox4x32 of cuRAND keeps its counter as we do: n in x and y, the subsequence in z and w.
static_assert(sizeof(curandStatePhilox4_32_10_t) >= sizeof(uint4) + sizeof(uint2),
              "cuRAND's Philox state has changed");
static_assert(PHILOX_W32_0 == kPhiloxW0 && PHILOX_W32_1 == kPhiloxW1,
              "cuRAND's Philox key increments have changed");
static_assert(PHILOX_M4x32_0 == kPhiloxM0 && PHILOX_M4x32_1 == kPhiloxM1,
              "cuRAND's Philox multipliers have changed");

// Thread i draws word firstWord + i of the stream in both ways and counts the differences.
__global__ void countCurandDifferences(uint64_t seed, uint64_t stream, uint64_t firstWord, uint64_t length,
                                       unsigned long long* differences) {
  const uint64_t thread = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (thread >= length) return;
  const uint64_t i = firstWord + thread;

  curandStatePhilox4_32_10_t state;
  curand_init(seed, stream, i, &state);
  uint32_t words[4];
  philoxBlock(philoxKeys(seed), stream, i >> 2, words);
  if (curand(&state) != words[i & 3]) atomicAdd(differences, 1ull);
}

}  // namespace isometry::cuda
