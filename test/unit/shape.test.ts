import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount, MAX_RANK, parseShape } from '../../src/shape.js';

describe('parseShape', () => {
  it.each([
    ['rank 0', [], []],
    ['zero-size', [3, 0, 2], [3, 0, 2]],
    ['largest count', [2 ** 53 - 1], [2 ** 53 - 1]],
    ['Int32Array', Int32Array.of(2, 3), [2, 3]],
    ['Uint8ClampedArray', Uint8ClampedArray.of(2, 3), [2, 3]],
    ['another realm', vm.runInNewContext('[4, 5]'), [4, 5]],
    ['32 axes', new Array(32).fill(1), new Array(32).fill(1)],
  ])('accepts %s', (_, shape, dims) => {
    expect(parseShape(shape)).toEqual(dims);
  });

  it('turns −0 into 0', () => {
    expect(Object.is(parseShape([-0])[0], 0)).toBe(true);
  });

  it.each([
    -1,
    Number.NaN,
    1.5,
    '3',
    null,
    undefined,
    3n,
    true,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    1e300,
    [3],
    { valueOf: () => 3 },
  ])('rejects dimension %s, naming the axis', (dim) => {
    expect(() => parseShape([2, dim, 4])).toThrow(
      expect.objectContaining({ code: 'INVALID_SHAPE', message: expect.stringContaining('shape[1]') }),
    );
  });

  it('rejects a hole', () => {
    const holed = [2, 3, 4];
    delete holed[2];
    expect(() => parseShape(holed)).toThrow(
      expect.objectContaining({ message: expect.stringContaining('shape[2]') }),
    );
  });

  it.each([
    undefined,
    null,
    3,
    '23',
    {},
    { length: 1, 0: 2 },
    new Map(),
    Float64Array.of(2),
    new DataView(new ArrayBuffer(4)),
    BigInt64Array.of(2n),
  ])('rejects %s as a shape', (shape) => {
    expect(() => parseShape(shape, 'tensors[7].shape')).toThrow(
      expect.objectContaining({
        code: 'INVALID_SHAPE',
        message: expect.stringContaining('tensors[7].shape'),
      }),
    );
  });

  it('rejects more than 32 axes without reading them', () => {
    expect(() => parseShape(new Array(MAX_RANK + 1).fill(1))).toThrow(
      expect.objectContaining({ code: 'INVALID_SHAPE' }),
    );
    expect(() => parseShape(new Array(2 ** 32 - 1))).toThrow(
      expect.objectContaining({ code: 'INVALID_SHAPE' }),
    );
  });

  it.each([Number.NaN, -1, 1.5, '2', null])('rejects a proxy whose length is %s', (length) => {
    const shape = new Proxy([1, 2], {
      get: (target, key) => (key === 'length' ? length : Reflect.get(target, key)),
    });
    expect(() => parseShape(shape)).toThrow(expect.objectContaining({ code: 'INVALID_SHAPE' }));
  });

  it('reads every dimension once and keeps its own copy', () => {
    let reads = 0;
    const shape = [0, 5];
    Object.defineProperty(shape, 0, { get: () => 2 + reads++ });
    const dims = parseShape(shape);
    shape[1] = 9;
    expect(dims).toEqual([2, 5]);
    expect(reads).toBe(1);
    expect(Object.isFrozen(dims)).toBe(true);
  });

  it('rejects a product beyond 2^53 − 1, with its numbers', () => {
    expect(() => parseShape([94906267, 94906267])).toThrow(
      expect.objectContaining({
        code: 'TOO_LARGE',
        message: expect.stringMatching(/9007199254740991.*94906267/),
      }),
    );
  });
});

describe('elementCount', () => {
  it.each([
    [[], 1],
    [[7], 7],
    [[2, 3, 4], 24],
    [[3, 0], 0],
    [[2 ** 40, 2 ** 40, 0], 0],
    [[94906265, 94906265], 9007199136250225],
    [[2 ** 52], 2 ** 52],
  ])('of %j is %d', (shape, count) => {
    expect(elementCount(shape)).toBe(count);
  });

  it('agrees with exact arithmetic, or says TOO_LARGE', () => {
    const dim = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.maxSafeNat());
    fc.assert(
      fc.property(fc.array(dim, { maxLength: 6 }), (shape) => {
        const exact = shape.reduce((product, dim) => product * BigInt(dim), 1n);
        if (exact <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(elementCount(shape))).toBe(exact);
        else expect(() => elementCount(shape)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
      }),
    );
  });
});
