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

// A window of the output and one of the source.
struct Bounds {
  uint64_t start, end, from, to;
};

struct Indices {
  uint64_t first, last;
};

// The indices j < count for which some of [at + j·stride, … + span] is in [from, to).
inline Indices indicesIn(uint64_t count, uint64_t at, uint64_t stride, uint64_t span, uint64_t from,
                         uint64_t to) {
  if (at >= to) return {0, 0};
  if (stride == 0) return {0, at + span < from ? 0 : count};
  return {at + span < from ? (from - at - span + stride - 1) / stride : 0,
          std::min(count, (to - at + stride - 1) / stride)};
}

// As forEachRun, of what is in both windows: a matrix of a large stack finds its own elements without passing
// those of all others.
template <class Visit>
void forEachRunWithin(const Region& region, const Bounds& bounds, const Visit& visit, int axis,
                      uint64_t source, uint64_t target) {
  if (axis == region.rank) {  // rank 0: a single element
    if (target >= bounds.start && target < bounds.end && source >= bounds.from && source < bounds.to)
      visit(Run{source, target, 1, 1, 1});
    return;
  }
  uint64_t sourceSpan = 0, targetSpan = 0;  // of the axes inside this one
  for (int k = axis + 1; k < region.rank; ++k) {
    sourceSpan += (region.shape[k] - 1) * region.sourceStride[k];
    targetSpan += (region.shape[k] - 1) * region.targetStride[k];
  }
  const uint64_t sourceStride = region.sourceStride[axis], targetStride = region.targetStride[axis];
  const Indices ofTarget =
      indicesIn(region.shape[axis], target, targetStride, targetSpan, bounds.start, bounds.end);
  const Indices ofSource =
      indicesIn(region.shape[axis], source, sourceStride, sourceSpan, bounds.from, bounds.to);
  const uint64_t first = std::max(ofTarget.first, ofSource.first);
  const uint64_t last = std::min(ofTarget.last, ofSource.last);
  if (first >= last) return;
  if (axis + 1 == region.rank) {
    visit(Run{source + first * sourceStride, target + first * targetStride, last - first, sourceStride,
              targetStride});
    return;
  }
  for (uint64_t j = first; j < last; ++j)
    forEachRunWithin(region, bounds, visit, axis + 1, source + j * sourceStride, target + j * targetStride);
}

// Calls visit(run, gain) for all elements of the panel.
template <class Real, class Visit>
void forEachRunOf(const PanelView<Real>& view, const Visit& visit) {
  const Orthogonal& work = *view.factor.work;
  const uint64_t rows = view.factor.shape.rows;
  const Bounds bounds{view.start, view.end, view.base() + view.first * rows, view.base() + view.last * rows};
  for (size_t k = 0; k < work.partCount; ++k) {
    const Region& region = work.parts[k].region;
    const Real gain = static_cast<Real>(work.parts[k].gain);
    forEachRunWithin(
        region, bounds, [&](const Run& run) { visit(run, gain); }, 0, region.sourceOffset,
        region.targetOffset);
  }
}

// Whether a run goes along a row of Q, as those of a tall tensor do.
inline bool alongRow(const Run& run, uint64_t rows) { return run.count == 1 || run.sourceStride % rows == 0; }

template <class Real, class Element>
void storeRow(const PanelView<Real>& view, const Run& run, Real gain, Element* out) {
  const uint64_t rows = view.factor.shape.rows, inside = run.source - view.base(), r = inside % rows;
  const uint64_t step = std::max<uint64_t>(1, run.sourceStride / rows);
  uint64_t column = inside / rows;
  for (uint64_t i = 0; i < run.count;) {
    // As far as the strip goes, without dividing.
    const uint64_t strip = view.strips.stripOf(column - view.first);
    const uint64_t behind = view.first + view.strips.begin(strip) + view.strips.full();
    const uint64_t stop = std::min(run.count, i + (behind - column + step - 1) / step);
    const Real* y = view.row(r, strip) - view.first - view.strips.begin(strip);
    for (; i < stop; ++i, column += step) {
      const Real value = orthogonalElement(y[column], view.scale(column, gain));
      out[run.target + i * run.targetStride - view.start] =
          toElement<Real, Element>(value, view.factor.work->dtype);
    }
  }
}

// Rows [from, to) of each column in turn, out of `stored`.
template <class Real, class Element>
void storeColumns(const PanelView<Real>& view, const Run& run, Real gain, uint64_t from, uint64_t to,
                  Element* out) {
  const uint64_t rows = view.factor.shape.rows, base = view.base();
  const uint64_t firstColumn = (run.source - base) / rows;
  const uint64_t lastColumn = (run.source + (run.count - 1) * run.sourceStride - base) / rows;
  for (uint64_t column = firstColumn; column <= lastColumn; ++column) {
    const uint64_t top = base + column * rows;
    const Indices in = indicesIn(run.count, run.source, run.sourceStride, 0, top + from, top + to);
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
  const uint64_t rows = view.factor.shape.rows;
  bool columns = false;
  forEachRunOf(view, [&](const Run& run, Real gain) {
    if (alongRow(run, rows)) {
      storeRow(view, run, gain, out);
    } else {
      columns = true;
    }
  });
  if (!columns) return;
  for (uint64_t from = 0; from < rows; from += kChunkRows) {
    const uint64_t to = std::min(rows, from + kChunkRows);
    transpose(view, from, to);
    forEachRunOf(view, [&](const Run& run, Real gain) {
      if (!alongRow(run, rows)) storeColumns(view, run, gain, from, to, out);
    });
  }
}

}  // namespace
}  // namespace isometry::cpu

#endif  // ISOMETRY_CPU_ORTHOGONAL_STORE_INL_H_
