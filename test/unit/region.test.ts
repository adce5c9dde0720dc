import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Region } from '../../src/job.js';
import { parseSlice, sliceRegion, sliceShape } from '../../src/region.js';

/** `[source, target]` of every element of a region, in row-major order of the region. */
function elements(region: Region | null): [number, number][] {
  if (region === null) return [];
  let pairs: [number, number][] = [[region.sourceOffset, region.targetOffset]];
  for (const [axis, extent] of region.shape.entries()) {
    pairs = pairs.flatMap(([source, target]) =>
      Array.from({ length: extent }, (_, i): [number, number] => [
        source + i * region.sourceStrides[axis]!,
        target + i * region.targetStrides[axis]!,
      ]),
    );
  }
  return pairs;
}

/** The same from the definition: walk the whole tensor, keep what lies in the slice. */
function bruteForce(
  shape: readonly number[],
  ranges: readonly (readonly [number, number])[],
): [number, number][] {
  const count = shape.reduce((product, dim) => product * dim, 1);
  const pairs: [number, number][] = [];
  for (let index = 0; index < count; index++) {
    let rest = index;
    const inside = [...shape.keys()].reverse().every((axis) => {
      const at = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      return at >= ranges[axis]![0] && at < ranges[axis]![1];
    });
    if (inside) pairs.push([index, pairs.length]);
  }
  return pairs;
}

const shapeAndRanges = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }).chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.tuple(
      ...shape.map((dim) =>
        fc.oneof(
          fc.constant([0, dim] as [number, number]),
          fc
            .tuple(fc.nat(dim), fc.nat(dim))
            .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]),
        ),
      ),
    ),
  ),
);

describe('sliceRegion', () => {
  it('takes exactly the elements of the slice, densely, in row-major order', () => {
    fc.assert(
      fc.property(shapeAndRanges, ([shape, ranges]) => {
        expect(elements(sliceRegion(shape, ranges))).toEqual(bruteForce(shape, ranges));
      }),
      { numRuns: 500 },
    );
  });

  it('is null exactly when the slice is empty', () => {
    fc.assert(
      fc.property(shapeAndRanges, ([shape, ranges]) => {
        expect(sliceRegion(shape, ranges) === null).toBe(sliceShape(shape, ranges).includes(0));
      }),
    );
  });

  it('has no two axes that could be one, and none of length 1', () => {
    fc.assert(
      fc.property(shapeAndRanges, ([shape, ranges]) => {
        const region = sliceRegion(shape, ranges);
        if (region === null) return;
        const { shape: extents, sourceStrides } = region;
        expect(extents.every((extent) => extent > 1)).toBe(true);
        for (let axis = 1; axis < extents.length; axis++) {
          expect(sourceStrides[axis - 1]).not.toBe(extents[axis]! * sourceStrides[axis]!);
        }
      }),
    );
  });

  it.each([
    ['a whole tensor is one run', [3, 4, 5], undefined, [60], 0, [1]],
    ['rank 0 is one element', [], undefined, [], 0, []],
    [
      'one element',
      [3, 4],
      [
        [2, 3],
        [1, 2],
      ],
      [],
      9,
      [],
    ],
    ['rows are one run', [8, 4, 5], [[2, 6], null, null], [80], 40, [1]],
    ['fewer entries than axes', [8, 4, 5], [[2, 6]], [80], 40, [1]],
    ['columns are strided', [8, 10], [null, [3, 5]], [8, 2], 3, [10, 1]],
    ['the middle axis', [2, 6, 5], [null, [1, 3], null], [2, 10], 5, [30, 1]],
    ['one column is one strided axis', [8, 10], [null, [3, 4]], [8], 3, [10]],
    ['axes of length 1 vanish', [4, 1, 3, 1], undefined, [12], 0, [1]],
    ['an experts axis cut out', [8, 16, 32], [[5, 6], null, [0, 32]], [512], 2560, [1]],
  ])('%s', (_, shape, slice, extents, offset, strides) => {
    expect(sliceRegion(shape, slice)).toMatchObject({
      shape: extents,
      sourceOffset: offset,
      sourceStrides: strides,
      targetOffset: 0,
    });
  });

  it('is exact for offsets beyond 2^32', () => {
    const region = sliceRegion(
      [2 ** 30, 2 ** 22],
      [
        [2 ** 30 - 1, 2 ** 30],
        [5, 9],
      ],
    );
    expect(region).toMatchObject({ shape: [4], sourceOffset: (2 ** 30 - 1) * 2 ** 22 + 5 });
  });

  it('refuses a tensor with too many elements', () => {
    expect(() => sliceRegion([2 ** 30, 2 ** 30], [[0, 1]])).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
  });
});

describe('sliceShape', () => {
  it.each([
    [[3, 4], undefined, [3, 4]],
    [[3, 4], [], [3, 4]],
    [[3, 4], [[1, 3]], [2, 4]],
    [
      [3, 4],
      [null, [0, 0]],
      [3, 0],
    ],
    [[], [], []],
    [[0], [[0, 0]], [0]],
  ])('of %j, slice %j, is %j', (shape, slice, dims) => {
    expect(sliceShape(shape, slice)).toEqual(dims);
  });
});

describe('parseSlice', () => {
  it.each([
    [[[0, 5]], 'axis 0'],
    [[null, [3, 2]], 'axis 1'],
    [[null, [-1, 2]], 'axis 1'],
    [[null, [0.5, 2]], 'axis 1'],
    [[null, [0, Number.NaN]], 'axis 1'],
    [[null, ['0', '2']], 'axis 1'],
    [[null, [0n, 2n]], 'axis 1'],
    [[null, [0]], 'axis 1'],
    [[null, [0, 1, 2]], 'axis 1'],
    [[null, []], 'axis 1'],
    [[null, undefined], 'axis 1'],
    [[null, 1], 'axis 1'],
    [[null, '01'], 'axis 1'],
    [[null, { 0: 0, 1: 1 }], 'axis 1'],
    [[null, null, null], 'at most 2 entries'],
    [null, 'for slice'],
    ['0:2', 'for slice'],
    [{ 0: [0, 1] }, 'for slice'],
  ])('rejects bad slice %#', (slice, text) => {
    expect(() => parseSlice([4, 4], slice)).toThrow(
      expect.objectContaining({ code: 'INVALID_SLICE', message: expect.stringContaining(text) }),
    );
  });

  it('rejects a hole, which is not null', () => {
    const holed: unknown[] = [null, null];
    delete holed[0];
    expect(() => parseSlice([4, 4], holed)).toThrow(expect.objectContaining({ code: 'INVALID_SLICE' }));
  });

  it('reads a changing slice once', () => {
    let reads = 0;
    const range = [0, 0];
    Object.defineProperty(range, 1, { get: () => ++reads });
    expect(parseSlice([4], [range])).toEqual([[0, 1]]);
    expect(reads).toBe(1);
  });
});
