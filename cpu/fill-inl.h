// The fill loops, written once and compiled for every SIMD target. A target's source file (cpu/targets/)
// includes this inside its own namespace with its own compiler flags, so nothing here may have external
// linkage elsewhere.
#ifndef ISOMETRY_CPU_FILL_INL_H_
#define ISOMETRY_CPU_FILL_INL_H_

#include <algorithm>
#include <cstring>

#include "core/job.h"
#include "core/mask.h"
#include "core/normal.h"
#include "core/philox.h"
#include "core/quantile.h"
#include "core/region.h"
#include "core/round.h"
#include "core/uniform.h"

namespace isometry::cpu {
namespace {

// What an output element is and how a float32 register becomes some of it.
template <DType>
struct Element;
template <>
struct Element<DType::kFloat64> {
  using Type = double;
  static Type round(double x) { return x; }
};
template <>
struct Element<DType::kFloat32> {
  using Type = float;
  static Type round(double x) { return static_cast<float>(x); }
  template <class Simd>
  static void store(Type* p, typename Simd::F32 x) {
    Simd::store(p, x);
  }
};
template <>
struct Element<DType::kFloat16> {
  using Type = uint16_t;
  static Type round(double x) { return toFloat16(static_cast<float>(x)); }
  template <class Simd>
  static void store(Type* p, typename Simd::F32 x) {
    Simd::storeFloat16(p, x);
  }
};
template <>
struct Element<DType::kBFloat16> {
  using Type = uint16_t;
  static Type round(double x) { return toBFloat16(static_cast<float>(x)); }
  template <class Simd>
  static void store(Type* p, typename Simd::F32 x) {
    Simd::storeBFloat16(p, x);
  }
};

// A sampler turns a block of random words into kWords / wordsPerElement elements.

// float32 arithmetic, in registers.
template <class Simd, DType dtype>
struct UniformSampler {
  static constexpr int kWordsPerElement = 1;
  using T = typename Element<dtype>::Type;
  float low, step, min, max;
  explicit UniformSampler(const Params& p)
      : low(static_cast<float>(p.low)),
        step(uniformStep32(p.range)),
        min(static_cast<float>(p.min)),
        max(static_cast<float>(p.max)) {}
  void block(const typename Simd::U32 (&words)[Simd::kVectors], T* out) const {
    for (int v = 0; v < Simd::kVectors; ++v) {
      Element<dtype>::template store<Simd>(out + v * Simd::kLanes,
                                           Simd::clamp(Simd::uniform(words[v], low, step), min, max));
    }
  }
};

// The lanes that a target's registers cannot look up, one in 2^16 or 2^8 words: the core's scalar code.
template <class Simd>
[[gnu::noinline, gnu::cold]] void mendRare(uint32_t lanes, typename Simd::U32 word, typename Simd::F32& z) {
  uint32_t words[Simd::kLanes];
  float values[Simd::kLanes];
  Simd::store(words, word);
  Simd::store(values, z);
  for (int i = 0; i < Simd::kLanes; ++i) {
    if (lanes >> i & 1) values[i] = standardNormal(ScalarNormal{}, words[i]);
  }
  z = Simd::load(values);
}

template <class Simd>
typename Simd::F32 normals(const typename Simd::Normal& normal, typename Simd::U32 word) {
  auto z = standardNormal(normal, word);
  const uint32_t rare = Simd::Normal::rare(word);
  if (__builtin_expect(rare != 0, 0)) mendRare<Simd>(rare, word, z);
  return z;
}

template <class Simd>
void normalsOfWords(const uint32_t* words, size_t count, float* out) {
  const typename Simd::Normal normal;
  size_t i = 0;
  for (; i + Simd::kLanes <= count; i += Simd::kLanes) {
    Simd::store(out + i, normals<Simd>(normal, Simd::load(words + i)));
  }
  for (; i < count; ++i) out[i] = standardNormal(ScalarNormal{}, words[i]);
}

template <class Simd, DType dtype, bool truncated>
struct NormalSampler {
  static constexpr int kWordsPerElement = 1;
  using T = typename Element<dtype>::Type;
  typename Simd::Normal normal;
  float mean, std, min, max;
  uint32_t base, count;
  explicit NormalSampler(const Params& p)
      : mean(static_cast<float>(p.mean)),
        std(static_cast<float>(p.std)),
        min(static_cast<float>(p.min)),
        max(static_cast<float>(p.max)),
        base(static_cast<uint32_t>(p.base)),
        count(static_cast<uint32_t>(p.count)) {}
  void block(const typename Simd::U32 (&words)[Simd::kVectors], T* out) const {
    for (int v = 0; v < Simd::kVectors; ++v) {
      auto word = words[v];
      if constexpr (truncated) word = Simd::truncateWord(word, base, count);
      auto z = Simd::fma(normals<Simd>(normal, word), Simd::set(std), Simd::set(mean));
      if constexpr (truncated) z = Simd::clamp(z, min, max);
      Element<dtype>::template store<Simd>(out + v * Simd::kLanes, z);
    }
  }
};

// float64 arithmetic, a few elements in lockstep.
template <class Simd, DType dtype>
struct QuantileSampler {
  static constexpr int kWordsPerElement = dtype == DType::kFloat64 ? 2 : 1;
  using T = typename Element<dtype>::Type;
  Params p;
  explicit QuantileSampler(const Params& params) : p(params) {}
  void block(const typename Simd::U32 (&words)[Simd::kVectors], T* out) const {
    constexpr int kWords = Simd::kVectors * Simd::kLanes;
    uint32_t w[kWords];
    for (int v = 0; v < Simd::kVectors; ++v) Simd::store(w + v * Simd::kLanes, words[v]);
    constexpr int kElements = kWords / kWordsPerElement;
    constexpr int kAtOnce = kElements < 8 ? kElements : 8;
    for (int i = 0; i < kElements; i += kAtOnce) {
      QuantilePoint points[kAtOnce];
      double x[kAtOnce];
      for (int j = 0; j < kAtOnce; ++j) {
        if constexpr (dtype == DType::kFloat64) {
          points[j] = quantilePoint64(w[2 * (i + j) + 1], w[2 * (i + j)]);
        } else {
          points[j] = quantilePoint32(w[i + j]);
        }
      }
      quantiles(points, p.table, x);
      for (int j = 0; j < kAtOnce; ++j) {
        out[i + j] = Element<dtype>::round(clamp(scale64(x[j], p.mean, p.std), p.min, p.max));
      }
    }
  }
};

template <class Simd>
struct Uniform64Sampler {
  static constexpr int kWordsPerElement = 2;
  using T = double;
  Params p;
  explicit Uniform64Sampler(const Params& params) : p(params) {}
  void block(const typename Simd::U32 (&words)[Simd::kVectors], T* out) const {
    constexpr int kWords = Simd::kVectors * Simd::kLanes;
    uint32_t w[kWords];
    for (int v = 0; v < Simd::kVectors; ++v) Simd::store(w + v * Simd::kLanes, words[v]);
    for (int i = 0; i < kWords / 2; ++i) {
      out[i] = clamp(uniform64(w[2 * i], w[2 * i + 1], p.low, p.range), p.min, p.max);
    }
  }
};

// Elements [index, index + count) of the stream to consecutive memory.
template <class Simd, class Sampler>
void fillRun(const Sampler& sampler, const PhiloxKeys& keys, uint64_t stream, uint64_t index, uint64_t count,
             typename Sampler::T* out) {
  constexpr uint64_t kElements = Simd::kVectors * Simd::kLanes / Sampler::kWordsPerElement;
  constexpr uint64_t kPerPhiloxBlock = 4 / Sampler::kWordsPerElement;
  while (count > 0) {
    typename Simd::U32 words[Simd::kVectors];
    Simd::words(keys, stream, index / kPerPhiloxBlock, words);
    const uint64_t skip = index % kPerPhiloxBlock;
    const uint64_t taken = std::min(count, kElements - skip);
    if (taken == kElements) {
      sampler.block(words, out);
    } else {  // the ends of the run
      typename Sampler::T block[kElements];
      sampler.block(words, block);
      std::memcpy(out, block + skip, taken * sizeof *out);
    }
    index += taken;
    count -= taken;
    out += taken;
  }
}

template <class Simd, class Sampler>
void fillSampled(const Job& job, const PhiloxKeys& keys, typename Sampler::T* out, uint64_t start,
                 uint64_t end) {
  const Sampler sampler(job.params);
  forEachRun(job.region, start, end, [&](const Run& run) {
    auto* target = out + (run.target - start);
    if (run.sourceStride == 1 && run.targetStride == 1) {
      fillRun<Simd>(sampler, keys, job.stream, run.source, run.count, target);
      return;
    }
    for (uint64_t i = 0; i < run.count; ++i) {
      fillRun<Simd>(sampler, keys, job.stream, run.source + i * run.sourceStride, 1,
                    target + i * run.targetStride);
    }
  });
}

template <DType dtype>
void fillConstant(const Job& job, typename Element<dtype>::Type* out, uint64_t start, uint64_t end) {
  const auto value = Element<dtype>::round(job.params.value);
  const bool zero =
      bitCast<std::conditional_t<sizeof value == 8, uint64_t,
                                 std::conditional_t<sizeof value == 4, uint32_t, uint16_t>>>(value) == 0;
  forEachRun(job.region, start, end, [&](const Run& run) {
    auto* target = out + (run.target - start);
    if (run.targetStride != 1) {
      for (uint64_t i = 0; i < run.count; ++i) target[i * run.targetStride] = value;
    } else if (zero) {
      std::memset(static_cast<void*>(target), 0, run.count * sizeof value);
    } else {
      std::fill_n(target, run.count, value);
    }
  });
}

// Zeros where the mask has them; the other elements stay as earlier jobs made them.
template <class T>
void fillMask(const Job& job, const PhiloxKeys& keys, T* out, uint64_t start, uint64_t end) {
  const Mask mask(job.params.rows, job.params.stride, job.params.zeros);
  forEachRun(job.region, start, end, [&](const Run& run) {
    T* target = out + (run.target - start);
    for (uint64_t i = 0; i < run.count; ++i) {
      if (mask.isZero(keys, job.stream, run.source + i * run.sourceStride)) target[i * run.targetStride] = 0;
    }
  });
}

template <class Simd, DType dtype>
void fillJob(const Job& job, const PhiloxKeys& keys, void* memory, uint64_t start, uint64_t end) {
  auto* out = static_cast<typename Element<dtype>::Type*>(memory);
  switch (job.kind) {
    case Kind::kConstant:
      return fillConstant<dtype>(job, out, start, end);
    case Kind::kMask:
      return fillMask(job, keys, out, start, end);
    case Kind::kQuantile:
      return fillSampled<Simd, QuantileSampler<Simd, dtype>>(job, keys, out, start, end);
    case Kind::kUniform:
      if constexpr (dtype == DType::kFloat64) {
        return fillSampled<Simd, Uniform64Sampler<Simd>>(job, keys, out, start, end);
      } else {
        return fillSampled<Simd, UniformSampler<Simd, dtype>>(job, keys, out, start, end);
      }
    case Kind::kNormal:
      if constexpr (dtype != DType::kFloat64) {
        return fillSampled<Simd, NormalSampler<Simd, dtype, false>>(job, keys, out, start, end);
      }
      break;
    case Kind::kTruncatedNormal:
      if constexpr (dtype != DType::kFloat64) {
        return fillSampled<Simd, NormalSampler<Simd, dtype, true>>(job, keys, out, start, end);
      }
      break;
  }
}

template <class Simd>
void fillWindow(const Fill& fill, void* out, uint64_t start, uint64_t end) {
  const PhiloxKeys keys = philoxKeys(fill.seed);
  for (size_t i = 0; i < fill.jobCount; ++i) {
    const Job& job = fill.jobs[i];
    switch (fill.dtype) {
      case DType::kFloat64:
        fillJob<Simd, DType::kFloat64>(job, keys, out, start, end);
        break;
      case DType::kFloat32:
        fillJob<Simd, DType::kFloat32>(job, keys, out, start, end);
        break;
      case DType::kFloat16:
        fillJob<Simd, DType::kFloat16>(job, keys, out, start, end);
        break;
      case DType::kBFloat16:
        fillJob<Simd, DType::kBFloat16>(job, keys, out, start, end);
        break;
    }
  }
}

}  // namespace
}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_FILL_INL_H_
