import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Region } from '../../src/job.js';
import { forEachRun } from '../../src/js/region.js';
import { type Placement, placedElements, placeRegion, wholePlacement } from '../../src/placement.js';
import { type Ranges, sliceRegion } from '../../src/region.js';
import { elementCount } from '../../src/shape.js';
import { arbitraryRanges, indicesOf, offsetOf } from '../helpers/elements.js';

/** Where each element goes, one by one: the definition. */
function walk({ sourceOffset, origin, axes }: Placement, ranges: Ranges): Map<number, number> {
  const sources = new Map<number, number>();
  const shape = ranges.map(([start, end]) => end - start);
  for (const index of indicesOf(axes.map(({ extent }) => extent))) {
    const at = [...origin];
    let source = sourceOffset;
    for (const [k, { source: stride, steps }] of axes.entries()) {
      source += index[k]! * stride;
      for (const [axis, step] of steps) at[axis]! += index[k]! * step;
    }
    if (at.some((place, axis) => place < ranges[axis]![0] || place >= ranges[axis]![1])) continue;
    const target = offsetOf(
      shape,
      at.map((place, axis) => place - ranges[axis]![0]),
    );
    expect(sources.has(target)).toBe(false);
    sources.set(target, source);
  }
  return sources;
}

function regionMap(region: Region | null, start: number, end: number): Map<number, number> {
  const sources = new Map<number, number>();
  if (region === null) return sources;
  forEachRun(region, start, end, (source, target, count, sourceStride, targetStride) => {
    for (let i = 0; i < count; i++) sources.set(target + i * targetStride, source + i * sourceStride);
  });
  return sources;
}

const sorted = (map: Map<number, number>): [number, number][] => [...map].sort(([a], [b]) => a - b);

/** A tensor, a box that lies in it, and a slice. Each axis of the tensor is moved by one of the box, or by none. */
const cases = fc
  .array(fc.record({ extent: fc.integer({ min: 1, max: 5 }), mover: fc.integer({ min: -1, max: 3 }) }), {
    maxLength: 4,
  })
  .chain((given) => {
    const movers = [...new Set(given.map(({ mover }) => mover).filter((mover) => mover >= 0))];
    return fc
      .record({
        steps: fc.tuple(...given.map(() => fc.integer({ min: 1, max: 3 }))),
        origin: fc.tuple(...given.map(() => fc.nat(2))),
        slack: fc.tuple(...given.map(() => fc.nat(2))),
        extents: fc.tuple(...movers.map(() => fc.integer({ min: 1, max: 4 }))),
        sources: fc.tuple(...movers.map(() => fc.integer({ min: 1, max: 50 }))),
        sourceOffset: fc.nat(100),
      })
      .chain(({ steps, origin, slack, extents, sources, sourceOffset }) => {
        const axes = movers.map((mover, k) => ({
          extent: extents[k]!,
          source: sources[k]!,
          steps: new Map(given.flatMap((own, axis) => (own.mover === mover ? [[axis, steps[axis]!]] : []))),
        }));
        const shape = given.map(({ mover }, axis) => {
          const k = movers.indexOf(mover);
          return origin[axis]! + (k < 0 ? 0 : (extents[k]! - 1) * steps[axis]!) + 1 + slack[axis]!;
        });
        const placement = { sourceOffset, origin, axes } as Placement;
        return fc.record({
          shape: fc.constant(shape),
          placement: fc.constant(placement),
          ranges: arbitraryRanges(shape),
        });
      });
  });

describe('placeRegion', () => {
  it('has of any slice what a walk over all elements finds', () => {
    let found = 0;
    fc.assert(
      fc.property(cases, ({ placement, ranges }) => {
        const region = placeRegion(placement, ranges);
        const length = elementCount(ranges.map(([start, end]) => end - start));
        const expected = walk(placement, ranges);
        expect(sorted(regionMap(region, 0, length))).toEqual(sorted(expected));
        expect(region === null).toBe(expected.size === 0);
        found += expected.size;
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(1000);
  });

  it('of the whole tensor has every element of the box', () => {
    fc.assert(
      fc.property(cases, ({ shape, placement }) => {
        const region = placeRegion(
          placement,
          shape.map((dim) => [0, dim] as const),
        )!;
        expect(elementCount(region.shape)).toBe(placedElements(placement));
      }),
    );
  });

  it('can be cut into windows of the output', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 9 }), ({ placement, ranges }, size) => {
        const region = placeRegion(placement, ranges);
        const length = elementCount(ranges.map(([start, end]) => end - start));
        const pieces = new Map<number, number>();
        for (let start = 0; start < length; start += size) {
          for (const [target, source] of regionMap(region, start, start + size)) {
            expect(target >= start && target < start + size).toBe(true);
            pieces.set(target, source);
          }
        }
        expect(sorted(pieces)).toEqual(sorted(regionMap(region, 0, length)));
      }),
    );
  });

  it('has a region that is as every job expects it', () => {
    fc.assert(
      fc.property(cases, ({ placement, ranges }) => {
        const region = placeRegion(placement, ranges);
        if (region === null) return;
        for (const [axis, extent] of region.shape.entries()) {
          expect(extent).toBeGreaterThan(1);
          expect(region.sourceStrides[axis]).toBeGreaterThanOrEqual(1);
          expect(region.targetStrides[axis]).toBeGreaterThanOrEqual(1);
        }
        expect(region.sourceOffset).toBeGreaterThanOrEqual(0);
        expect(region.targetOffset).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('wholePlacement', () => {
  it('is what a slice of independent elements is', () => {
    const shapes = fc.array(fc.nat(5), { maxLength: 4 });
    const given = shapes.chain((shape) => fc.tuple(fc.constant(shape), arbitraryRanges(shape)));
    fc.assert(
      fc.property(given, ([shape, ranges]) => {
        expect(placeRegion(wholePlacement(shape), ranges)).toEqual(sliceRegion(shape, ranges));
      }),
    );
  });

  it('has all elements', () => {
    expect(placedElements(wholePlacement([3, 4, 5]))).toBe(60);
    expect(placedElements(wholePlacement([]))).toBe(1);
    expect(placedElements(wholePlacement([3, 0]))).toBe(0);
  });
});

describe('a diagonal', () => {
  it('is one run', () => {
    const diagonal = { extent: 3, source: 1, steps: new Map([0, 1].map((axis) => [axis, 1])) };
    const placement = { sourceOffset: 0, origin: [0, 0], axes: [diagonal] };
    const place = (ranges: Ranges): Region | null => placeRegion(placement, ranges);
    expect(
      place([
        [0, 3],
        [0, 4],
      ]),
    ).toEqual({ shape: [3], sourceOffset: 0, sourceStrides: [1], targetOffset: 0, targetStrides: [5] });
    expect(
      place([
        [1, 3],
        [0, 2],
      ]),
    ).toEqual({ shape: [], sourceOffset: 1, sourceStrides: [], targetOffset: 1, targetStrides: [] });
    expect(
      place([
        [0, 1],
        [1, 4],
      ]),
    ).toBeNull();
  });
});
