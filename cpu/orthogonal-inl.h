// The loops of orthogonal matrices, once; compiled for each SIMD target. Order and arithmetic are those of
// docs/adr/0008-orthogonal.md: register tiles and strips only choose what is computed side by side.
#ifndef ISOMETRY_CPU_ORTHOGONAL_INL_H_
#define ISOMETRY_CPU_ORTHOGONAL_INL_H_

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "core/orthogonal.h"
#include "cpu/factor.h"
#include "cpu/fill.h"
#include "cpu/orthogonal-store-inl.h"

namespace isometry::cpu {
namespace {

// `Simd` is a target's registers of one precision: Real, Vector, kLanes, kRows (of a register tile), load,
// store, broadcast, multiply, add, multiplyAdd(a, b, c) = a·b + c, subtractProduct(a, b, c) = c - a·b.
//
// V of a block is packed in groups of kPack reflections: [group][row][kPack]. Columns of Q are computed in
// strips of kVectors vectors, the last strip of a panel may be narrower: [row][vectors·kLanes].
template <class Simd>
struct Reflector {
  using Real = typename Simd::Real;
  using Vector = typename Simd::Vector;
  static constexpr int kLanes = Simd::kLanes, kRows = Simd::kRows;
  static_assert(kPack % kRows == 0);

  // w[i][…] (+)= the sum over `rows` rows of v_i(r)·y(r), for reflections [0, groups·kPack).
  template <int kVectors>
  static void sumChunk(const Real* v, uint64_t packedRows, int groups, const Real* y, uint64_t rows, Real* w,
                       bool first) {
    constexpr int kWidth = kVectors * kLanes;
    for (int i0 = 0; i0 < groups * kPack; i0 += kRows) {
      Vector sum[kRows][kVectors];
      for (int i = 0; i < kRows; ++i) {
        for (int s = 0; s < kVectors; ++s) sum[i][s] = Simd::broadcast(0);
      }
      const Real* column = v + (i0 / kPack) * packedRows * kPack + i0 % kPack;
      for (uint64_t r = 0; r < rows; ++r) {
        Vector row[kVectors];
        for (int s = 0; s < kVectors; ++s) row[s] = Simd::load(y + r * kWidth + s * kLanes);
        for (int i = 0; i < kRows; ++i) {
          const Vector factor = Simd::broadcast(column[r * kPack + i]);
          for (int s = 0; s < kVectors; ++s) sum[i][s] = Simd::multiplyAdd(factor, row[s], sum[i][s]);
        }
      }
      for (int i = 0; i < kRows; ++i) {
        for (int s = 0; s < kVectors; ++s) {
          Real* at = w + (i0 + i) * kWidth + s * kLanes;
          Simd::store(at, first ? sum[i][s] : Simd::add(Simd::load(at), sum[i][s]));
        }
      }
    }
  }

  // From the sums w to z, in place: the last reflection first.
  template <int kVectors>
  static void substitute(const Real* u, const Real* rho, int groups, Real* w) {
    constexpr int kWidth = kVectors * kLanes;
    for (int i0 = groups * kPack - kRows; i0 >= 0; i0 -= kRows) {
      Vector a[kRows][kVectors];
      for (int i = 0; i < kRows; ++i) {
        for (int s = 0; s < kVectors; ++s) a[i][s] = Simd::load(w + (i0 + i) * kWidth + s * kLanes);
      }
      for (int j = groups * kPack - 1; j >= i0 + kRows; --j) {
        Vector z[kVectors];
        for (int s = 0; s < kVectors; ++s) z[s] = Simd::load(w + j * kWidth + s * kLanes);
        for (int i = 0; i < kRows; ++i) {
          const Vector factor = Simd::broadcast(u[(i0 + i) * kBlockColumns + j]);
          for (int s = 0; s < kVectors; ++s) a[i][s] = Simd::subtractProduct(factor, z[s], a[i][s]);
        }
      }
      for (int i = kRows - 1; i >= 0; --i) {
        const Vector factor = Simd::broadcast(rho[i0 + i]);
        for (int s = 0; s < kVectors; ++s) {
          a[i][s] = Simd::multiply(a[i][s], factor);
          Simd::store(w + (i0 + i) * kWidth + s * kLanes, a[i][s]);
        }
        for (int k = 0; k < i; ++k) {
          const Vector next = Simd::broadcast(u[(i0 + k) * kBlockColumns + i0 + i]);
          for (int s = 0; s < kVectors; ++s) a[k][s] = Simd::subtractProduct(next, a[i][s], a[k][s]);
        }
      }
    }
  }

