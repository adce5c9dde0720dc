// The tests' own forward passes, against slow ones written otherwise.
import { describe, expect, it } from 'vitest';
import { fillSync, normal, type Tensor } from '../../src/index.js';
import { crelu, gaussian, layer, product, relu } from './network.js';

const weightOf = (shape: readonly number[]): Tensor =>
  fillSync('w', shape, normal({ std: 1 }), { seed: 1, dtype: 'float64' });

/** All indices of an array of these dimensions, outermost first. */
function* indices(dims: readonly number[]): Generator<number[]> {
  if (dims.length === 0) return void (yield []);
  for (let i = 0; i < dims[0]!; i++) for (const rest of indices(dims.slice(1))) yield [i, ...rest];
}
const flat = (index: readonly number[], dims: readonly number[]): number =>
  index.reduce((at, i, axis) => at * dims[axis]! + i, 0);

describe('layer', () => {
  it.each([
    [[], [5]],
    [[3], [7]],
    [[5], [3]],
    [
      [3, 5],
      [4, 6],
    ],
    [
      [3, 1, 3],
      [3, 2, 4],
    ],
  ] as [number[], number[]][])('of kernel %j on %j', (kernel, space) => {
    const [outputs, inputs] = [2, 3];
    const weight = weightOf([outputs, inputs, ...kernel]);
    const x = gaussian('x', inputs * product(space));
    const bias = [10, 20];
    const y = layer(weight, x, space, bias);
    for (let o = 0; o < outputs; o++) {
      for (const position of indices(space)) {
        let sum = bias[o]!;
        for (let i = 0; i < inputs; i++) {
          for (const tap of indices(kernel)) {
            const source = position.map((p, axis) => {
              const [extent, size] = [kernel[axis] ?? 1, space[axis]!];
              return (p + (tap[axis] ?? 0) - (extent - 1) / 2 + 10 * size) % size;
            });
            sum +=
              (weight.data[flat([o, i, ...tap], weight.shape)] as number) *
              x[flat([i, ...source], [3, ...space])]!;
          }
        }
        expect(y[flat([o, ...position], [outputs, ...space])]).toBeCloseTo(sum, 12);
      }
    }
  });

  it('refuses a signal of another size', () => {
    expect(() => layer(weightOf([2, 3]), new Float64Array(4), [1])).toThrow(RangeError);
  });
});

describe('activations', () => {
  it('are what their names say', () => {
    const z = Float64Array.of(-2, 3);
    expect([...relu(z)]).toEqual([0, 3]);
    expect([...crelu(z)]).toEqual([0, 3, 2, 0]);
  });
});
