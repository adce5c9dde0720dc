// Looks-linear networks are linear before training, though they are full of rectifiers: Balduzzi et al. 2017,
// arXiv:1702.08591. Linear exactly; what is left are the roundings of the forward pass.
import { describe, expect, it } from 'vitest';
import {
  fillSync,
  heNormal,
  type Initializer,
  looksLinear,
  orthogonal,
  type Tensor,
} from '../../src/index.js';
import { combine, crelu, gaussian, layer, norm, product, relu, type Signal } from './network.js';

const WIDTH = 16;
const DEPTH = 40;

interface Case {
  readonly kernel: readonly number[];
  readonly space: readonly number[];
}

const cases: [string, Case][] = [
  ['dense', { kernel: [], space: [1] }],
  ['1-D convolutions', { kernel: [5], space: [7] }],
  ['2-D convolutions', { kernel: [3, 3], space: [4, 4] }],
];

const weightOf = (
  index: number,
  outputs: number,
  inputs: number,
  kernel: readonly number[],
  init: Initializer,
): Tensor =>
  fillSync(`layer${index}`, [outputs, inputs, ...kernel], init, { seed: 1, dtype: 'float64' }) as Tensor;

/** A network of WIDTH channels, twice as many where they are rectified: CReLU behind each layer but the last. */
function concatenated({ kernel, space }: Case, init: Initializer): (x: Signal) => Signal {
  const weights = Array.from({ length: DEPTH }, (_, index) =>
    weightOf(index, WIDTH, 2 * WIDTH, kernel, init),
  );
  return (x) => weights.reduce((z, weight) => layer(weight, crelu(z), space), x);
}

/** The same with ReLU alone, and layers of 2 · WIDTH channels between the first and the last. */
function rectified(
  { kernel, space }: Case,
  init: (mirror: 'outputs' | 'both' | 'inputs') => Initializer,
): (x: Signal) => Signal {
  const first = weightOf(0, 2 * WIDTH, WIDTH, kernel, init('outputs'));
  const hidden = Array.from({ length: DEPTH }, (_, index) =>
    weightOf(index + 1, 2 * WIDTH, 2 * WIDTH, kernel, init('both')),
  );
  const last = weightOf(DEPTH + 1, WIDTH, 2 * WIDTH, kernel, init('inputs'));
  return (x) =>
    layer(last, relu([...hidden].reduce((z, w) => layer(w, relu(z), space), layer(first, x, space))), space);
}

/** How far f is from additive and odd, and by what factor it changes lengths. */
function measure(
  f: (x: Signal) => Signal,
  { space }: Case,
): { additive: number; odd: number; length: number } {
  const x = gaussian('x', WIDTH * product(space));
  const y = gaussian('y', WIDTH * product(space));
  const [fx, fy] = [f(x), f(y)];
  const sum = combine(1, fx, 1, fy);
  return {
    additive: norm(combine(1, f(combine(1, x, 1, y)), -1, sum)) / norm(sum),
    odd: norm(combine(1, f(combine(-1, x, 0, x)), 1, fx)) / norm(fx),
    length: norm(fx) / norm(x),
  };
}

describe.each(cases)(`a network of ${DEPTH} layers, %s`, (_, net) => {
  it.each([
    ['CReLU', concatenated(net, looksLinear())],
    ['ReLU', rectified(net, (mirror) => looksLinear({ mirror }))],
  ])('with %s is linear and keeps lengths', (_, f) => {
    const { additive, odd, length } = measure(f, net);
    expect(additive).toBeLessThan(1e-12);
    expect(odd).toBeLessThan(1e-12);
    expect(length).toBeCloseTo(1, 10);
  });

  it('multiplies lengths by the gain in each layer', () => {
    const { length } = measure(concatenated(net, looksLinear({ gain: 0.9 })), net);
    expect(length / 0.9 ** DEPTH).toBeCloseTo(1, 10);
  });

  it.each([
    ['CReLU and He-normal', concatenated(net, heNormal())],
    ['CReLU and orthogonal', concatenated(net, orthogonal())],
    ['ReLU and He-normal', rectified(net, () => heNormal())],
  ])('with %s weights is not', (_, f) => {
    const { additive, odd } = measure(f, net);
    expect(additive).toBeGreaterThan(0.05);
    expect(odd).toBeGreaterThan(0.05);
  });
});
