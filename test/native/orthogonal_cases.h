// Parts of outputs made of orthogonal matrices, and what they must be by the definition.
#ifndef ISOMETRY_TEST_NATIVE_ORTHOGONAL_CASES_H_
#define ISOMETRY_TEST_NATIVE_ORTHOGONAL_CASES_H_

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "core/quantile.h"
#include "core/round.h"
#include "core/uniform.h"
#include "orthogonal_reference.h"

namespace isometry::test {

inline constexpr unsigned char kUntouched = 0xca;

// Of Φ⁻¹: any table of odd numbers will do.
inline const double* anyTable() {
  static const std::vector<double>* const made = [] {
    auto* rows = new std::vector<double>(kQuantileTableSize, 0.0);
    for (int row = 0; row < kQuantileRows; row++)
      (*rows)[static_cast<size_t>(row) * (kQuantileDegree + 1)] = std::sin(row);
    return rows;
  }();
  return made->data();
}

inline Region regionOf(std::vector<uint64_t> shape, std::vector<uint64_t> source,
                       std::vector<uint64_t> target, uint64_t sourceOffset = 0, uint64_t targetOffset = 0) {
  Region region;
  region.rank = static_cast<int>(shape.size());
  region.sourceOffset = sourceOffset;
  region.targetOffset = targetOffset;
  std::copy(shape.begin(), shape.end(), region.shape);
  std::copy(source.begin(), source.end(), region.sourceStride);
  std::copy(target.begin(), target.end(), region.targetStride);
  return region;
}

// Parts of an output, and what it must be.
struct OrthogonalCase {
  Orthogonal work;
  std::vector<OrthogonalPart> parts;
  uint64_t length;
  std::vector<unsigned char> expected;

  OrthogonalCase(DType dtype, uint64_t rows, uint64_t cols, std::vector<OrthogonalPart> parts_,
                 uint64_t length_)
      : work{42,      dtype, 0x0123456789abcdefull,
             rows,    cols,  dtype == DType::kFloat64 ? anyTable() : nullptr,
             nullptr, 0},
        parts(std::move(parts_)),
        length(length_) {
    work.parts = parts.data();
    work.partCount = parts.size();
    expected.assign(length * size(), kUntouched);
    dtype == DType::kFloat64 ? expect<double>() : expect<float>();
  }
  OrthogonalCase(const OrthogonalCase&) = delete;
  OrthogonalCase& operator=(const OrthogonalCase&) = delete;

  size_t size() const { return byteSize(work.dtype); }

  // Whether `out`, computed now, is the window [start, end) of the expected output.
  bool isRight(const std::vector<unsigned char>& out, uint64_t start, uint64_t end) const {
    return out.size() == (end - start) * size() &&
           std::equal(out.begin(), out.end(), expected.begin() + static_cast<ptrdiff_t>(start * size()));
  }

 private:
  template <class Real>
  void expect() {
    std::vector<Real> q;
    uint64_t known = UINT64_MAX;
    for (const OrthogonalPart& part : parts) {
      forEachElement(part.region, [&](uint64_t source, uint64_t target) {
        const uint64_t column = source / work.rows;
        if (column != known) {
          const OrthogonalReference<Real>& matrix = reference<Real>(column / work.cols);
          q = matrix.column(column % work.cols);
          const Real factor = matrix.d(column % work.cols) * static_cast<Real>(part.gain);
          for (Real& each : q) each = clamp(each, Real{-1}, Real{1}) * factor;
          known = column;
        }
        put(target, q[source % work.rows]);
      });
      known = UINT64_MAX;
    }
  }

  // In an order in which columns seldom change.
  template <class Visit>
  static void forEachElement(const Region& region, const Visit& visit) {
    std::vector<std::pair<uint64_t, uint64_t>> elements{{region.sourceOffset, region.targetOffset}};
    for (int k = 0; k < region.rank; k++) {
      std::vector<std::pair<uint64_t, uint64_t>> more;
      for (const auto& [source, target] : elements) {
        for (uint64_t i = 0; i < region.shape[k]; i++)
          more.emplace_back(source + i * region.sourceStride[k], target + i * region.targetStride[k]);
      }
      elements = std::move(more);
    }
    std::sort(elements.begin(), elements.end());
    for (const auto& [source, target] : elements) visit(source, target);
  }

  template <class Real>
  const OrthogonalReference<Real>& reference(uint64_t matrix) {
    static std::unique_ptr<OrthogonalReference<Real>> last;
    static std::vector<uint64_t> lastKey;
    const std::vector<uint64_t> key{work.rows, work.cols, matrix};
    if (key != lastKey) {
      last = std::make_unique<OrthogonalReference<Real>>(work.seed, work.stream, work.table, work.rows,
                                                         work.cols, matrix);
      lastKey = key;
    }
    return *last;
  }

  void put(uint64_t target, double value) { std::memcpy(expected.data() + target * 8, &value, 8); }
  void put(uint64_t target, float value) {
    unsigned char* to = expected.data() + target * size();
    if (work.dtype == DType::kFloat32) {
      std::memcpy(to, &value, 4);
    } else {
      const uint16_t bits = work.dtype == DType::kFloat16 ? toFloat16(value) : toBFloat16(value);
      std::memcpy(to, &bits, 2);
    }
  }
};

// All of `count` matrices, each column after the other, as one part.
inline std::vector<OrthogonalPart> denseMatrices(uint64_t count, uint64_t rows, uint64_t cols,
                                                 double gain = 1) {
  return {{gain, regionOf({count * rows * cols}, {1}, {1})}};
}

}  // namespace isometry::test

#endif  // ISOMETRY_TEST_NATIVE_ORTHOGONAL_CASES_H_
