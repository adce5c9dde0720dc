import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import {
  type HadamardOrthogonalOptions,
  hadamardOrthogonal,
  lawOf,
} from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { columnError, transposed } from '../../helpers/elements.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (
  shape: readonly number[],
  options: object = {},
  init: object = hadamardOrthogonal(),
): number[] => [...fillSync('w', shape, init as never, { seed: 1, dtype: 'float64', ...options }).data];

describe('hadamardOrthogonal', () => {
  it.each([
    [1, 1],
    [2, 2],
    [8, 8],
    [16, 5],
    [64, 1],
    [128, 128],
    [256, 100],
  ])('%i × %i has orthonormal columns, and transposed rows', (rows, cols) => {
    expect(columnError(values([rows, cols]), rows, cols)).toBeLessThan(1e-15);
    const wide = values([cols, rows]);
    expect(columnError(transposed(wide, cols, rows), rows, cols)).toBeLessThan(1e-15);
    if (rows > cols) expect(wide).toEqual(transposed(values([rows, cols]), rows, cols));
    const single = fillSync('w', [rows, cols], hadamardOrthogonal({ gain: 3 }), { seed: 1 }).data;
    expect(columnError(single, rows, cols, 3)).toBeLessThan(2e-6);
  });

  it('has whole numbers over n^1.5', () => {
    for (const n of [4, 32]) {
      const scaled = values([n, n]).map((x) => x * n * Math.sqrt(n));
      for (const x of scaled) expect(Math.abs(x - Math.round(x))).toBeLessThan(1e-11);
      // Sums of n² signs that are even in number, and not all alike.
      expect(new Set(scaled.map((x) => Math.abs(Math.round(x)))).size).toBeGreaterThan(n === 4 ? 0 : 5);
    }
  });

  it('has elements that are nearly normal', () => {
    const n = 256;
    const data = values([n, n]);
    const moment = (k: number): number =>
      data.reduce((sum, x) => sum + (x * Math.sqrt(n)) ** k, 0) / data.length;
    // Standard errors are about 1/√65536 times √var: 0.004, (exact), 0.015, 0.04.
    expect(Math.abs(moment(1))).toBeLessThan(0.02);
    expect(moment(2)).toBeCloseTo(1, 10);
    expect(Math.abs(moment(3))).toBeLessThan(0.1);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.25);
  });

  it('of another seed, name or stack is another', () => {
    const first = values([16, 16]);
    expect(values([16, 16], { seed: 2 })).not.toEqual(first);
    expect([
      ...fillSync('v', [16, 16], hadamardOrthogonal(), { seed: 1, dtype: 'float64' }).data,
    ]).not.toEqual(first);
    const stack = values([2, 16, 16], { layout: 'EOI' });
    expect(stack.slice(0, 256)).toEqual(first);
    expect(stack.slice(256)).not.toEqual(first);
    expect(columnError(stack.slice(256), 16, 16)).toBeLessThan(1e-15);
  });

  it('takes kernels as orthogonal does: a row for each output, in every layout', () => {
    const flat = values([5, 16]);
    expect(values([5, 4, 2, 2])).toEqual(flat);
    expect(values([4, 2, 2, 5], { layout: 'HWIO' })).toEqual(transposed(flat, 5, 16));
  });

  it('of gain 0, or without elements, is zero', () => {
    const zero = { kind: 'constant', value: 0 };
    expect(lawOf(hadamardOrthogonal({ gain: 0 }), { name: 'w', shape: [4, 4] })).toEqual(zero);
    expect(lawOf(hadamardOrthogonal(), { name: 'w', shape: [0, 3] })).toEqual(zero);
  });

  it.each([[{ gain: Number.NaN }], [{ gain: null }]])('rejects %o', (options) => {
    expect(() => hadamardOrthogonal(options as HadamardOrthogonalOptions)).toThrow(
      invalid('INVALID_OPTION', 'hadamardOrthogonal.gain'),
    );
  });

  it.each([
    [[3, 3], {}, 'INVALID_SHAPE', 'is 3, and 2 or 4 are the next'],
    [[4, 100], {}, 'INVALID_SHAPE', 'is 100, and 64 or 128 are the next'],
    [[2 ** 27, 1], { slice: [[0, 1]] }, 'INVALID_SHAPE', 'is 134217728, and at most 67108864'],
    [[4], {}, 'INVALID_SHAPE', 'rank 2 or more'],
    [[4, 4], { layout: 'IH' }, 'INVALID_LAYOUT', 'an axis O'],
    [[4, 4, 4], { layout: 'OEI' }, 'INVALID_LAYOUT', 'axes E come first'],
    [[2 ** 51, 4, 1], { layout: 'EOI', slice: [[0, 1]] }, 'TOO_LARGE', 'at most'],
  ])('of shape %j with %j is an error', (shape, options, code, text) => {
    expect(() => values(shape, options)).toThrow(invalid(code, text));
  });

  it('does not overflow its dtype, and reaches its largest value', () => {
    const gain = (value: number): object => hadamardOrthogonal({ gain: value });
    expect(() => values([2, 2], { dtype: 'float16' }, gain(70000))).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
    expect(values([1, 1], { dtype: 'float16' }, gain(65504))[0]! & 0x7fff).toBe(0x7bff);
  });

  it('stands in a plan', () => {
    const plan = (shape: number[]): object => ({
      tensors: [{ name: 'w', shape, init: { kind: 'hadamardOrthogonal' } }],
    });
    expect(parsePlan(plan([4, 2])).tensors[0]!.init).toEqual(hadamardOrthogonal());
    expect(() => parsePlan(plan([3, 2]))).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
  });
});
