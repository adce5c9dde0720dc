// From columns of Q to the output's elements.
#ifndef ISOMETRY_CPU_ORTHOGONAL_STORE_INL_H_
#define ISOMETRY_CPU_ORTHOGONAL_STORE_INL_H_

#include <algorithm>

#include "core/orthogonal.h"
#include "core/region.h"
#include "core/round.h"
#include "cpu/factor.h"

namespace isometry::cpu {
namespace {

template <class Real, class Element>
Element toElement(Real value, DType dtype) {
  if constexpr (sizeof(Element) == 2) {
    return dtype == DType::kBFloat16 ? toBFloat16(value) : toFloat16(value);
  } else {
    return value;
  }
}

// A panel as makePanel leaves it, and the window of the output that it goes to.
template <class Real>
struct PanelView {
  const Factor& factor;
  uint64_t first, last;  // columns
  Strips strips;
  const Real* panel;
  Real* stored;
  uint64_t start, end;

  // Element 0 of the matrix in the stream.
  uint64_t base() const { return factor.matrix * factor.shape.rows * factor.shape.cols; }
  const Real* row(uint64_t r, uint64_t strip) const {
    return panel + factor.shape.packedRows(0) * strips.begin(strip) + r * strips.widthOf(strip);
  }
  Real scale(uint64_t column, Real gain) const {
    return static_cast<const Real*>(factor.signs)[column] * gain;
  }
};

// The indices i of a run whose source source + i·stride lies in [from, to).
struct Indices {
  uint64_t first, last;
};

inline Indices indicesIn(const Run& run, uint64_t from, uint64_t to) {
  const auto index = [&](uint64_t source) {
    return source <= run.source ? 0 : (source - run.source + run.sourceStride - 1) / run.sourceStride;
  };
  return {index(from), std::min(run.count, index(to))};
}

// Runs that go along a row of Q, as those of a tall tensor do.
template <class Real, class Element>
void storeRow(const PanelView<Real>& view, const Run& run, Real gain, Element* out) {
  const uint64_t rows = view.factor.shape.rows, base = view.base();
  const Indices in = indicesIn(run, base + view.first * rows, base + view.last * rows);
  const uint64_t step = run.sourceStride / rows;
  for (uint64_t i = in.first; i < in.last; ++i) {
    const uint64_t inside = run.source + i * run.sourceStride - base;
    const uint64_t column = inside / rows, r = inside % rows;
    // As far as the strip goes, without dividing.
    const uint64_t strip = view.strips.stripOf(column - view.first);
    const uint64_t behind = std::min(view.last, view.first + view.strips.begin(strip) + view.strips.full());
    const uint64_t stop = std::min(in.last, i + (behind - column + step - 1) / step);
    const Real* y = view.row(r, strip) - view.first - view.strips.begin(strip);
    uint64_t c = column;
    for (; i < stop; ++i, c += step) {
      const Real value = orthogonalElement(y[c], view.scale(c, gain));
      out[run.target + i * run.targetStride - view.start] =
          toElement<Real, Element>(value, view.factor.work->dtype);
    }
    --i;
  }
}

// Rows [from, to) of each column in turn, out of `stored`.
template <class Real, class Element>
void storeColumns(const PanelView<Real>& view, const Run& run, Real gain, uint64_t from, uint64_t to,
                  Element* out) {
  const uint64_t rows = view.factor.shape.rows, base = view.base();
  const Indices whole = indicesIn(run, base + view.first * rows, base + view.last * rows);
  if (whole.first >= whole.last) return;
  const uint64_t firstColumn = (run.source + whole.first * run.sourceStride - base) / rows;
  const uint64_t lastColumn = (run.source + (whole.last - 1) * run.sourceStride - base) / rows;
  for (uint64_t column = firstColumn; column <= lastColumn; ++column) {
    const uint64_t top = base + column * rows;
    const Indices in = indicesIn(run, top + from, top + to);
    if (in.first >= in.last) continue;
    const Real scale = view.scale(column, gain);
    const Real* y = view.stored + (column - view.first) * kChunkRows +
                    (run.source + in.first * run.sourceStride - top - from);
    Element* to0 = out + (run.target + in.first * run.targetStride - view.start);
    const uint64_t count = in.last - in.first;
    if (run.sourceStride == 1 && run.targetStride == 1) {
      for (uint64_t i = 0; i < count; ++i)
        to0[i] = toElement<Real, Element>(orthogonalElement(y[i], scale), view.factor.work->dtype);
    } else {
      for (uint64_t i = 0; i < count; ++i) {
        to0[i * run.targetStride] = toElement<Real, Element>(
            orthogonalElement(y[i * run.sourceStride], scale), view.factor.work->dtype);
      }
    }
  }
}

// Rows [from, to) of the panel, column after column.
template <class Real>
void transpose(const PanelView<Real>& view, uint64_t from, uint64_t to) {
  constexpr uint64_t kTile = 16;
  const uint64_t columns = view.last - view.first;
  for (uint64_t c0 = 0; c0 < columns;) {
    const uint64_t strip = view.strips.stripOf(c0), width = view.strips.widthOf(strip);
    const uint64_t c1 = std::min({columns, c0 + kTile, view.strips.begin(strip) + width});
    const Real* y = view.row(0, strip) - view.strips.begin(strip);
    for (uint64_t r0 = from; r0 < to; r0 += kTile) {
      const uint64_t r1 = std::min(to, r0 + kTile);
      for (uint64_t c = c0; c < c1; ++c) {
        for (uint64_t r = r0; r < r1; ++r) view.stored[c * kChunkRows + (r - from)] = y[r * width + c];
      }
    }
    c0 = c1;
  }
}

template <class Real, class Element>
void storeElements(const PanelView<Real>& view, Element* out) {
  const Orthogonal& work = *view.factor.work;
  const uint64_t rows = view.factor.shape.rows;
  bool columns = false;
  for (size_t k = 0; k < work.partCount; ++k) {
    const Real gain = static_cast<Real>(work.parts[k].gain);
    forEachRun(work.parts[k].region, view.start, view.end, [&](const Run& run) {
      if (run.count > 1 && run.sourceStride % rows == 0) {
        storeRow(view, run, gain, out);
      } else {
        columns = true;
      }
    });
  }
  if (!columns) return;
  for (uint64_t from = 0; from < rows; from += kChunkRows) {
    const uint64_t to = std::min(rows, from + kChunkRows);
    transpose(view, from, to);
    for (size_t k = 0; k < work.partCount; ++k) {
      const Real gain = static_cast<Real>(work.parts[k].gain);
      forEachRun(work.parts[k].region, view.start, view.end, [&](const Run& run) {
        if (run.count == 1 || run.sourceStride % rows != 0) storeColumns(view, run, gain, from, to, out);
      });
    }
  }
}

}  // namespace
}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_ORTHOGONAL_STORE_INL_H_
