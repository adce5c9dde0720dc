import type { Region } from './job.js';
import type { Ranges } from './region.js';

/** How one index of a box moves: through a law's stream and through a tensor. */
export interface PlacedAxis {
  readonly extent: number;
  /** Elements of the stream from one index to the next; ≥ 1. */
  readonly source: number;
  /** How far each axis of the tensor moves from one index to the next, ≥ 1; those not named do not move. */
  readonly steps: ReadonlyMap<number, number>;
}

/**
 * Where a box of a stream's elements lies in a tensor: at `origin` plus the steps of the axes' indices. No tensor axis is
 * moved by two axes of the box. A whole tensor is the box with an axis for each of its own; a diagonal is a box of one
 * axis that moves two.
 */
export interface Placement {
  readonly sourceOffset: number;
  /** One index for each axis of the tensor. */
  readonly origin: readonly number[];
  readonly axes: readonly PlacedAxis[];
}

/** A whole tensor, whose element i is element i of the stream. */
export function wholePlacement(shape: readonly number[]): Placement {
  const axes: PlacedAxis[] = [];
  for (let axis = shape.length - 1, source = 1; axis >= 0; axis--) {
    axes.unshift({ extent: shape[axis]!, source, steps: new Map([[axis, 1]]) });
    source *= shape[axis]!;
  }
  return { sourceOffset: 0, origin: shape.map(() => 0), axes };
}

/** How many elements a placement has. */
export function placedElements({ axes }: Placement): number {
  return axes.reduce((product, { extent }) => product * extent, 1);
}

/**
 * The elements of a placement that lie in a slice, and where they go in the dense, row-major output that holds just the
 * slice. Axes are merged where a run goes on in stream and output alike.
 *
 * @param ranges - the slice's, one for each axis of the tensor; see `parseSlice`.
 * @returns `null` when there are none.
 */
export function placeRegion(placement: Placement, ranges: Ranges): Region | null {
  const { origin, axes } = placement;
  const strides = denseStrides(ranges);
  const moved = new Set(axes.flatMap(({ steps }) => [...steps.keys()]));
  let { sourceOffset } = placement;
  let targetOffset = 0;
  for (const [axis, [start, end]] of ranges.entries()) {
    const at = origin[axis]!;
    if (!moved.has(axis) && (at < start || at >= end)) return null;
    targetOffset += (at - start) * strides[axis]!;
  }
  const runs: Run[] = [];
  for (const { extent, source, steps } of axes) {
    let first = 0;
    let last = extent;
    let target = 0;
    for (const [axis, step] of steps) {
      const [start, end] = ranges[axis]!;
      const at = origin[axis]!;
      first = Math.max(first, Math.ceil((start - at) / step));
      last = Math.min(last, Math.ceil((end - at) / step));
      target += step * strides[axis]!;
    }
    if (first >= last) return null;
    sourceOffset += first * source;
    targetOffset += first * target;
    if (last - first > 1) runs.push({ extent: last - first, source, target });
  }
  const merged = mergeRuns(runs);
  return {
    shape: merged.map(({ extent }) => extent),
    sourceOffset,
    sourceStrides: merged.map(({ source }) => source),
    targetOffset,
    targetStrides: merged.map(({ target }) => target),
  };
}

/** An axis of a region. */
interface Run {
  readonly extent: number;
  readonly source: number;
  readonly target: number;
}

function denseStrides(ranges: Ranges): number[] {
  const strides = new Array<number>(ranges.length);
  for (let axis = ranges.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= ranges[axis]![1] - ranges[axis]![0];
  }
  return strides;
}

/** Outermost in the output first, which is the order in which it is walked, and as few as possible. */
function mergeRuns(runs: readonly Run[]): readonly Run[] {
  const merged = [...runs].sort((a, b) => b.target - a.target);
  for (let k = merged.length - 1; k > 0; k--) {
    const [outer, inner] = [merged[k - 1]!, merged[k]!];
    if (outer.source !== inner.source * inner.extent || outer.target !== inner.target * inner.extent)
      continue;
    merged.splice(k - 1, 2, { ...inner, extent: inner.extent * outer.extent });
  }
  return merged;
}
