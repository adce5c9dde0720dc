// Every function of core/ in a kernel, so that nvcc proves what g++ cannot: that the one definition of the
// numerics is valid device code. The kernels are as simple as can be; their results are what a CUDA backend
// has to equal. `tools/check-nvcc.mjs` compiles this file for every architecture, and counts its
// instructions.
#include <cstdint>

#include "core/fma.h"
#include "core/job.h"
#include "core/normal.h"
#include "core/philox.h"
#include "core/quantile.h"
#include "core/region.h"
#include "core/round.h"
#include "core/uniform.h"

namespace isometry::cuda {

// Shared by the threads of a block: six loads at one row, in as many conflict-free banks as rows differ.
__constant__ float kDeviceNormalTable[kNormalDegree + 1][kNormalRows] = {ISOMETRY_NORMAL_TABLE};

__device__ void loadNormalTable(float* shared) {
  const float* table = &kDeviceNormalTable[0][0];
  for (int i = threadIdx.x; i < (kNormalDegree + 1) * kNormalRows; i += blockDim.x) shared[i] = table[i];
  __syncthreads();
}

__device__ uint64_t globalThread() { return static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; }

// Calls visit(n, words) for every Philox block n of the output that is this thread's: a grid-stride loop, so
// that the counts of tools/sass.mjs have a loop to count.
template <class Visit>
__device__ void forEachBlock(const PhiloxKeys& keys, uint64_t stream, uint64_t blocks, const Visit& visit) {
  const uint64_t step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
#pragma unroll 1
  for (uint64_t n = globalThread(); n < blocks; n += step) {
    uint32_t words[4];
    philoxBlock(keys, stream, n, words);
    visit(n, words);
  }
}

// Kernels have plain names, so that counting their instructions needs no demangler.
extern "C" {

__global__ void fillWords(uint4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream) {
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    out[n] = make_uint4(words[0], words[1], words[2], words[3]);
  });
}

__global__ void fillUniform32(float4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream, float low,
                              float step, float min, float max) {
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    float x[4];
    for (int i = 0; i < 4; ++i) x[i] = clamp(uniform32(words[i], low, step), min, max);
    out[n] = make_float4(x[0], x[1], x[2], x[3]);
  });
}

__global__ void fillUniform64(double2* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream, double low,
                              double range, double min, double max) {
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    out[n] = make_double2(clamp(uniform64(words[0], words[1], low, range), min, max),
                          clamp(uniform64(words[2], words[3], low, range), min, max));
  });
}

}  // extern "C"

// What every normal does: `Law` says which word stands for the one drawn and what becomes of a standard
// normal; `Store` packs four samples.
struct Normal {
  float mean, std;
  __device__ uint32_t word(uint32_t drawn) const { return drawn; }
  __device__ float sample(float z) const { return fma32(z, std, mean); }
};

struct Truncated {
  float mean, std, min, max;
  uint32_t base, count;
  __device__ uint32_t word(uint32_t drawn) const { return truncateWord(drawn, base, count); }
  __device__ float sample(float z) const { return clamp(fma32(z, std, mean), min, max); }
};

struct StoreFloat32 {
  using Out = float4;
  __device__ static Out pack(const float (&x)[4]) { return make_float4(x[0], x[1], x[2], x[3]); }
};

struct StoreBFloat16 {
  using Out = ushort4;
  __device__ static Out pack(const float (&x)[4]) {
    return make_ushort4(toBFloat16(x[0]), toBFloat16(x[1]), toBFloat16(x[2]), toBFloat16(x[3]));
  }
};

struct StoreFloat16 {
  using Out = ushort4;
  __device__ static Out pack(const float (&x)[4]) {
    return make_ushort4(toFloat16(x[0]), toFloat16(x[1]), toFloat16(x[2]), toFloat16(x[3]));
  }
};

template <class Store, class Law>
__device__ void fillNormal(typename Store::Out* out, uint64_t blocks, const PhiloxKeys& keys, uint64_t stream,
                           const Law& law) {
  __shared__ float table[(kNormalDegree + 1) * kNormalRows];
  loadNormalTable(table);
  const ScalarNormal lanes{table};
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    float x[4];
    for (int i = 0; i < 4; ++i) x[i] = law.sample(standardNormal(lanes, law.word(words[i])));
    out[n] = Store::pack(x);
  });
}

extern "C" {

__global__ void fillNormal32(float4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream, Normal law) {
  fillNormal<StoreFloat32>(out, blocks, keys, stream, law);
}

__global__ void fillNormalBFloat16(ushort4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream,
                                   Normal law) {
  fillNormal<StoreBFloat16>(out, blocks, keys, stream, law);
}

__global__ void fillNormalFloat16(ushort4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream,
                                  Normal law) {
  fillNormal<StoreFloat16>(out, blocks, keys, stream, law);
}

__global__ void fillTruncated32(float4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream,
                                Truncated law) {
  fillNormal<StoreFloat32>(out, blocks, keys, stream, law);
}

__global__ void fillQuantile32(float4* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream,
                               const double* table, double mean, double std, double min, double max) {
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    float x[4];
    for (int i = 0; i < 4; ++i) {
      x[i] = static_cast<float>(clamp(scale64(quantile32(words[i], table), mean, std), min, max));
    }
    out[n] = make_float4(x[0], x[1], x[2], x[3]);
  });
}

__global__ void fillQuantile64(double2* out, uint64_t blocks, PhiloxKeys keys, uint64_t stream,
                               const double* table, double mean, double std, double min, double max) {
  forEachBlock(keys, stream, blocks, [&](uint64_t n, const uint32_t(&words)[4]) {
    out[n] = make_double2(clamp(scale64(quantile64(words[1], words[0], table), mean, std), min, max),
                          clamp(scale64(quantile64(words[3], words[2], table), mean, std), min, max));
  });
}

}  // extern "C"

// The fused multiply-add of machines that have none, against the one this machine has.
extern "C" __global__ void countFmaDifferences(const float* a, const float* b, const float* c,
                                               uint64_t length, unsigned long long* differences) {
  const uint64_t i = globalThread();
  if (i >= length) return;
  if (bitCast<uint32_t>(emulatedFma(a[i], b[i], c[i])) != bitCast<uint32_t>(fma32(a[i], b[i], c[i]))) {
    atomicAdd(differences, 1ull);
  }
}

// The host side of the same headers, compiled by the same nvcc.
uint32_t hostTwin(const double* table, const float* normalTable, const Fill& fill) {
  uint32_t words[4];
  philoxBlock(philoxKeys(fill.seed), 1, 2, words);
  float x = uniform32(words[0], 0.0f, uniformStep32(1.0));
  x = clamp(fma32(standardNormal(ScalarNormal{normalTable}, truncateWord(words[1], 1, 2)), 2.0f, x), 0.0f,
            1.0f);
  const double y = uniform64(words[0], words[1], 0, 1) + quantile32(words[2], table) +
                   quantile64(words[2], words[3], table) + emulatedFma(x, x, x);
  uint64_t count = 0;
  if (fill.jobCount > 0) forEachRun(fill.jobs[0].region, 0, 1, [&](const Run& run) { count += run.count; });
  return toBFloat16(x) + toFloat16(static_cast<float>(y)) + static_cast<uint32_t>(count);
}

}  // namespace isometry::cuda
