// Orthogonal matrices as docs/adr/0008-orthogonal.md has them, word by word and as slow as that is: one
// column after the other, every loop as it is written there.
#ifndef ISOMETRY_TEST_NATIVE_ORTHOGONAL_REFERENCE_H_
#define ISOMETRY_TEST_NATIVE_ORTHOGONAL_REFERENCE_H_

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "core/fma.h"
#include "cpu/fill.h"
#include "jobs.h"

namespace isometry::test {

template <class Real>
class OrthogonalReference {
 public:
  // Matrix `index` of a stack of rows × cols ones; `table` is that of float64's normals.
  OrthogonalReference(uint64_t seed, uint64_t stream, const double* table, uint64_t rows, uint64_t cols,
                      uint64_t index)
      : rows_(rows), cols_(cols), v_(rows * cols), rho_(cols), d_(cols) {
    constexpr bool kDouble = std::is_same_v<Real, double>;
    Job job = denseJob(kDouble ? Kind::kQuantile : Kind::kNormal, (index + 1) * rows * cols);
    job.stream = stream;
    job.params.table = table;
    cpu::bestTarget()->fill({seed, kDouble ? DType::kFloat64 : DType::kFloat32, &job, 1}, v_.data(),
                            index * rows * cols, (index + 1) * rows * cols);
    for (uint64_t c = 0; c < cols; c++) reflect(c);
  }

  // Column c of Q, without d.
  std::vector<Real> column(uint64_t c) const {
    std::vector<Real> y(rows_, 0);
    y[c] = 1;
    for (uint64_t block = c / 64 + 1; block-- > 0;) apply(block * 64, std::min(cols_, block * 64 + 64), y);
    return y;
  }

  Real d(uint64_t c) const { return d_[c]; }

 private:
  static float fused(float a, float b, float sum) { return fma32(a, b, sum); }
  static double fused(double a, double b, double sum) { return sum + a * b; }

  Real& v(uint64_t r, uint64_t c) { return v_[c * rows_ + r]; }
  const Real& v(uint64_t r, uint64_t c) const { return v_[c * rows_ + r]; }

  // add(sum, r) is the sum with the term of row r.
  template <class Sum, class Add>
  Sum chunkedSum(uint64_t from, const Add& add) const {
    Sum total = 0;
    for (uint64_t chunk = from / 256; chunk * 256 < rows_; chunk++) {
      Sum sum = 0;
      for (uint64_t r = std::max(from, chunk * 256); r < std::min(rows_, chunk * 256 + 256); r++)
        sum = add(sum, r);
      total = chunk == from / 256 ? sum : total + sum;
    }
    return total;
  }

  void reflect(uint64_t c) {
    const double x = v(c, c);
    const double sigma = x < 0 ? -1 : 1;
    const double s = chunkedSum<double>(c, [&](double sum, uint64_t r) {
      const double g = v(r, c);
      return sum + g * g;
    });
    for (uint64_t r = 0; r < c; r++) v(r, c) = 0;
    if (c == rows_ - 1) {
      v(c, c) = 0;
      rho_[c] = 0;
      d_[c] = static_cast<Real>(sigma);
      return;
    }
    v(c, c) = static_cast<Real>(x + sigma * std::sqrt(s));
    const double pivot = v(c, c);
    const double tau = (s - x * x) + pivot * pivot;
    rho_[c] = tau == 0 ? 0 : static_cast<Real>(2 / tau);
    d_[c] = static_cast<Real>(-sigma);
  }

  void apply(uint64_t first, uint64_t last, std::vector<Real>& y) const {
    std::vector<Real> z(cols_);
    for (uint64_t i = last; i-- > first;) {
      Real a = chunkedSum<Real>(first, [&](Real sum, uint64_t r) { return fused(v(r, i), y[r], sum); });
      for (uint64_t j = last; --j > i;) {
        const Real u =
            chunkedSum<Real>(first, [&](Real sum, uint64_t r) { return fused(v(r, i), v(r, j), sum); });
        a = fused(-u, z[j], a);
      }
      z[i] = a * rho_[i];
    }
    for (uint64_t r = first; r < rows_; r++) {
      for (uint64_t i = first; i < last; i++) y[r] = fused(-v(r, i), z[i], y[r]);
    }
  }

  uint64_t rows_, cols_;
  std::vector<Real> v_, rho_, d_;
};

}  // namespace isometry::test

#endif  // ISOMETRY_TEST_NATIVE_ORTHOGONAL_REFERENCE_H_
