import { describe, expect, it } from 'vitest';
import { splitOf } from '../../../src/backends/steps.js';
import { fillSync, prepareFill } from '../../../src/fill.js';
import {
  deltaOrthogonal,
  type LooksLinearOptions,
  lawOf,
  looksLinear,
  orthogonal,
} from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { columnError, indicesOf, transposed } from '../../helpers/elements.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (shape: readonly number[], options: object = {}, init: object = looksLinear()): number[] => [
  ...fillSync('w', shape, init as never, { seed: 1, dtype: 'float64', ...options }).data,
];

/** What of W each place holds, and with which sign. */
function mirrored(w: readonly number[], outputs: number, inputs: number, twice: [number, number]): number[] {
  return [...indicesOf([outputs * twice[0], inputs * twice[1]])].map(([o, i]) => {
    const element = w[(o! % outputs) * inputs + (i! % inputs)]!;
    return o! >= outputs === i! >= inputs ? element : -element;
  });
}

describe('looksLinear', () => {
  it.each([
    [3, 3],
    [5, 2],
    [2, 5],
    [1, 1],
  ])('of W %i × %i is W and its mirror images', (outputs, inputs) => {
    const w = values([outputs, inputs], {}, orthogonal());
    expect(values([outputs, 2 * inputs])).toEqual(mirrored(w, outputs, inputs, [1, 2]));
    expect(values([2 * outputs, inputs], {}, looksLinear({ mirror: 'outputs' }))).toEqual(
      mirrored(w, outputs, inputs, [2, 1]),
    );
    expect(values([2 * outputs, 2 * inputs], {}, looksLinear({ mirror: 'both' }))).toEqual(
      mirrored(w, outputs, inputs, [2, 2]),
    );
    const [rows, cols] = outputs >= inputs ? [outputs, inputs] : [inputs, outputs];
    expect(columnError(outputs >= inputs ? w : transposed(w, outputs, inputs), rows, cols)).toBeLessThan(
      1e-14,
    );
  });

  it('has a gain, also a negative one', () => {
    const w = values([3, 3], {}, orthogonal({ gain: 0.3 }));
    expect(values([3, 6], {}, looksLinear({ gain: 0.3 }))).toEqual(mirrored(w, 3, 3, [1, 2]));
    const opposite = values([3, 6], {}, looksLinear({ gain: -0.3 }));
    expect(opposite).toEqual(mirrored(w, 3, 3, [1, 2]).map((x) => -x));
  });

  it('of a kernel has a deltaOrthogonal kernel and its mirror image', () => {
    const [outputs, inputs, taps] = [5, 3, [3, 5]];
    const kernel = values([outputs, inputs, ...taps], {}, deltaOrthogonal());
    const both = values([outputs, 2 * inputs, ...taps]);
    for (const [k, [o, i, h, w]] of [...indicesOf([outputs, 2 * inputs, ...taps])].entries()) {
      const element = kernel[((o! * inputs + (i! % inputs)) * 3 + h!) * 5 + w!]!;
      expect(both[k]! + 0).toBe((i! < inputs ? element : -element) + 0);
    }
  });

  it('is the same in other layouts, moved, and stacked along E', () => {
    const torch = values([4, 6]);
    expect(values([6, 4], { layout: 'IO' })).toEqual(transposed(torch, 4, 6));
    const kernel = values([4, 6, 1]);
    expect(values([1, 6, 4], { layout: 'LIO' })).toEqual(transposed(kernel, 4, 6));
    const stack = values([2, 4, 6], { layout: 'EOI' });
    expect(stack.slice(0, 24)).toEqual(torch);
    expect(stack[24]).not.toBe(stack[0]);
    expect(mirrored(values([2, 4, 3], { layout: 'EOI' }, orthogonal()).slice(12), 4, 3, [1, 2])).toEqual(
      stack.slice(24),
    );
  });

  it('computes its matrix once', () => {
    const { request } = prepareFill('w', [6, 6], looksLinear({ mirror: 'both' }), { seed: 1 });
    const { orthogonal: matrices } = splitOf(request)!;
    expect(matrices).toHaveLength(1);
    expect(matrices[0]!.parts.map(({ gain }) => gain)).toEqual([1, -1, -1, 1]);
  });

  it('makes rectifiers linear', () => {
    const relu = (x: readonly number[]): number[] => x.map((value) => Math.max(0, value));
    const times = (w: readonly number[], x: readonly number[]): number[] =>
      Array.from({ length: w.length / x.length }, (_, o) =>
        x.reduce((sum, value, i) => sum + w[o * x.length + i]! * value, 0),
      );
    const x = values([4], {}, { kind: 'normal', std: 1 });
    const w = values([4, 4], {}, orthogonal());
    // CReLU; then ReLU at twice the width.
    const concatenated = times(values([4, 8]), relu([...x, ...x.map((value) => -value)]));
    expect(concatenated).toEqual(times(w, x).map((value) => expect.closeTo(value, 14)));
    let wide = relu(times(values([8, 4], {}, looksLinear({ mirror: 'outputs' })), x));
    wide = relu(times(values([8, 8], {}, looksLinear({ mirror: 'both' })), wide));
    const last = times(values([4, 8]), wide);
    expect(last).toEqual(times(w, times(w, times(w, x))).map((value) => expect.closeTo(value, 14)));
  });

  it('of gain 0, or without elements, is zero', () => {
    const zero = { kind: 'constant', value: 0 };
    expect(lawOf(looksLinear({ gain: 0 }), { name: 'w', shape: [4, 4] })).toEqual(zero);
    expect(lawOf(looksLinear(), { name: 'w', shape: [4, 0] })).toEqual(zero);
    expect(lawOf(looksLinear(), { name: 'w', shape: [0, 4] })).toEqual(zero);
  });

  it.each([
    [{ gain: Number.NaN }, 'looksLinear.gain'],
    [{ mirror: 'input' }, 'did you mean "inputs"'],
    [{ mirror: null }, 'looksLinear.mirror'],
  ])('rejects %o', (options, text) => {
    expect(() => looksLinear(options as LooksLinearOptions)).toThrow(invalid('INVALID_OPTION', text));
  });

  it.each([
    [[4, 5], {}, {}, 'INVALID_SHAPE', 'an even number of inputs'],
    [[5, 4], {}, { mirror: 'outputs' }, 'INVALID_SHAPE', 'an even number of outputs'],
    [[5, 4], {}, { mirror: 'both' }, 'INVALID_SHAPE', 'there are 5 outputs'],
    [[4, 5], {}, { mirror: 'both' }, 'INVALID_SHAPE', 'there are 5 inputs'],
    [[4], { layout: 'O' }, {}, 'INVALID_SHAPE', 'there are 1 inputs'],
    [[4], {}, {}, 'INVALID_SHAPE', 'zeros() or ones()'],
    [[4, 4], { layout: 'IH' }, {}, 'INVALID_LAYOUT', 'an axis O'],
    [[4, 4, 4], {}, {}, 'INVALID_SHAPE', 'taps 1 and 2'],
    [[4, 10, 3], {}, {}, 'INVALID_SHAPE', 'a matrix of 4 × 5 has no orthonormal columns'],
    [[4, 4, 3], {}, { mirror: 'outputs' }, 'INVALID_SHAPE', 'a matrix of 2 × 4 has no orthonormal columns'],
    [[4, 4, 3], { groups: 2 }, {}, 'INVALID_OPTION', 'expected 1 for groups of looksLinear tensor "w"'],
  ])('of shape %j with %j and %j is an error', (shape, options, init, code, text) => {
    expect(() => values(shape, options, looksLinear(init as LooksLinearOptions))).toThrow(
      invalid(code, text),
    );
  });

  it('does not overflow its dtype', () => {
    expect(() => values([2, 4], { dtype: 'float16' }, looksLinear({ gain: -70000 }))).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
  });

  it('stands in a plan', () => {
    const plan = (init: object): object => ({
      tensors: [{ name: 'w', shape: [4, 6], init: { kind: 'looksLinear', ...init } }],
    });
    expect(parsePlan(plan({})).tensors[0]!.init).toEqual(looksLinear());
    expect(parsePlan(plan({ mirror: 'both' })).tensors[0]!.init).toEqual(looksLinear({ mirror: 'both' }));
    expect(() => parsePlan(plan({ mirror: 'none' }))).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
  });
});
