// Kernels that only the GPU suite needs: cuRAND beside core/philox.h, fills as simple as can be in several
// shapes, and the rates of single instructions. The kernels that the library ships are in cuda/fill.cu.
#include <curand_kernel.h>

#include <cstdint>

#include "cuda/lanes.h"
#include "test/native/gpu/kernels.h"

namespace isometry::gpu {
namespace {

using cuda::DeviceNormal;
using cuda::NormalRows;

__constant__ float kTable[kNormalDegree + 1][kNormalRows] = {ISOMETRY_NORMAL_TABLE};

// --- what four samples are made of
// ---------------------------------------------------------------------------------

struct Store {  // no numbers at all: what the memory takes
  static constexpr bool kDraws = false;
  static constexpr bool kLooksUp = false;
  __device__ Store(const Flat&, const NormalRows*) {}
  __device__ uint4 packet(const uint32_t (&)[4]) const { return make_uint4(0x3f800000u, 0, 0x3f800000u, 0); }
};

struct Words {  // random bits and nothing else
  static constexpr bool kDraws = true;
  static constexpr bool kLooksUp = false;
  __device__ Words(const Flat&, const NormalRows*) {}
  __device__ uint4 packet(const uint32_t (&w)[4]) const { return make_uint4(w[0], w[1], w[2], w[3]); }
};

__device__ uint4 bits(float a, float b, float c, float d) {
  return make_uint4(__float_as_uint(a), __float_as_uint(b), __float_as_uint(c), __float_as_uint(d));
}

struct Uniform {
  static constexpr bool kDraws = true;
  static constexpr bool kLooksUp = false;
  float low, step;
  __device__ Uniform(const Flat& flat, const NormalRows*) : low(flat.shift), step(flat.scale * 0x1p-24f) {}
  __device__ uint4 packet(const uint32_t (&w)[4]) const {
    return bits(uniform32(w[0], low, step), uniform32(w[1], low, step), uniform32(w[2], low, step),
                uniform32(w[3], low, step));
  }
};

struct Icdf {  // the definition: piecewise inverse CDF, table in shared memory
  static constexpr bool kDraws = true;
  static constexpr bool kLooksUp = true;
  DeviceNormal normal;
  float mean, std;
  __device__ Icdf(const Flat& flat, const NormalRows* rows)
      : normal{rows}, mean(flat.shift), std(flat.scale) {}
  __device__ float one(uint32_t word) const { return fma32(standardNormal(normal, word), std, mean); }
  __device__ uint4 packet(const uint32_t (&w)[4]) const {
    return bits(one(w[0]), one(w[1]), one(w[2]), one(w[3]));
  }
};

// Box and Muller's transform by FMA alone, the alternative that performance notes name: polynomials of the
// Cephes library (logf.c, sinf.c), the square root by the hardware's estimate and one corrected step. It
// exists to be timed.
struct FmaBoxMuller {
  static constexpr bool kDraws = true;
  static constexpr bool kLooksUp = false;
  float mean, std;
  __device__ FmaBoxMuller(const Flat& flat, const NormalRows*) : mean(flat.shift), std(flat.scale) {}

