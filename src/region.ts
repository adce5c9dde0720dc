import { expected } from './errors.js';
import type { Region } from './job.js';
import { elementCount } from './shape.js';

/**
 * A rectangular part of a tensor: for each axis, outermost first, the half-open range `[start, end)` of indices, or
 * `null` for the whole axis. Axes past the last entry are whole.
 */
export type Slice = readonly (readonly [start: number, end: number] | null)[];

/** A slice with one checked range for every axis. */
export type Ranges = readonly (readonly [start: number, end: number])[];

/**
 * A slice as one validated range per axis; `undefined` is the whole tensor. Everything in `slice` is read exactly
 * once: to derive two things from a slice of unknown origin, parse it once and use the result (it is a {@link Slice}).
 *
 * @param shape - the whole tensor's, validated.
 * @throws IsometryError `INVALID_SLICE` naming the axis, unless 0 ≤ start ≤ end ≤ dimension on each.
 */
export function parseSlice(shape: readonly number[], slice: unknown): Ranges {
  if (slice === undefined) return shape.map((dim) => [0, dim] as const);
  if (!Array.isArray(slice)) {
    throw expected('INVALID_SLICE', 'an array with [start, end] or null for each axis', 'slice', slice);
  }
  const entries = [...(slice as unknown[])];
  if (entries.length > shape.length) {
    throw expected('INVALID_SLICE', `at most ${shape.length} entries (one per axis)`, 'slice', slice);
  }
  return shape.map((dim, axis) => {
    const entry = axis < entries.length ? entries[axis] : null;
    return entry === null ? ([0, dim] as const) : parseRange(entry, dim, axis);
  });
}

function parseRange(entry: unknown, dim: number, axis: number): readonly [number, number] {
  if (Array.isArray(entry)) {
    const [start, end, ...rest] = entry as unknown[];
    if (isIndex(start) && isIndex(end) && start <= end && end <= dim && rest.length === 0) {
      return [start + 0, end + 0]; // −0 → 0
    }
  }
  throw expected(
    'INVALID_SLICE',
    `null or [start, end] with 0 ≤ start ≤ end ≤ ${dim}`,
    `axis ${axis} of slice`,
    entry,
  );
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/**
 * The shape of a slice: as many axes as the tensor has.
 * @throws IsometryError `INVALID_SLICE`.
 */
export function sliceShape(shape: readonly number[], slice: unknown): readonly number[] {
  return parseSlice(shape, slice).map(([start, end]) => end - start);
}

/**
 * Which elements of a tensor's stream a slice takes (row-major indices in the whole tensor) and where they go (the
 * dense, row-major output that holds just the slice). Neighbouring axes are merged wherever the slice is contiguous
 * in the whole tensor, so the innermost runs are as long as they can be; a whole tensor is one run.
 *
 * @param shape - the whole tensor's, validated.
 * @returns `null` when the slice has no elements.
 * @throws IsometryError `INVALID_SLICE`; `TOO_LARGE` when the whole tensor has more than 2^53 − 1 elements.
 */
export function sliceRegion(shape: readonly number[], slice: unknown): Region | null {
  const ranges = parseSlice(shape, slice);
  elementCount(shape); // every index below is less than this, hence exact
  if (ranges.some(([start, end]) => start === end)) return null;

  // Innermost axis first; turned round at the end.
  const extents: number[] = [];
  const sourceStrides: number[] = [];
  const targetStrides: number[] = [];
  let sourceOffset = 0;
  let sourceStride = 1;
  let targetStride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const [start, end] = ranges[axis]!;
    const extent = end - start;
    sourceOffset += start * sourceStride;
    const last = extents.length - 1;
    if (extent > 1) {
      // The target is dense, so whether two axes are one run depends on the source alone.
      if (last >= 0 && sourceStride === extents[last]! * sourceStrides[last]!) {
        extents[last]! *= extent;
      } else {
        extents.push(extent);
        sourceStrides.push(sourceStride);
        targetStrides.push(targetStride);
      }
    }
    sourceStride *= shape[axis]!;
    targetStride *= extent;
  }
  return {
    shape: extents.reverse(),
    sourceOffset,
    sourceStrides: sourceStrides.reverse(),
    targetOffset: 0,
    targetStrides: targetStrides.reverse(),
  };
}
