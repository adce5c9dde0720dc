/**
 * Where a source that is computed piece by piece goes: a region clipped to windows of the output and of the source.
 */
import type { Region } from '../job.js';
import type { VisitRun } from './region.js';

/** The elements of a region that lie in the output window [start, end). Source strides are ≥ 1. */
export class Places {
  private readonly rank: number;
  private readonly extents: number[];
  private readonly sourceStrides: number[];
  private readonly targetStrides: number[];
  /** From the first to the last element of the axes from k on, in the source and in the output. */
  private readonly sourceSpans: number[] = [0];
  private readonly targetSpans: number[] = [0];
  private readonly region: Region;
  private readonly start: number;
  private readonly end: number;

  constructor(region: Region, start: number, end: number) {
    const axes = [...region.shape.keys()].filter((axis) => region.shape[axis] !== 1);
    this.rank = axes.length;
    this.extents = axes.map((axis) => region.shape[axis]!);
    this.sourceStrides = axes.map((axis) => region.sourceStrides[axis]!);
    this.targetStrides = axes.map((axis) => region.targetStrides[axis]!);
    for (let k = this.rank - 1; k >= 0; k--) {
      const steps = this.extents[k]! - 1;
      this.sourceSpans.unshift(this.sourceSpans[0]! + steps * this.sourceStrides[k]!);
      this.targetSpans.unshift(this.targetSpans[0]! + steps * this.targetStrides[k]!);
    }
    this.region = region;
    this.start = start;
    this.end = end;
  }

  /** The smallest source index ≥ `from`; Infinity if there is none. */
  first(from: number): number {
    return this.least(0, this.region.sourceOffset, this.region.targetOffset, from);
  }

  /** The largest source index < `to`; −Infinity if there is none. */
  last(to: number): number {
    return this.greatest(0, this.region.sourceOffset, this.region.targetOffset, to);
  }

  /**
   * Calls `visit` for the runs of all elements whose source index is in [from, to) and whose place in the output is in
   * [start, end), too.
   */
  forEachRun(from: number, to: number, start: number, end: number, visit: VisitRun): void {
    const { sourceOffset, targetOffset } = this.region;
    this.walk(
      0,
      sourceOffset,
      targetOffset,
      from,
      to,
      Math.max(start, this.start),
      Math.min(end, this.end),
      visit,
    );
  }

  private walk(
    axis: number,
    source: number,
    target: number,
    from: number,
    to: number,
    start: number,
    end: number,
    visit: VisitRun,
  ): void {
    if (axis === this.rank) {
      if (source >= from && source < to && target >= start && target < end) visit(source, target, 1, 1, 1);
      return;
    }
    const sourceStride = this.sourceStrides[axis]!;
    const targetStride = this.targetStrides[axis]!;
    const first = Math.max(
      firstFrom(from - source - this.sourceSpans[axis + 1]!, sourceStride),
      firstFrom(start - target - this.targetSpans[axis + 1]!, targetStride),
    );
    const last = Math.min(
      this.extents[axis]!,
      Math.ceil((to - source) / sourceStride),
      Math.ceil((end - target) / targetStride),
    );
    if (first >= last) return;
    if (axis + 1 === this.rank) {
      visit(
        source + first * sourceStride,
        target + first * targetStride,
        last - first,
        sourceStride,
        targetStride,
      );
      return;
    }
    for (let j = first; j < last; j++) {
      this.walk(axis + 1, source + j * sourceStride, target + j * targetStride, from, to, start, end, visit);
    }
  }

  private least(axis: number, source: number, target: number, from: number): number {
    if (axis === this.rank) return this.has(target) && source >= from ? source : Number.POSITIVE_INFINITY;
    const stride = this.sourceStrides[axis]!;
    const targetStride = this.targetStrides[axis]!;
    const last = this.lastIn(axis, target);
    let least = Number.POSITIVE_INFINITY;
    let j = Math.max(
      this.firstIn(axis, target),
      firstFrom(from - source - this.sourceSpans[axis + 1]!, stride),
    );
    // What lies at j and beyond is not less than source + j·stride.
    for (; j < last && source + j * stride < least; j++) {
      least = Math.min(least, this.least(axis + 1, source + j * stride, target + j * targetStride, from));
    }
    return least;
  }

  private greatest(axis: number, source: number, target: number, to: number): number {
    if (axis === this.rank) return this.has(target) && source < to ? source : Number.NEGATIVE_INFINITY;
    const stride = this.sourceStrides[axis]!;
    const targetStride = this.targetStrides[axis]!;
    const span = this.sourceSpans[axis + 1]!;
    const first = this.firstIn(axis, target);
    let greatest = Number.NEGATIVE_INFINITY;
    let j = Math.min(this.lastIn(axis, target), Math.ceil((to - source) / stride)) - 1;
    for (; j >= first && source + j * stride + span > greatest; j--) {
      greatest = Math.max(
        greatest,
        this.greatest(axis + 1, source + j * stride, target + j * targetStride, to),
      );
    }
    return greatest;
  }

  private has(target: number): boolean {
    return target >= this.start && target < this.end;
  }

  /** The indices [firstIn, lastIn) of an axis are those that may lie in the window. */
  private firstIn(axis: number, target: number): number {
    return firstFrom(this.start - target - this.targetSpans[axis + 1]!, this.targetStrides[axis]!);
  }

  private lastIn(axis: number, target: number): number {
    return Math.min(this.extents[axis]!, Math.ceil((this.end - target) / this.targetStrides[axis]!));
  }
}

/** The first index ≥ 0 at which steps of `stride` ≥ 1 reach `distance`. */
function firstFrom(distance: number, stride: number): number {
  return distance > 0 ? Math.ceil(distance / stride) : 0;
}