  static __device__ float minusTwoLog(uint32_t word) {
    const float u = fma32(static_cast<float>(word), 0x1p-32f, 0x1p-33f);
    const uint32_t raw = __float_as_uint(u) - 0x3f3504f3u;  // so that the mantissa lies about 1: √½ ≤ m < √2
    const float exponent = static_cast<float>(static_cast<int32_t>(raw) >> 23);
    const float m = __uint_as_float((raw & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
    float p = 7.0376836292e-2f;
    for (float c : {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                    -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f, -0.5f, 1.0f}) {
      p = fma32(p, m, c);
    }
    return -2.0f * fma32(p, m, exponent * 0.693147182f);
  }
  static __device__ float root(float x) {
    float r;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x + 1e-30f));
    const float s = x * r;
    return fma32(fma32(-s, s, x), 0.5f * r, s);
  }
  static __device__ void pair(uint32_t a, uint32_t b, float& x, float& y) {
    const float radius = root(minusTwoLog(a));
    const float t = static_cast<float>(static_cast<int32_t>(b << 2)) * (0.78539816339f * 0x1p-31f);  // ±π/4
    const float square = t * t;
    const float s =
        t * fma32(square,
                  fma32(square, fma32(square, -1.9515295891e-4f, 8.3321608736e-3f), -1.6666654611e-1f), 1.0f);
    const float c = fma32(
        square * square,
        fma32(square, fma32(square, 2.443315711809948e-5f, -1.388731625493765e-3f), 4.166664568298827e-2f),
        fma32(square, -0.5f, 1.0f));
    const bool swap = (b & 0x40000000u) != 0;
    x = __uint_as_float(__float_as_uint(radius * (swap ? c : s)) ^ (b & 0x80000000u));
    y = radius * (swap ? s : c);
  }
  __device__ uint4 packet(const uint32_t (&w)[4]) const {
    float z[4];
    pair(w[0], w[1], z[0], z[1]);
    pair(w[2], w[3], z[2], z[3]);
    return bits(fma32(z[0], std, mean), fma32(z[1], std, mean), fma32(z[2], std, mean),
                fma32(z[3], std, mean));
  }
};

struct MufuBoxMuller {  // by the hardware's approximations: the speed that reproducibility is paid with
  static constexpr bool kDraws = true;
  static constexpr bool kLooksUp = false;
  float mean, std;
  __device__ MufuBoxMuller(const Flat& flat, const NormalRows*) : mean(flat.shift), std(flat.scale) {}
  static __device__ void pair(uint32_t a, uint32_t b, float& x, float& y) {
    const float u = fma32(static_cast<float>(a), 0x1p-32f, 0x1p-33f);
    float radius;
    asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(radius) : "f"(-1.38629436f * __log2f(u)));
    const float angle = static_cast<float>(b) * (6.2831853f * 0x1p-32f);
    x = radius * __sinf(angle);
    y = radius * __cosf(angle);
  }
  __device__ uint4 packet(const uint32_t (&w)[4]) const {
    float z[4];
    pair(w[0], w[1], z[0], z[1]);
    pair(w[2], w[3], z[2], z[3]);
    return bits(fma32(z[0], std, mean), fma32(z[1], std, mean), fma32(z[2], std, mean),
                fma32(z[3], std, mean));
  }
};

// --- one flat fill: tiles of kPackets packets per thread, a block apart; then on by a grid
// ------------------------------------

template <class Law, int kPackets, bool kStreaming>
__device__ void flatFill(const Flat& flat) {
  __shared__ NormalRows rows;
  if constexpr (Law::kLooksUp) {
    cuda::loadNormalRows(kTable, threadIdx.x, blockDim.x, rows);
    __syncthreads();
  }
  const Law law(flat, &rows);
  auto* const out = reinterpret_cast<uint4*>(flat.address);
  const uint64_t tile = static_cast<uint64_t>(blockDim.x) * kPackets;
  const auto packet = [&](uint64_t n) {
    uint32_t words[4] = {};
    if constexpr (Law::kDraws) {
      cuda::drawBlock(flat.keys, flat.stream, static_cast<uint32_t>(n), static_cast<uint32_t>(n >> 32),
                      words);
    }
    const uint4 made = law.packet(words);
    if constexpr (kStreaming) {
      __stcs(out + n, made);
    } else {
      out[n] = made;
    }
  };
#pragma unroll 1
  for (uint64_t first = blockIdx.x * tile; first < flat.packets; first += gridDim.x * tile) {
    const uint64_t mine = first + threadIdx.x;
    if (first + tile <= flat.packets) {
#pragma unroll
      for (int k = 0; k < kPackets; ++k) packet(mine + static_cast<uint64_t>(k) * blockDim.x);
    } else {
      for (uint64_t n = mine; n < flat.packets; n += blockDim.x) packet(n);
    }
  }
}

}  // namespace

#define ISOMETRY_FLAT(name, Law)                                                                         \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##1(const __grid_constant__ Flat flat) {  \
    flatFill<Law, 1, false>(flat);                                                                       \
  }                                                                                                      \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##2(const __grid_constant__ Flat flat) {  \
    flatFill<Law, 2, false>(flat);                                                                       \
  }                                                                                                      \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##4(const __grid_constant__ Flat flat) {  \
    flatFill<Law, 4, false>(flat);                                                                       \
  }                                                                                                      \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##1s(const __grid_constant__ Flat flat) { \
    flatFill<Law, 1, true>(flat);                                                                        \
  }                                                                                                      \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##2s(const __grid_constant__ Flat flat) { \
    flatFill<Law, 2, true>(flat);                                                                        \
  }                                                                                                      \
  extern "C" __global__ void __launch_bounds__(1024) flat##name##4s(const __grid_constant__ Flat flat) { \
    flatFill<Law, 4, true>(flat);                                                                        \
  }

