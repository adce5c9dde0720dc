/**
 * Walking a strided region, clipped to a window of the output. Twin of core/region.h.
 */
import type { Region } from '../job.js';

/** Along one axis: `count` elements, from `source` in the random stream to `target` in the output. */
export type VisitRun = (
  source: number,
  target: number,
  count: number,
  sourceStride: number,
  targetStride: number,
) => void;

/** Calls `visit` for every part of the region that lies in the output window [start, end). */
export function forEachRun(region: Region, start: number, end: number, visit: VisitRun): void {
  walk(region, 0, region.sourceOffset, region.targetOffset, start, end, visit);
}

/** Target distance from the first to the last element of the axes from `axis` on. */
function targetSpan(region: Region, axis: number): number {
  let span = 0;
  for (let k = axis; k < region.shape.length; k++) span += (region.shape[k]! - 1) * region.targetStrides[k]!;
  return span;
}

function walk(
  region: Region,
  axis: number,
  source: number,
  target: number,
  start: number,
  end: number,
  visit: VisitRun,
): void {
  if (axis === region.shape.length) {
    if (target >= start && target < end) visit(source, target, 1, 1, 1); // rank 0: a single element
    return;
  }
  // Only the indices whose part of the output [target + j·stride, … + span] meets the window.
  const stride = region.targetStrides[axis]!;
  const span = targetSpan(region, axis + 1);
  let first = 0;
  let last = region.shape[axis]!;
  if (target >= end) return;
  if (target + span < start) {
    if (stride === 0) return;
    first = Math.ceil((start - target - span) / stride);
  }
  if (stride > 0) last = Math.min(last, Math.ceil((end - target) / stride));
  if (first >= last) return;
  const sourceStride = region.sourceStrides[axis]!;
  if (axis + 1 === region.shape.length) {
    visit(source + first * sourceStride, target + first * stride, last - first, sourceStride, stride);
    return;
  }
  for (let j = first; j < last; j++) {
    walk(region, axis + 1, source + j * sourceStride, target + j * stride, start, end, visit);
  }
}
