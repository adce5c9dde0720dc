// Walking a strided region, clipped to a window of the output. Host code: the job loop of every native
// backend.
#ifndef ISOMETRY_CORE_REGION_H_
#define ISOMETRY_CORE_REGION_H_

#include <algorithm>

#include "core/job.h"
#include "core/platform.h"

namespace isometry::inline ISOMETRY_TARGET {

// Along one axis: `count` elements, from `source` in the random stream to `target` in the output.
struct Run {
  uint64_t source, target, count, sourceStride, targetStride;
};

namespace detail {

// Target distance from the first to the last element of the axes from `axis` on.
inline uint64_t targetSpan(const Region& region, int axis) {
  uint64_t span = 0;
  for (int k = axis; k < region.rank; ++k) span += (region.shape[k] - 1) * region.targetStride[k];
  return span;
}

template <class Visit>
void walk(const Region& region, int axis, uint64_t source, uint64_t target, uint64_t start, uint64_t end,
          const Visit& visit) {
  if (axis == region.rank) {  // rank 0: a single element
    if (target >= start && target < end) visit(Run{source, target, 1, 1, 1});
    return;
  }
  // Only the indices whose part of the output [target + j·stride, … + span] meets the window.
  const uint64_t stride = region.targetStride[axis];
  const uint64_t span = targetSpan(region, axis + 1);
  uint64_t first = 0, last = region.shape[axis];
  if (target >= end) return;
  if (target + span < start) {
    if (stride == 0) return;
    first = (start - target - span + stride - 1) / stride;
  }
  if (stride > 0) {
    const uint64_t beyond = (end - target + stride - 1) / stride;
    if (beyond < last) last = beyond;
  }
  if (first >= last) return;
  const uint64_t sourceStride = region.sourceStride[axis];
  if (axis + 1 == region.rank) {
    visit(Run{source + first * sourceStride, target + first * stride, last - first, sourceStride, stride});
    return;
  }
  for (uint64_t j = first; j < last; ++j) {
    walk(region, axis + 1, source + j * sourceStride, target + j * stride, start, end, visit);
  }
}

template <class Visit>
void boxes(Region& box, int axis, uint64_t start, uint64_t end, const Visit& visit) {
  const uint64_t first = box.targetOffset, span = targetSpan(box, axis);
  if (first >= end || first + span < start) return;
  if (first >= start && end - first > span) return visit(static_cast<const Region&>(box));
  // The indices of this axis whose part meets the window, and among them those whose part lies within it. An
  // axis's stride is more than the span of the axes inside it, so at most one index is cut at either end.
  if (box.shape[axis] == 1) return boxes(box, axis + 1, start, end, visit);
  const uint64_t stride = box.targetStride[axis], inner = targetSpan(box, axis + 1);
  const uint64_t count = box.shape[axis], source = box.sourceOffset;
  const uint64_t from = first + inner < start ? (start - first - inner + stride - 1) / stride : 0;
  const uint64_t to = std::min(count, (end - first + stride - 1) / stride);
  const uint64_t wholeFrom = std::max(from, first < start ? (start - first + stride - 1) / stride : 0);
  const uint64_t wholeTo =
      end - first > inner ? std::min(to, (end - first - inner + stride - 1) / stride) : 0;
  const auto part = [&](uint64_t begin, uint64_t length, bool cut) {
    box.sourceOffset = source + begin * box.sourceStride[axis];
    box.targetOffset = first + begin * stride;
    box.shape[axis] = length;
    if (cut) {
      boxes(box, axis + 1, start, end, visit);
    } else {
      visit(static_cast<const Region&>(box));
    }
  };
  for (uint64_t j = from; j < std::min(to, wholeFrom); ++j) part(j, 1, true);
  if (wholeFrom < wholeTo) part(wholeFrom, wholeTo - wholeFrom, false);
  for (uint64_t j = std::max(wholeFrom, wholeTo); j < to; ++j) part(j, 1, true);
  box.shape[axis] = count;
  box.sourceOffset = source;
  box.targetOffset = first;
}

}  // namespace detail

// Calls visit(Region) for boxes that together are the part of the region in the output window [start, end):
// at most 2·rank + 1 of them, each region whole within the window.
template <class Visit>
void forEachBox(const Region& region, uint64_t start, uint64_t end, const Visit& visit) {
  Region box = region;
  detail::boxes(box, 0, start, end, visit);
}

// Calls visit(Run) for every part of the region that lies in the output window [start, end).
template <class Visit>
void forEachRun(const Region& region, uint64_t start, uint64_t end, const Visit& visit) {
  detail::walk(region, 0, region.sourceOffset, region.targetOffset, start, end, visit);
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_REGION_H_