  // y(r) -= the sum of v_i(r)·z_i, the first reflection first. `rows` is padded to whole tiles: v is 0 there.
  template <int kVectors>
  static void update(const Real* v, uint64_t packedRows, int groups, const Real* z, uint64_t rows, Real* y) {
    constexpr int kWidth = kVectors * kLanes;
    for (uint64_t r = 0; r < rows; r += kRows) {
      Vector sum[kRows][kVectors];
      for (int i = 0; i < kRows; ++i) {
        for (int s = 0; s < kVectors; ++s) sum[i][s] = Simd::load(y + (r + i) * kWidth + s * kLanes);
      }
      for (int group = 0; group < groups; ++group) {
        const Real* packed = v + (group * packedRows + r) * kPack;
        for (int k = 0; k < kPack; ++k) {
          Vector factor[kVectors];
          for (int s = 0; s < kVectors; ++s)
            factor[s] = Simd::load(z + (group * kPack + k) * kWidth + s * kLanes);
          for (int i = 0; i < kRows; ++i) {
            const Vector element = Simd::broadcast(packed[i * kPack + k]);
            for (int s = 0; s < kVectors; ++s)
              sum[i][s] = Simd::subtractProduct(element, factor[s], sum[i][s]);
          }
        }
      }
      for (int i = 0; i < kRows; ++i) {
        for (int s = 0; s < kVectors; ++s) Simd::store(y + (r + i) * kWidth + s * kLanes, sum[i][s]);
      }
    }
  }

  // Calls f with the number of vectors as a constant.
  template <class F>
  static void withVectors(int vectors, const F& f) {
    if (vectors == 3) return f(std::integral_constant<int, 3>{});
    if (vectors == 2) return f(std::integral_constant<int, 2>{});
    f(std::integral_constant<int, 1>{});
  }

  // --- the reflections of a block --------------------------------------------------------------------------

  static void makeBlock(const Factor& factor, uint64_t block, const Scratch& scratch) {
    const Shape& shape = factor.shape;
    const uint64_t k = block * kBlockColumns, rows = shape.rows - k, packedRows = shape.packedRows(block);
    const int columns = shape.blockColumns(block), groups = shape.groups(block);
    Real* v = static_cast<Real*>(factor.v) + shape.blockOffset(block);
    double sums[kBlockColumns];
    for (int group = 0; group < groups; ++group) {
      const int taken = std::min(kPack, columns - group * kPack);
      const Real* drawn[kPack];
      drawGroup(factor, k, static_cast<uint64_t>(group) * kPack, taken, static_cast<Real*>(scratch.columns),
                drawn);
      pack(drawn, taken, static_cast<uint64_t>(group) * kPack, k, rows, packedRows,
           v + group * packedRows * kPack, sums + group * kPack);
    }
    Real* rho = static_cast<Real*>(factor.rho) + k;
    Real* signs = static_cast<Real*>(factor.signs) + k;
    for (int i = 0; i < groups * kPack; ++i) {
      Real& diagonal = v[((i / kPack) * packedRows + i) * kPack + i % kPack];
      const bool padding = i >= columns;
      const Reflection<Real> made =
          padding ? Reflection<Real>{0, 0, 1} : reflection<Real>(diagonal, sums[i], k + i == shape.rows - 1);
      if (!padding) diagonal = made.diagonal;
      rho[i] = made.rho;
      signs[i] = made.sign;
    }
    makeU(v, rows, packedRows, groups, k,
          static_cast<Real*>(factor.u) + block * kBlockColumns * kBlockColumns, scratch);
  }

