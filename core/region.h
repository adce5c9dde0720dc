// Walking a strided region, clipped to a window of the output. Host code: the job loop of every native
// backend.
#ifndef ISOMETRY_CORE_REGION_H_
#define ISOMETRY_CORE_REGION_H_

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

}  // namespace detail

// Calls visit(Run) for every part of the region that lies in the output window [start, end).
template <class Visit>
void forEachRun(const Region& region, uint64_t start, uint64_t end, const Visit& visit) {
  detail::walk(region, 0, region.sourceOffset, region.targetOffset, start, end, visit);
}

}  // namespace isometry::inline ISOMETRY_TARGET

#endif  // ISOMETRY_CORE_REGION_H_