ISOMETRY_FLAT(Store, Store)
ISOMETRY_FLAT(Words, Words)
ISOMETRY_FLAT(Uniform, Uniform)
ISOMETRY_FLAT(Icdf, Icdf)
ISOMETRY_FLAT(FmaBoxMuller, FmaBoxMuller)
ISOMETRY_FLAT(MufuBoxMuller, MufuBoxMuller)

// --- cuRAND's device generator beside core/philox.h
// ------------------------------------------------------------------

extern "C" __global__ void countCurandDifferences(const __grid_constant__ Draws draws) {
  const uint64_t thread = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (thread >= draws.threads) return;
  const uint64_t first = draws.first + thread;

  uint32_t ours[8];
  const PhiloxKeys keys = philoxKeys(draws.seed);
  for (uint64_t i = 0; i < 8; ++i) {
    uint32_t words[4];
    philoxBlock(keys, draws.stream, (first + i) >> 2, words);
    ours[i] = words[(first + i) & 3];
  }
  unsigned long long wrong = 0;
  curandStatePhilox4_32_10_t one, four;
  curand_init(draws.seed, draws.stream, first, &one);
  curand_init(draws.seed, draws.stream, first, &four);
  for (int i = 0; i < 8; ++i) wrong += curand(&one) != ours[i];
  for (int i = 0; i < 8; i += 4) {
    const uint4 w = curand4(&four);
    wrong += (w.x != ours[i]) + (w.y != ours[i + 1]) + (w.z != ours[i + 2]) + (w.w != ours[i + 3]);
  }
  if (wrong != 0) atomicAdd(reinterpret_cast<unsigned long long*>(draws.differences), wrong);
}

// --- rates of instructions
// -------------------------------------------------------------------------------------------

namespace {

// chain[c] starts as start(c); step(x) moves a chain on.
template <class Start, class Step>
__device__ void micro(const Micro& run, const Start& start, const Step& step) {
  uint64_t chain[kMicroChains];
  for (int c = 0; c < kMicroChains; ++c) chain[c] = start(c);
  __syncthreads();
  const long long begin = clock64();
#pragma unroll 1
  for (uint32_t turn = 0; turn < run.turns; ++turn) {
#pragma unroll
    for (int s = 0; s < kMicroSteps; ++s) {
#pragma unroll
      for (int c = 0; c < kMicroChains; ++c) step(chain[c]);
    }
  }
  __syncthreads();
  const long long end = clock64();
  uint64_t all = 0;
  for (int c = 0; c < kMicroChains; ++c) all ^= chain[c];
  reinterpret_cast<uint32_t*>(run.sink)[blockIdx.x * blockDim.x + threadIdx.x] =
      static_cast<uint32_t>(all ^ (all >> 32));
  if (threadIdx.x == 0)
    reinterpret_cast<uint64_t*>(run.cycles)[blockIdx.x] = static_cast<uint64_t>(end - begin);
}

template <class Step>
__device__ void micro(const Micro& run, const Step& step) {
  micro(
      run,
      [&](int c) {
        return static_cast<uint64_t>(run.seed + threadIdx.x) * 0x9e3779b97f4a7c15ull +
               static_cast<uint64_t>(c);
      },
      step);
}

__device__ uint32_t low(uint64_t x) { return static_cast<uint32_t>(x); }
__device__ uint32_t high(uint64_t x) { return static_cast<uint32_t>(x >> 32); }
__device__ uint64_t join(uint32_t l, uint32_t h) { return static_cast<uint64_t>(h) << 32 | l; }

__device__ uint64_t wide(uint32_t a) {
  uint64_t x;
  asm volatile("mul.wide.u32 %0, %1, %2;" : "=l"(x) : "r"(a), "r"(kPhiloxM0));
  return x;
}
__device__ uint32_t exclusiveOr(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t x;
  asm volatile("lop3.b32 %0, %1, %2, %3, 0x96;" : "=r"(x) : "r"(a), "r"(b), "r"(c));
  return x;
}

}  // namespace