  // Columns k + first …, of which drawn[j][q] is row k + q, from the diagonal on.
  static void drawGroup(const Factor& factor, uint64_t k, uint64_t first, int taken, Real* to,
                        const Real* (&drawn)[kPack]) {
    const uint64_t rows = factor.shape.rows;
    if (rows <= kDrawnTogether) {
      // One call for all: what is above the diagonals costs less than calls do.
      factor.draw(k + first, k + first, k + first + taken, to);
      for (int j = 0; j < taken; ++j) drawn[j] = to + j * rows - first;
      return;
    }
    for (int j = 0; j < taken; ++j) {
      const uint64_t own = first + j, column = k + own;
      Real* at = to + j * rows;
      factor.draw(column, column, column + 1, at + own);
      drawn[j] = at;
    }
  }

  // Columns side by side, with zeros above the diagonals, and the sums of their squares.
  static void pack(const Real* const (&drawn)[kPack], int taken, uint64_t first, uint64_t k, uint64_t rows,
                   uint64_t packedRows, Real* v, double* sums) {
    std::fill_n(v, first * kPack, Real{0});
    for (int j = 0; j < kPack; ++j) sums[j] = 0;
    for (uint64_t r = first; r < rows;) {
      double chunk[kPack] = {};
      const uint64_t stop = std::min(rows, ((k + r) / kChunkRows + 1) * kChunkRows - k);
      const uint64_t checked = taken < kPack ? stop : std::min(stop, std::max(r, first + kPack));
      for (; r < checked; ++r) {
        for (int j = 0; j < kPack; ++j) {
          const Real x = j < taken && r >= first + j ? drawn[j][r] : 0;
          v[r * kPack + j] = x;
          chunk[j] = chunk[j] + static_cast<double>(x) * static_cast<double>(x);
        }
      }
      for (; r < stop; ++r) {
        for (int j = 0; j < kPack; ++j) {
          const Real x = drawn[j][r];
          v[r * kPack + j] = x;
          chunk[j] = chunk[j] + static_cast<double>(x) * static_cast<double>(x);
        }
      }
      for (int j = 0; j < kPack; ++j) sums[j] = sums[j] + chunk[j];
    }
    std::fill_n(v + rows * kPack, (packedRows - rows) * kPack, Real{0});
  }

  // U(i, j) = v_i·v_j. What is on or below the diagonal is never read.
  static void makeU(const Real* v, uint64_t rows, uint64_t packedRows, int groups, uint64_t k, Real* u,
                    const Scratch& scratch) {
    Real* strip = static_cast<Real*>(scratch.strip);
    Real* w = static_cast<Real*>(scratch.sums);
    for (int j0 = 0; j0 < groups * kPack;) {
      const int vectors = std::min(3, (groups * kPack - j0 + kLanes - 1) / kLanes);
      const int width = vectors * kLanes, used = std::min(width, groups * kPack - j0);
      const int needed = (j0 + used + kPack - 1) / kPack;  // groups with an i < j
      for (uint64_t r = 0; r < rows;) {
        const uint64_t stop = std::min(rows, ((k + r) / kChunkRows + 1) * kChunkRows - k);
        for (uint64_t q = r; q < stop; ++q) {
          Real* to = strip + (q - r) * width;
          for (int j = 0; j < used; ++j) {
            const int i = j0 + j;
            to[j] = v[((i / kPack) * packedRows + q) * kPack + i % kPack];
          }
          std::fill(to + used, to + width, Real{0});
        }
        withVectors(vectors, [&](auto constant) {
          sumChunk<decltype(constant)::value>(v + r * kPack, packedRows, needed, strip, stop - r, w, r == 0);
        });
        r = stop;
      }
      for (int i = 0; i < needed * kPack; ++i)
        std::memcpy(u + i * kBlockColumns + j0, w + i * width, used * sizeof(Real));
      j0 += used;
    }
  }

  // --- a panel of columns
  // ------------------------------------------------------------------------------------

