#include "cuda/orthogonal_plan.h"

#include <algorithm>

#include "core/region.h"

namespace isometry::cuda {
namespace {

uint64_t targetSpan(const Region& region) {
  uint64_t span = 0;
  for (int k = 0; k < region.rank; ++k) span += (region.shape[k] - 1) * region.targetStride[k];
  return span;
}

uint64_t countOf(const Region& region) {
  uint64_t count = 1;
  for (int k = 0; k < region.rank; ++k) count *= region.shape[k];
  return count;
}

// The same elements with what was source for target and the other way round, axes in descending order of
// sources' strides, so that forEachBox clips sources. False where it cannot: some axis reaches into the next
// outer one.
bool turned(const Region& box, Region& out) {
  int order[kMaxRank], rank = 0;
  for (int k = 0; k < box.rank; ++k) {
    if (box.shape[k] > 1) order[rank++] = k;
  }
  std::stable_sort(order, order + rank,
                   [&](int a, int b) { return box.sourceStride[a] > box.sourceStride[b]; });
  out.rank = rank;
  out.sourceOffset = box.targetOffset;
  out.targetOffset = box.sourceOffset;
  for (int k = 0; k < rank; ++k) {
    out.shape[k] = box.shape[order[k]];
    out.sourceStride[k] = box.targetStride[order[k]];
    out.targetStride[k] = box.sourceStride[order[k]];
  }
  uint64_t span = 0;
  for (int k = rank; k-- > 0;) {
    if (out.targetStride[k] <= span) return false;
    span += (out.shape[k] - 1) * out.targetStride[k];
  }
  return true;
}

ScatterBox boxOf(double gain, uint64_t source, uint64_t target, std::vector<Axis> axes) {
  std::stable_sort(axes.begin(), axes.end(),
                   [](const Axis& a, const Axis& b) { return a.targetStride > b.targetStride; });
  ScatterBox box{gain, source, target, 1, {}};
  for (const Axis& axis : axes) {
    if (axis.count == 1) continue;
    box.count *= axis.count;
    if (!box.axes.empty()) {
      Axis& outer = box.axes.back();
      if (outer.sourceStride == axis.count * axis.sourceStride &&
          outer.targetStride == axis.count * axis.targetStride) {
        outer = {outer.count * axis.count, axis.sourceStride, axis.targetStride};
        continue;
      }
    }
    box.axes.push_back(axis);
  }
  return box;
}

}  // namespace

std::vector<ScatterBox> scatterBoxes(const Orthogonal& work, uint64_t start, uint64_t end, uint64_t begin,
                                     uint64_t stop) {
  std::vector<ScatterBox> boxes;
  for (size_t p = 0; p < work.partCount; ++p) {
    const OrthogonalPart& part = work.parts[p];
    forEachBox(part.region, start, end, [&](const Region& box) {
      Region sources;
      std::vector<Axis> axes;
      if (!turned(box, sources)) {
        for (int k = 0; k < box.rank; ++k)
          axes.push_back({box.shape[k], box.sourceStride[k], box.targetStride[k]});
        boxes.push_back(boxOf(part.gain, box.sourceOffset, box.targetOffset, std::move(axes)));
        return;
      }
      forEachBox(sources, begin, stop, [&](const Region& piece) {
        axes.clear();
        for (int k = 0; k < piece.rank; ++k)
          axes.push_back({piece.shape[k], piece.targetStride[k], piece.sourceStride[k]});
        boxes.push_back(boxOf(part.gain, piece.targetOffset, piece.sourceOffset, axes));
      });
    });
  }
  return boxes;
}

bool coversWindow(const Orthogonal& work, uint64_t start, uint64_t end) {
  // One part that does; whether several do together is not worth finding out. No part writes an element
  // twice.
  for (size_t p = 0; p < work.partCount; ++p) {
    uint64_t count = 0;
    forEachBox(work.parts[p].region, start, end, [&](const Region& box) { count += countOf(box); });
    if (count == end - start) return true;
  }
  return false;
}

Window boundsOf(const Orthogonal& work, uint64_t start, uint64_t end) {
  Window bounds{end, start};
  for (size_t p = 0; p < work.partCount; ++p) {
    forEachBox(work.parts[p].region, start, end, [&](const Region& box) {
      bounds.start = std::min(bounds.start, box.targetOffset);
      bounds.end = std::max(bounds.end, box.targetOffset + targetSpan(box) + 1);
    });
  }
  if (bounds.start >= bounds.end) bounds = {start, start};
  return bounds;
}

WorkLayout layOutGroup(const Orthogonal& work, const Columns& columns, uint64_t width, uint64_t realBytes) {
  WorkLayout layout{};
  Group& group = layout.group;
  group.firstMatrix = columns.firstMatrix;
  group.matrices = static_cast<uint32_t>(columns.lastMatrix - columns.firstMatrix);
  group.blocks = static_cast<uint32_t>((columns.lastColumn + kBlockColumns - 1) / kBlockColumns);
  group.rows = work.rows;
  group.cols = work.cols;
  group.paddedRows = (work.rows + kTileRows - 1) / kTileRows * kTileRows;
  group.width = width;
  group.firstColumn = columns.firstColumn;
  group.lastColumn = columns.lastColumn;
  group.partialsWidth = std::max(width, group.columns());
  const struct {
    uint64_t* address;
    uint64_t numbers;  // of one matrix; below 2^61, since rows·cols is below 2^53
  } arrays[] = {{&group.v, group.vSize()},     {&group.u, group.uSize()},
                {&group.rho, group.columns()}, {&group.signs, group.columns()},
                {&group.z, group.zSize()},     {&group.partials, group.partialsSize()},
                {&group.y, group.ySize()}};
  double total = 0;
  for (const auto& array : arrays) total += static_cast<double>(array.numbers);
  if (total * group.matrices * static_cast<double>(realBytes) > 0x1p53) return layout;
  for (const auto& array : arrays) {
    *array.address = layout.bytes;
    const uint64_t bytes = array.numbers * group.matrices * realBytes;
    layout.bytes += (bytes + kWorkAlignment - 1) / kWorkAlignment * kWorkAlignment;
  }
  return layout;
}

}  // namespace isometry::cuda
