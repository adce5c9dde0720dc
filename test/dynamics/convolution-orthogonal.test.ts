// A convolution with an orthogonal kernel keeps the norm of every signal under circular padding, though its kernel
// mixes neighbours: Xiao et al. 2018, arXiv:1806.05393, section 4.
import { describe, expect, it } from 'vitest';
import {
  convolutionOrthogonal,
  fillSync,
  type Initializer,
  orthogonal,
  type Tensor,
} from '../../src/index.js';
import { combine, dot, gaussian, layer, norm, product } from './network.js';

const INPUTS = 6;
const OUTPUTS = 8;

const cases: [string, number[], number[]][] = [
  ['1-D', [5], [11]],
  ['2-D', [3, 3], [5, 7]],
  ['3-D', [3, 3, 3], [4, 3, 5]],
];

const kernelOf = (name: string, kernel: readonly number[], init: Initializer, inputs = INPUTS): Tensor =>
  fillSync(name, [OUTPUTS, inputs, ...kernel], init, { seed: 4 }) as Tensor;

describe.each(cases)('a %s convolution', (_, kernel, space) => {
  const x = gaussian('x', INPUTS * product(space));
  const y = gaussian('y', INPUTS * product(space));

  it('keeps norms and angles', () => {
    const weight = kernelOf('conv', kernel, convolutionOrthogonal());
    const [fx, fy] = [layer(weight, x, space), layer(weight, y, space)];
    expect(Math.abs(norm(fx) / norm(x) - 1)).toBeLessThan(1e-5);
    expect(Math.abs(dot(fx, fy) - dot(x, y)) / norm(x) / norm(y)).toBeLessThan(1e-5);
    const lone = new Float64Array(x.length);
    lone[3] = 1;
    expect(Math.abs(norm(layer(weight, lone, space)) - 1)).toBeLessThan(1e-5);
  });

  it('uses all taps, unlike a delta', () => {
    const { data } = kernelOf('conv', kernel, convolutionOrthogonal());
    const taps = product(kernel);
    for (let tap = 0; tap < taps; tap++) {
      expect(norm([...data].filter((_, at) => at % taps === tap))).toBeGreaterThan(1e-3);
    }
  });

  it('times a gain multiplies them', () => {
    const weight = kernelOf('conv', kernel, convolutionOrthogonal({ gain: 3 }));
    expect(norm(layer(weight, x, space)) / norm(x) / 3).toBeCloseTo(1, 5);
  });

  it('keeps norms in thirty layers', () => {
    const [first, ...rest] = Array.from({ length: 30 }, (_, index) =>
      kernelOf(`conv${index}`, kernel, convolutionOrthogonal(), index === 0 ? INPUTS : OUTPUTS),
    );
    const through = (signal: Float64Array) =>
      rest.reduce((z, weight) => layer(weight, z, space), layer(first!, signal, space));
    const [fx, fy] = [through(x), through(y)];
    expect(norm(fx) / norm(x)).toBeCloseTo(1, 5);
    expect(norm(combine(1, fx, -1, fy)) / norm(combine(1, x, -1, y))).toBeCloseTo(1, 5);
  });

  it('of which only the flattened kernel is an orthogonal matrix does not', () => {
    // As torch.nn.init.orthogonal_ does it: what a signal's norm is multiplied by depends on the signal.
    const weight = kernelOf('conv', kernel, orthogonal());
    const constant = Float64Array.from({ length: x.length }, (_, at) => x[at - (at % product(space))]!);
    const factors = [constant, x, y].map((signal) => norm(layer(weight, signal, space)) / norm(signal));
    expect(Math.max(...factors) / Math.min(...factors)).toBeGreaterThan(1.1);
  });
});
