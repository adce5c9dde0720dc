// What becomes of random words: one law per kind and dtype, the numerics of core/ bound to a task's numbers.
#ifndef ISOMETRY_CUDA_LAWS_H_
#define ISOMETRY_CUDA_LAWS_H_

#include "core/quantile.h"
#include "cuda/lanes.h"
#include "cuda/launch.h"

namespace isometry::cuda {

// Where a thread is, and its block's copy of the normal's table.
struct Place {
  uint32_t thread, block, blocks;
  const NormalRows* rows;
};

template <DType dtype>
struct ElementOf {
  using Type = uint16_t;
  static ISOMETRY_HD uint32_t pack(float first, float second) {
    return dtype == DType::kFloat16 ? packFloat16(first, second) : packBFloat16(first, second);
  }
  static ISOMETRY_HD Type round(float x) { return static_cast<Type>(pack(x, 0.0f)); }
};
template <>
struct ElementOf<DType::kFloat32> {
  using Type = float;
  static ISOMETRY_HD Type round(float x) { return x; }
};
template <>
struct ElementOf<DType::kFloat64> {
  using Type = double;
};

// The element at the beginning of a pattern.
template <class Type>
ISOMETRY_HD Type firstOf(uint64_t pattern) {
  if constexpr (sizeof(Type) == 8) return bitCast<Type>(pattern);
  if constexpr (sizeof(Type) == 4) return bitCast<Type>(static_cast<uint32_t>(pattern));
  if constexpr (sizeof(Type) == 2) return static_cast<Type>(pattern);
}

// A law: `value(words, j)` is element j of the block that the words belong to, before rounding to the dtype;
// `edge(...)` the same where a packet's value may rely on less (see packable in tasks.cc).
template <Kind kind, DType dtype>
struct Law;

template <DType dtype>
struct Law<Kind::kUniform, dtype> {
  float low, step, min, max;
  ISOMETRY_HD Law(const Numbers& n, const Place&)
      : low(n.f32.shift), step(n.f32.scale), min(n.f32.min), max(n.f32.max) {}
  ISOMETRY_HD float value(const uint32_t (&words)[4], int j) const {
    const float x = uniform32(words[j], low, step);
    return dtype == DType::kFloat32 ? clampBelow(x, max) : clampBoth(x, min, max);
  }
  ISOMETRY_HD float edge(const uint32_t (&words)[4], int j) const {
    return clampBoth(uniform32(words[j], low, step), min, max);
  }
};

template <>
struct Law<Kind::kUniform, DType::kFloat64> {
  double low, range, min, max;
  ISOMETRY_HD Law(const Numbers& n, const Place&)
      : low(n.f64.shift), range(n.f64.scale), min(n.f64.min), max(n.f64.max) {}
  ISOMETRY_HD double value(const uint32_t (&words)[4], int j) const {
    return clamp(uniform64(words[2 * j], words[2 * j + 1], low, range), min, max);
  }
  ISOMETRY_HD double edge(const uint32_t (&words)[4], int j) const { return value(words, j); }
};

template <DType dtype>
struct Law<Kind::kNormal, dtype> {
  DeviceNormal normal;
  float mean, std;
  ISOMETRY_HD Law(const Numbers& n, const Place& place)
      : normal{place.rows}, mean(n.f32.shift), std(n.f32.scale) {}
  ISOMETRY_HD float value(const uint32_t (&words)[4], int j) const {
    return fma32(standardNormal(normal, words[j]), std, mean);
  }
  ISOMETRY_HD float edge(const uint32_t (&words)[4], int j) const { return value(words, j); }
};

template <DType dtype>
struct Law<Kind::kTruncatedNormal, dtype> {
  DeviceNormal normal;
  float mean, std, min, max;
  uint32_t base, count;
  ISOMETRY_HD Law(const Numbers& n, const Place& place)
      : normal{place.rows},
        mean(n.f32.shift),
        std(n.f32.scale),
        min(n.f32.min),
        max(n.f32.max),
        base(n.f32.base),
        count(n.f32.count) {}
  ISOMETRY_HD float value(const uint32_t (&words)[4], int j) const {
    const float z = standardNormal(normal, truncateWord(words[j], base, count));
    return clampBoth(fma32(z, std, mean), min, max);
  }
  ISOMETRY_HD float edge(const uint32_t (&words)[4], int j) const { return value(words, j); }
};

template <DType dtype>
struct Law<Kind::kQuantile, dtype> {
  double mean, std, min, max;
  const double* table;
  ISOMETRY_HD Law(const Numbers& n, const Place&)
      : mean(n.f64.shift),
        std(n.f64.scale),
        min(n.f64.min),
        max(n.f64.max),
        table(reinterpret_cast<const double*>(n.f64.table)) {}
  ISOMETRY_HD auto value(const uint32_t (&words)[4], int j) const {
    if constexpr (dtype == DType::kFloat64) {
      return clamp(scale64(quantile64(words[2 * j + 1], words[2 * j], table), mean, std), min, max);
    } else {
      return static_cast<float>(clamp(scale64(quantile32(words[j], table), mean, std), min, max));
    }
  }
  ISOMETRY_HD auto edge(const uint32_t (&words)[4], int j) const { return value(words, j); }
};

// Every law there is: its kernel's name (kernelName in launch.h), kind and dtype. Constants of all dtypes
// share one kernel, for their packets are but bits. Masks have none of their own.
// clang-format off
#define ISOMETRY_FOR_EACH_CONSTANT(law) \
  law(fillConstant, Kind::kConstant, DType::kFloat64) \
  law(fillConstant, Kind::kConstant, DType::kFloat32) \
  law(fillConstant, Kind::kConstant, DType::kFloat16) \
  law(fillConstant, Kind::kConstant, DType::kBFloat16)
#define ISOMETRY_FOR_EACH_MASK(law) \
  law(fillMask, Kind::kMask, DType::kFloat64) \
  law(fillMask, Kind::kMask, DType::kFloat32) \
  law(fillMask, Kind::kMask, DType::kFloat16) \
  law(fillMask, Kind::kMask, DType::kBFloat16)
#define ISOMETRY_FOR_EACH_RANDOM_LAW(law) \
  law(fillUniformF64, Kind::kUniform, DType::kFloat64) \
  law(fillUniformF32, Kind::kUniform, DType::kFloat32) \
  law(fillUniformF16, Kind::kUniform, DType::kFloat16) \
  law(fillUniformBF16, Kind::kUniform, DType::kBFloat16) \
  law(fillNormalF32, Kind::kNormal, DType::kFloat32) \
  law(fillNormalF16, Kind::kNormal, DType::kFloat16) \
  law(fillNormalBF16, Kind::kNormal, DType::kBFloat16) \
  law(fillTruncatedF32, Kind::kTruncatedNormal, DType::kFloat32) \
  law(fillTruncatedF16, Kind::kTruncatedNormal, DType::kFloat16) \
  law(fillTruncatedBF16, Kind::kTruncatedNormal, DType::kBFloat16) \
  law(fillQuantileF64, Kind::kQuantile, DType::kFloat64) \
  law(fillQuantileF32, Kind::kQuantile, DType::kFloat32) \
  law(fillQuantileF16, Kind::kQuantile, DType::kFloat16) \
  law(fillQuantileBF16, Kind::kQuantile, DType::kBFloat16)
// clang-format on

ISOMETRY_HD constexpr int lawCode(Kind kind, DType dtype) {
  return static_cast<int>(kind) * 4 + static_cast<int>(dtype);
}

}  // namespace isometry::cuda

#endif  // ISOMETRY_CUDA_LAWS_H_
