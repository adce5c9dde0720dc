// ZerO: residual networks whose branches end in zeros, and whose channels grow through Hadamard matrices, pass signals
// through unchanged before training: Zhao, Schäfer, Anandkumar 2021, arXiv:2110.12661.
import { describe, expect, it } from 'vitest';
import { dirac, fillSync, heNormal, type Initializer, type Tensor, zero, zeros } from '../../src/index.js';
import { combine, gaussian, layer, norm, product, relu, type Signal } from './network.js';

const BLOCKS = 100;
const CHANNELS = [8, 16, 32];
const SPACE = [3, 3];

const kernelOf = (name: string, outputs: number, inputs: number, init: Initializer): Tensor =>
  fillSync(name, [outputs, inputs, 3, 3], init, { seed: 1 }) as Tensor;

/** Stages of residual blocks x + W₂ relu(W₁ x), with a convolution to more channels between them. */
function network(inner: Initializer, branchEnd: Initializer): (x: Signal) => Signal {
  return (x) => {
    let now = x;
    for (const [stage, channels] of CHANNELS.entries()) {
      if (stage > 0) now = layer(kernelOf(`grow${stage}`, channels, CHANNELS[stage - 1]!, inner), now, SPACE);
      for (let block = 0; block < BLOCKS / CHANNELS.length; block++) {
        const name = `stage${stage}.block${block}`;
        const branch = relu(layer(kernelOf(`${name}.0`, channels, channels, inner), now, SPACE));
        now = combine(1, now, 1, layer(kernelOf(`${name}.1`, channels, channels, branchEnd), branch, SPACE));
      }
    }
    return now;
  };
}

const x = gaussian('x', CHANNELS[0]! * product(SPACE));

describe(`a residual network of ${BLOCKS} blocks`, () => {
  it('of zeros and ones keeps lengths, and is linear', () => {
    const f = network(zero(), zeros());
    const y = gaussian('y', x.length);
    const [fx, fy] = [f(x), f(y)];
    expect(norm(fx) / norm(x)).toBeCloseTo(1, 6);
    expect(norm(combine(1, fx, 1, fy)) / norm(combine(1, x, 1, y))).toBeCloseTo(1, 6);
    expect(norm(combine(1, f(combine(1, x, 1, y)), -1, combine(1, fx, 1, fy)))).toBeLessThan(1e-10);
  });

  it('gives every new channel a signal, where an identity would leave zeros', () => {
    const quiet = (init: Initializer): number => {
      const grown = layer(kernelOf('grow', 16, 8, init), x, SPACE);
      return Array.from({ length: 16 }, (_, c) => norm(grown.subarray(c * 9, c * 9 + 9))).filter(
        (n) => n < 0.1,
      ).length;
    };
    expect(quiet(zero())).toBe(0);
    expect(quiet(dirac())).toBe(8);
  });

  it('of He-normal weights blows signals up', () => {
    expect(norm(network(heNormal(), heNormal())(x)) / norm(x)).toBeGreaterThan(1e6);
  });
});
