// The numerics of core/ as a GPU thread does them: the same operations, words placed in 32-bit registers, and
// the normal's table in shared memory, a row in two loads. Compiled by nvcc for the device, and by the host
// compiler for the tests.
#ifndef ISOMETRY_CUDA_LANES_H_
#define ISOMETRY_CUDA_LANES_H_

#include "core/normal.h"
#include "core/philox.h"
#include "core/round.h"
#include "core/uniform.h"

#if defined(__CUDACC__)
// cuRAND's Philox alone: <curand_kernel.h> would put 220 KB of other generators' tables into every binary.
#include <curand_philox4x32_x.h>
#endif

namespace isometry::cuda {

// The four words of block (low, high) of a stream: on the device cuRAND's Philox rounds, with the keys of all
// rounds given (they are the same for all threads), on the host core/philox.h.
ISOMETRY_HD void drawBlock(const PhiloxKeys& keys, uint64_t stream, uint32_t low, uint32_t high,
                           uint32_t (&words)[4]) {
#if defined(__CUDA_ARCH__)
  uint4 counter = make_uint4(low, high, static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32));
  ISOMETRY_UNROLL
  for (int r = 0; r < kPhiloxRounds; ++r) {
    counter = _philox4x32round(counter, make_uint2(keys.k0[r], keys.k1[r]));
  }
  words[0] = counter.x;
  words[1] = counter.y;
  words[2] = counter.z;
  words[3] = counter.w;
#else
  philoxBlock(keys, stream, low | static_cast<uint64_t>(high) << 32, words);
#endif
}

// A row of the normal's table, highest power first, so that two loads fetch it (16 bytes and 8); rows of 32
// bytes would put only four of the most used rows into different banks, rows of 16 put eight there.
struct alignas(16) RowHigh {
  float c[4];  // of d^5, d^4, d^3, d^2
};
struct alignas(8) RowLow {
  float c[2];  // of d, 1
};
struct NormalRows {
  RowHigh high[kNormalRows];
  RowLow low[kNormalRows];
};

// Thread `thread` of `threads` copies its share; the block must then wait for the others.
ISOMETRY_HD void loadNormalRows(const float (*table)[kNormalRows], uint32_t thread, uint32_t threads,
                                NormalRows& rows) {
  for (uint32_t i = thread; i < static_cast<uint32_t>(kNormalRows); i += threads) {
    rows.high[i] = {{table[5][i], table[4][i], table[3][i], table[2][i]}};
    rows.low[i] = {{table[1][i], table[0][i]}};
  }
}

// What core/normal.h's standardNormal asks of a lane.
struct DeviceNormal {
  using U32 = uint32_t;
  using F32 = float;
  struct Row {
    RowHigh high;
    RowLow low;
  };
  const NormalRows* rows;

  ISOMETRY_HD U32 fold(U32 word) const {
    return ((word << 1) ^ static_cast<uint32_t>(static_cast<int32_t>(word) >> 31)) | 1u;
  }
  ISOMETRY_HD F32 toFloat(U32 folded) const { return static_cast<float>(folded); }
  ISOMETRY_HD Row row(F32 a) const {
    const uint32_t i = (bitCast<uint32_t>(a) >> 22) - 2 * 127;
    return {rows->high[i], rows->low[i]};
  }
  ISOMETRY_HD F32 coefficient(int k, const Row& row) const {
    return k >= 2 ? row.high.c[kNormalDegree - k] : row.low.c[1 - k];
  }
  ISOMETRY_HD F32 offset(F32 a) const {
    return bitCast<float>((bitCast<uint32_t>(a) & 0x3fffffu) | 0x3f800000u) - 1.25f;
  }
  ISOMETRY_HD F32 fma(F32 a, F32 b, F32 c) const { return fma32(a, b, c); }
  ISOMETRY_HD F32 flipSign(F32 z, U32 word) const {
    return bitCast<float>(bitCast<uint32_t>(z) ^ (word & 0x80000000u));
  }
};

ISOMETRY_HD float clampBelow(float x, float max) {
#if defined(__CUDA_ARCH__)
  return fminf(x, max);
#else
  return clamp(x, x, max);
#endif
}

// core/uniform.h's clamp in two instructions. The hardware orders -0 before +0, as that one does for bounds
// that are never -0; no sample is NaN.
ISOMETRY_HD float clampBoth(float x, float min, float max) {
#if defined(__CUDA_ARCH__)
  return fminf(fmaxf(x, min), max);
#else
  return clamp(x, min, max);
#endif
}

// Two 16-bit elements in memory order.
ISOMETRY_HD uint32_t packBFloat16(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(second), "f"(first));
  return packed;
#else
  return toBFloat16(first) | static_cast<uint32_t>(toBFloat16(second)) << 16;
#endif
}

ISOMETRY_HD uint32_t packFloat16(float first, float second) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  uint32_t packed;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(second), "f"(first));
  return packed;
#else
  return toFloat16(first) | static_cast<uint32_t>(toFloat16(second)) << 16;
#endif
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_LANES_H_