  // Columns [first, last) of Q, without their signs, to scratch.panel. False: the work was cancelled.
  static bool makePanel(const Factor& factor, uint64_t first, uint64_t last, const Scratch& scratch) {
    const Shape& shape = factor.shape;
    const Strips strips{last - first, kLanes};
    const uint64_t panelRows = shape.packedRows(0);
    Real* panel = static_cast<Real*>(scratch.panel);
    Real* sums = static_cast<Real*>(scratch.sums);
    std::fill_n(panel, panelRows * strips.width(), Real{0});
    for (uint64_t c = first; c < last; ++c) {
      const uint64_t s = strips.stripOf(c - first);
      panel[panelRows * strips.begin(s) + c * strips.widthOf(s) + (c - first - strips.begin(s))] = 1;
    }
    for (uint64_t block = (last - 1) / kBlockColumns + 1; block-- > 0;) {
      if (factor.cancelled->load(std::memory_order_relaxed)) return false;
      const uint64_t k = block * kBlockColumns;
      // Columns before the block's first are not changed by it.
      const uint64_t from = k > first ? strips.stripOf(k - first) : 0;
      applyBlock(factor, block, strips, from, panel, panelRows, sums);
    }
    return true;
  }

  static void applyBlock(const Factor& factor, uint64_t block, const Strips& strips, uint64_t from,
                         Real* panel, uint64_t panelRows, Real* sums) {
    const Shape& shape = factor.shape;
    const uint64_t k = block * kBlockColumns, rows = shape.rows - k, packedRows = shape.packedRows(block);
    const int groups = shape.groups(block);
    const Real* v = static_cast<const Real*>(factor.v) + shape.blockOffset(block);
    const Real* u = static_cast<const Real*>(factor.u) + block * kBlockColumns * kBlockColumns;
    const Real* rho = static_cast<const Real*>(factor.rho) + k;
    // Chunk by chunk: the chunk's part of V stays in the cache for all strips.
    for (uint64_t r = 0; r < rows;) {
      const uint64_t stop = std::min(rows, ((k + r) / kChunkRows + 1) * kChunkRows - k);
      for (uint64_t s = from; s < strips.count(); ++s) {
        const Real* y = panel + panelRows * strips.begin(s) + (k + r) * strips.widthOf(s);
        Real* w = sums + kBlockColumns * strips.begin(s);
        withVectors(strips.vectorsOf(s), [&](auto vectors) {
          sumChunk<decltype(vectors)::value>(v + r * kPack, packedRows, groups, y, stop - r, w, r == 0);
        });
      }
      r = stop;
    }
    for (uint64_t s = from; s < strips.count(); ++s) {
      withVectors(strips.vectorsOf(s), [&](auto vectors) {
        substitute<decltype(vectors)::value>(u, rho, groups, sums + kBlockColumns * strips.begin(s));
      });
    }
    for (uint64_t r = 0; r < packedRows;) {
      const uint64_t stop = std::min(packedRows, ((k + r) / kChunkRows + 1) * kChunkRows - k);
      for (uint64_t s = from; s < strips.count(); ++s) {
        Real* y = panel + panelRows * strips.begin(s) + (k + r) * strips.widthOf(s);
        const Real* z = sums + kBlockColumns * strips.begin(s);
        withVectors(strips.vectorsOf(s), [&](auto vectors) {
          update<decltype(vectors)::value>(v + r * kPack, packedRows, groups, z, stop - r, y);
        });
      }
      r = stop;
    }
  }

  // --- the output
  // -----------------------------------------------------------------------------------------------

  static void storePanel(const Factor& factor, uint64_t first, uint64_t last, const Scratch& scratch,
                         void* out, uint64_t start, uint64_t end) {
    const PanelView<Real> view{factor,
                               first,
                               last,
                               Strips{last - first, kLanes},
                               static_cast<const Real*>(scratch.panel),
                               static_cast<Real*>(scratch.stored),
                               start,
                               end};
    if constexpr (sizeof(Real) == 8) {
      storeElements(view, static_cast<double*>(out));
    } else if (byteSize(factor.work->dtype) == 2) {
      storeElements(view, static_cast<uint16_t*>(out));
    } else {
      storeElements(view, static_cast<float*>(out));
    }
  }
};

// A target's loops for Fill's table.
template <class Simd>
constexpr Reflections reflections() {
  return {Simd::kLanes, Reflector<Simd>::makeBlock, Reflector<Simd>::makePanel, Reflector<Simd>::storePanel};
}

}  // namespace
}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_ORTHOGONAL_INL_H_
