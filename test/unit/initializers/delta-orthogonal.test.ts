import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import {
  type DeltaOrthogonalOptions,
  deltaOrthogonal,
  lawOf,
  orthogonal,
} from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { columnError, indicesOf, offsetOf } from '../../helpers/elements.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const values = (
  shape: readonly number[],
  options: object = {},
  init: object = deltaOrthogonal(),
): number[] => [...fillSync('w', shape, init as never, { seed: 1, dtype: 'float64', ...options }).data];

/** The matrices at the middle tap, [group][output][input], of a kernel [O, I, taps…]; all else must be 0. */
function matricesOf(kernel: readonly number[], shape: readonly number[], groups = 1): number[][] {
  const [outputs, inputs, ...taps] = shape as [number, number, ...number[]];
  const within = outputs / groups;
  const matrices = Array.from({ length: groups }, () => [] as number[]);
  for (const [output, input, ...tap] of indicesOf(shape)) {
    const element = kernel[offsetOf(shape, [output!, input!, ...tap])]!;
    if (tap.every((at, axis) => at === (taps[axis]! - 1) / 2))
      matrices[Math.floor(output! / within)]!.push(element);
    else expect(element).toBe(0);
  }
  expect(matrices.every((matrix) => matrix.length === within * inputs)).toBe(true);
  return matrices;
}