// 2 IMAD.WIDE and 1 LOP3 a step. The multiplication cannot stand alone: both halves of a product must be
// used, or the compiler takes a narrower one. LOP3 is another pipe's, so this shows the multiplier's rate.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microImadWide(const __grid_constant__ Micro run) {
  micro(run, [](uint64_t& x) {
    const uint64_t p = wide(low(x)), q = wide(high(x));
    x = join(exclusiveOr(low(p), high(p), low(q)), high(q));
  });
}

// 1 LOP3 a step.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microLop3(const __grid_constant__ Micro run) {
  micro(run, [](uint64_t& x) { x = join(exclusiveOr(low(x), high(x), kPhiloxW0), high(x)); });
}

// 1 IMAD.WIDE and 1 LOP3 a step, each waiting for the other: half a Philox round.
extern "C" __global__ void __launch_bounds__(kMicroThreads)
    microPhiloxMix(const __grid_constant__ Micro run) {
  micro(run, [](uint64_t& x) { x = wide(exclusiveOr(low(x), high(x), kPhiloxW0)); });
}

// 1 FFMA a step.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microFfma(const __grid_constant__ Micro run) {
  micro(run, [](uint64_t& x) {
    float f = __uint_as_float(low(x));
    asm volatile("fma.rn.f32 %0, %0, %1, %2;" : "+f"(f) : "f"(0.999f), "f"(__uint_as_float(high(x))));
    x = join(__float_as_uint(f), high(x));
  });
}

// 1 I2F and 1 LOP3 a step.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microI2f(const __grid_constant__ Micro run) {
  micro(run, [](uint64_t& x) {
    float f;
    asm volatile("cvt.rn.f32.u32 %0, %1;" : "=f"(f) : "r"(low(x)));
    x = join(exclusiveOr(__float_as_uint(f), high(x), kPhiloxW0), high(x));
  });
}

// 1 LDS.32 a step (and the sum of its address): rows as the normal meets them, half of the threads at the
// last two, a quarter at the two before, … A place holds its own offset, so a chain of loads stays in its
// row.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microLdsTable(const __grid_constant__ Micro run) {
  __shared__ uint32_t table[kNormalRows];
  for (uint32_t i = threadIdx.x; i < kNormalRows; i += blockDim.x) table[i] = i * 4;
  __syncthreads();
  const uint32_t base = static_cast<uint32_t>(__cvta_generic_to_shared(table));
  micro(
      run,
      [&](int c) {
        uint32_t words[4];
        philoxBlock(philoxKeys(run.seed), threadIdx.x, static_cast<uint64_t>(c), words);
        const int row =
            kNormalRows - 2 - 2 * __clz(static_cast<int>(words[0])) - static_cast<int>(words[1] & 1);
        return static_cast<uint64_t>(row < 0 ? 0 : row) * 4;
      },
      [base](uint64_t& x) {
        uint32_t l;
        asm volatile("ld.shared.u32 %0, [%1];" : "=r"(l) : "r"(base + low(x)));
        x = l;
      });
}

// 20 IMAD.WIDE and 20 LOP3 a step: a whole Philox block, nothing stored.
extern "C" __global__ void __launch_bounds__(kMicroThreads) microPhilox(const __grid_constant__ Micro run) {
  const PhiloxKeys keys = philoxKeys(run.seed);
  uint64_t c[4] = {threadIdx.x, blockIdx.x, 1, 2};
  __syncthreads();
  const long long begin = clock64();
#pragma unroll 1
  for (uint32_t turn = 0; turn < run.turns; ++turn) philox<ScalarLane>(c, keys);
  __syncthreads();
  const long long end = clock64();
  reinterpret_cast<uint32_t*>(run.sink)[blockIdx.x * blockDim.x + threadIdx.x] =
      static_cast<uint32_t>(c[0] ^ c[1] ^ c[2] ^ c[3]);
  if (threadIdx.x == 0)
    reinterpret_cast<uint64_t*>(run.cycles)[blockIdx.x] = static_cast<uint64_t>(end - begin);
}

}  // namespace isometry::gpu
