import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { lawOf, zero } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { columnError, indicesOf } from '../../helpers/elements.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (shape: readonly number[], options: object = {}): number[] => [
  ...fillSync('w', shape, zero(), { seed: 1, dtype: 'float64', ...options }).data,
];

/** The elements of the matrix one by one, with a dense Hadamard matrix by its recursion. */
function expected(outputs: number, inputs: number): number[] {
  if (outputs <= inputs)
    return [...indicesOf([outputs, inputs])].map(([output, input]) => (output === input ? 1 : 0));
  let hadamard = [[1]];
  while (hadamard.length < outputs) {
    const top = hadamard.map((row) => [...row, ...row]);
    hadamard = [...top, ...hadamard.map((row) => [...row, ...row.map((x) => -x)])];
  }
  const scale = 1 / Math.sqrt(hadamard.length);
  return hadamard.slice(0, outputs).flatMap((row) => row.slice(0, inputs).map((x) => x * scale));
}

const close = (numbers: readonly number[]): unknown[] => numbers.map((x) => expect.closeTo(x, 15));

describe('zero', () => {
  it.each([
    [1, 1],
    [3, 3],
    [2, 5],
    [2, 1],
    [4, 3],
    [5, 3],
    [8, 1],
    [33, 20],
    [64, 63],
  ])('of %i × %i is an identity or a part of a Hadamard matrix', (outputs, inputs) => {
    expect(values([outputs, inputs])).toEqual(close(expected(outputs, inputs)));
    const flipped = [...indicesOf([inputs, outputs])].map(
      ([i, o]) => expected(outputs, inputs)[o! * inputs + i!]!,
    );
    expect(values([inputs, outputs], { layout: 'IO' })).toEqual(close(flipped));
  });

  it('has orthonormal columns where the outputs are a power of two', () => {
    for (const [outputs, inputs] of [
      [2, 1],
      [8, 5],
      [64, 32],
    ] as const) {
      expect(columnError(values([outputs, inputs]), outputs, inputs)).toBeLessThan(1e-15);
    }
    // Their length is √(6/8) here.
    expect(columnError(values([6, 1]), 6, 1)).toBeCloseTo(0.25, 15);
  });

  it('has its matrix at the middle tap, in every layout', () => {
    for (const [outputs, inputs] of [
      [6, 2],
      [2, 3],
    ] as const) {
      const matrix = expected(outputs, inputs);
      const at = (o: number, i: number, h: number, w: number): number =>
        h === 1 && w === 2 ? matrix[o * inputs + i]! : 0;
      const oihw = [...indicesOf([outputs, inputs, 3, 4])].map(([o, i, h, w]) => at(o!, i!, h!, w!));
      expect(values([outputs, inputs, 3, 4])).toEqual(close(oihw));
      const hwio = [...indicesOf([3, 4, inputs, outputs])].map(([h, w, i, o]) => at(o!, i!, h!, w!));
      expect(values([3, 4, inputs, outputs], { layout: 'HWIO' })).toEqual(close(hwio));
      const ohwi = [...indicesOf([outputs, 3, 4, inputs])].map(([o, h, w, i]) => at(o!, i!, h!, w!));
      expect(values([outputs, 3, 4, inputs], { layout: 'OHWI' })).toEqual(close(ohwi));
    }
  });

  it('has a matrix for each group and each stack', () => {
    for (const [groups, within, inputs] of [
      [2, 4, 3],
      [5, 2, 1],
      [3, 2, 2],
    ] as const) {
      const one = expected(within, inputs);
      const all = Array.from({ length: groups }, () => one).flat();
      expect(values([groups * within, inputs, 1], { groups })).toEqual(close(all));
      expect(values([groups, within, inputs], { layout: 'EOI' })).toEqual(close(all));
      expect(values([2, groups * within, inputs, 1], { layout: 'EOIL', groups })).toEqual(
        close([...all, ...all]),
      );
      // Transposed: [I, O/g, L], each group has I/g inputs.
      const part = expected(within, inputs);
      const transposed = Array.from({ length: groups }, () =>
        [...indicesOf([inputs, within])].map(([i, o]) => part[o! * inputs + i!]!),
      ).flat();
      expect(values([groups * inputs, within, 1], { layout: 'IOL', groups })).toEqual(close(transposed));
    }
  });

  it('of one input is a constant at the tap', () => {
    const law = (shape: number[]): unknown => lawOf(zero(), { name: 'w', shape });
    expect(law([6, 1])).toEqual({ kind: 'constant', value: Math.sqrt(1 / 8) });
    expect(law([6, 1, 1])).toEqual({ kind: 'constant', value: Math.sqrt(1 / 8) });
    expect(JSON.stringify(law([6, 1, 3]))).not.toContain('computed');
  });

  it('is rounded once', () => {
    const [element] = fillSync('w', [2, 1], zero(), { seed: 1 }).data;
    expect(element).toBe(Math.fround(Math.SQRT1_2));
    expect(values([2, 1])[0]).toBe(Math.SQRT1_2);
    expect(fillSync('w', [2, 1], zero(), { seed: 1, dtype: 'bfloat16' }).data[0]).toBe(0x3f35);
  });

  it('does not depend on seed and name', () => {
    const other = fillSync('other', [6, 5], zero(), { seed: 99, dtype: 'float64' }).data;
    expect([...other]).toEqual(values([6, 5]));
  });

  it('of no elements is nothing', () => {
    expect(values([3, 0])).toEqual([]);
    expect(values([0, 3])).toEqual([]);
    expect(values([4, 2, 0])).toEqual([]);
  });

  it.each([
    [[4], {}, 'INVALID_SHAPE', 'zeros() or ones()'],
    [[4, 4], { layout: 'IH' }, 'INVALID_LAYOUT', 'an axis O'],
    [[4, 2, 3], { groups: 3 }, 'INVALID_OPTION', 'a divisor of axis O (4)'],
    [[2 ** 30, 2 ** 30], { slice: [[0, 1], [0, 1]] }, 'TOO_LARGE', 'at most'], // biome-ignore format: one line
  ])('of shape %j with %j is an error', (shape, options, code, text) => {
    expect(() => values(shape, options)).toThrow(invalid(code, text));
  });

  it('takes a slice of a matrix that no memory holds', () => {
    const slice = [
      [2 ** 20 - 1, 2 ** 20],
      [2 ** 20 - 3, 2 ** 20 - 1],
    ] as const;
    // 20 common digits but for one of them, and but for another: 19, an odd number.
    expect(values([2 ** 20, 2 ** 20 - 1], { slice })).toEqual([-(2 ** -10), -(2 ** -10)]);
  });

  it('has no options, and stands in a plan', () => {
    expect(() => zero({ gain: 1 } as never)).toThrow(invalid('UNKNOWN_OPTION', '"gain" for zero'));
    expect(
      parsePlan({ tensors: [{ name: 'w', shape: [3, 2], init: { kind: 'zero' } }] }).tensors[0]!.init,
    ).toEqual(zero());
    expect(JSON.stringify(lawOf(zero(), { name: 'w', shape: [3, 2] }))).toContain('computed');
  });
});