describe('deltaOrthogonal', () => {
  it.each([[[6, 4, 3]], [[7, 7, 5]], [[5, 1, 1]], [[9, 4, 3, 5]], [[4, 4, 3, 1, 3]]])(
    'of shape %j is what orthogonal is of O × I, at the middle tap',
    (shape) => {
      const [outputs, inputs] = shape as [number, number];
      const [matrix] = matricesOf(values(shape), shape);
      expect(matrix).toEqual(values([outputs, inputs], {}, orthogonal()));
      expect(columnError(matrix!, outputs, inputs)).toBeLessThan(1e-14);
      const single = fillSync('w', shape, deltaOrthogonal({ gain: -1.5 }), { seed: 1 }).data;
      expect(columnError(matricesOf([...single], shape)[0]!, outputs, inputs, 1.5)).toBeLessThan(2e-6);
    },
  );

  it('keeps the length of a signal under circular padding', () => {
    const [outputs, inputs, taps, length] = [5, 4, 3, 7];
    const kernel = values([outputs, inputs, taps]);
    const signal = values([inputs, length], {}, { kind: 'normal', std: 1 });
    const energy = (x: readonly number[]): number => x.reduce((sum, value) => sum + value * value, 0);
    const out = [...indicesOf([outputs, length])].map(([o, t]) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++)
        for (let k = 0; k < taps; k++)
          sum +=
            kernel[(o! * inputs + i) * taps + k]! * signal[i * length + ((t! + k - 1 + length) % length)]!;
      return sum;
    });
    expect(energy(out) / energy(signal)).toBeCloseTo(1, 13);
  });

  it.each([
    [[8, 2, 3], 4],
    [[8, 2, 3], 2],
    [[6, 1, 3, 3], 6],
    [[12, 1, 3], 4],
    [[12, 4, 1], 3],
  ])('of shape %j and %i groups has a matrix of its own for each', (shape, groups) => {
    const within = shape[0]! / groups;
    const inputs = shape[1]!;
    const matrices = matricesOf(values(shape, { groups }), shape, groups);
    const stack = values([groups, within, inputs], { layout: 'EOI' }, orthogonal());
    expect(matrices.flat()).toEqual(stack);
    for (const matrix of matrices) expect(columnError(matrix, within, inputs)).toBeLessThan(1e-14);
    expect(new Set(matrices.map((matrix) => Math.abs(matrix[0]!))).size).toBe(within === 1 ? 1 : groups);
  });

  it('is the same in other layouts, moved', () => {
    const shape = [6, 2, 3, 5];
    for (const groups of [1, 2, 3]) {
      const torch = values(shape, { groups });
      const hwio = values([3, 5, 2, 6], { layout: 'HWIO', groups });
      for (const [k, [h, w, i, o]] of [...indicesOf([3, 5, 2, 6])].entries())
        expect(hwio[k]).toBe(torch[offsetOf(shape, [o!, i!, h!, w!])]);
    }
  });

  it('of a transposed convolution has groups of inputs', () => {
    const [groups, outputs, inputs] = [3, 4, 2];
    const stack = values([groups, outputs, inputs], { layout: 'EOI' }, orthogonal());
    const kernel = values([groups * inputs, outputs, 1], { layout: 'IOL', groups });
    for (const [k, [i, o]] of [...indicesOf([groups * inputs, outputs])].entries()) {
      const group = Math.floor(i! / inputs);
      expect(kernel[k]).toBe(stack[(group * outputs + o!) * inputs + (i! % inputs)]);
    }
  });

  it('is stacked along E, wherever it is; stacks are independent', () => {
    const stack = values([3, 4, 2], { layout: 'EOI' }, orthogonal());
    expect(values([3, 4, 2, 1], { layout: 'EOIL' })).toEqual(stack);
    const behind = values([1, 2, 3, 4], { layout: 'LIEO' });
    for (const [k, [i, e, o]] of [...indicesOf([2, 3, 4])].entries())
      expect(behind[k]).toBe(stack[(e! * 4 + o!) * 2 + i!]);
    // Depthwise kernels of Keras: a unit vector for each channel.
    const depthwise = values([3, 5, 4], { layout: 'LEO' }).slice(20, 40);
    for (let c = 0; c < 5; c++)
      expect(columnError(depthwise.slice(4 * c, 4 * c + 4), 4, 1)).toBeLessThan(1e-14);
  });

  it('of gain 0, or without elements, is zero', () => {
    const zero = { kind: 'constant', value: 0 };
    expect(lawOf(deltaOrthogonal({ gain: 0 }), { name: 'w', shape: [4, 4, 3] })).toEqual(zero);
    expect(lawOf(deltaOrthogonal(), { name: 'w', shape: [4, 0, 3] })).toEqual(zero);
    expect(lawOf(deltaOrthogonal(), { name: 'w', shape: [4, 4, 0] })).toEqual(zero);
  });

  it.each([[{ gain: Number.POSITIVE_INFINITY }], [{ gain: null }], [{ gain: '1' }]])(
    'rejects %o',
    (options) => {
      expect(() => deltaOrthogonal(options as DeltaOrthogonalOptions)).toThrow(
        invalid('INVALID_OPTION', 'deltaOrthogonal.gain'),
      );
    },
  );

  it.each([
    [[4, 4], {}, 'INVALID_SHAPE', 'for a matrix use orthogonal()'],
    [[4], {}, 'INVALID_SHAPE', 'zeros() or ones()'],
    [[], {}, 'INVALID_SHAPE', 'a shape of rank 2 to 5 or a layout'],
    [[4, 4, 4], { layout: 'EOI' }, 'INVALID_LAYOUT', 'a kernel with spatial axes'],
    [[1, 1, 1, 1, 1, 1], {}, 'INVALID_SHAPE', 'layout: "EOIDHW"'],
    [[4, 5, 3], {}, 'INVALID_SHAPE', 'at least as many outputs as inputs'],
    [[4, 5, 3], {}, 'INVALID_SHAPE', '5 inputs cannot all keep their length in 4 outputs'],
    [[4, 5, 3], {}, 'INVALID_SHAPE', 'fewer inputs, or kaimingNormal() or orthogonal()'],
    [[4, 3, 3], { groups: 2 }, 'INVALID_SHAPE', 'a matrix of 2 × 3 has no orthonormal columns'],
    [[4, 4, 3], { groups: 3 }, 'INVALID_OPTION', 'a divisor of axis O (4)'],
    [[4, 4, 4], {}, 'INVALID_SHAPE', 'taps 1 and 2'],
    [
      [4, 4, 3, 2],
      {},
      'INVALID_SHAPE',
      'a kernel of 2 on axis 3 (W) has no tap in the middle, only taps 0 and 1',
    ],
    [
      [4, 4, 2],
      {},
      'INVALID_SHAPE',
      "⌊(k − 1)/2⌋ is what JAX and TensorFlow take, ⌊k/2⌋ what PyTorch's dirac_",
    ],
  ])('of shape %j with %j is an error', (shape, options, code, text) => {
    expect(() => values(shape, options)).toThrow(invalid(code, text));
  });

  it('does not overflow its dtype', () => {
    expect(() => values([3, 2, 1], { dtype: 'float16' }, deltaOrthogonal({ gain: 70000 }))).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
  });

  it('stands in a plan', () => {
    const plan = (tensor: object): object => ({
      tensors: [{ name: 'w', shape: [4, 2, 3], init: { kind: 'deltaOrthogonal', gain: 2 }, ...tensor }],
    });
    expect(parsePlan(plan({})).tensors[0]!.init).toEqual(deltaOrthogonal({ gain: 2 }));
    for (const wrong of [{ shape: [4, 2, 2] }, { shape: [2, 4, 3] }, { groups: 3 }])
      expect(() => parsePlan(plan(wrong))).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
  });
});
