// A deep tanh CNN at the edge of chaos, with delta-orthogonal kernels, keeps its signals: Xiao, Bahri, Sohl-Dickstein,
// Schoenholz, Pennington 2018, "Dynamical isometry and a mean field theory of CNNs", arXiv:1806.05393. Real forward
// passes, and what happens with other weights.
import { describe, expect, it } from 'vitest';
import { criticalLine, deltaOrthogonal, fillSync, heNormal, type Initializer } from '../../src/index.js';
import { combine, gaussian, layer, norm, type Signal, tanh } from './network.js';

const DEPTH = 200;
const CHANNELS = 64;
const SPACE = [4, 4];
const KERNEL = [3, 3];

/** The point of the line where pre-activations have variance 0.05. */
const { q, sigmaW, sigmaB } = criticalLine('tanh', { q: 0.05 });

/** The pre-activations after each layer, of each of these signals. */
function* through(
  weights: Initializer,
  biasStd: number,
  depth: number,
  ...signals: Signal[]
): Generator<Signal[]> {
  let now = signals;
  for (let index = 0; index < depth; index++) {
    const weight = fillSync(`conv${index}`, [CHANNELS, CHANNELS, ...KERNEL], weights, { seed: 1 });
    const bias = gaussian(`bias${index}`, CHANNELS, biasStd);
    now = now.map((h) => layer(weight, tanh(h), SPACE, bias));
    yield now;
  }
}

const positions = SPACE[0]! * SPACE[1]!;
const input = gaussian('input', CHANNELS * positions, Math.sqrt(q));
/** A small disturbance of each position, independent of the others. */
const disturbance = gaussian('disturbance', input.length, 1e-6);

describe(`a tanh CNN of ${DEPTH} layers on the critical line`, () => {
  it('keeps the norm of a signal within 10 % with delta-orthogonal kernels, and the distance of two', () => {
    const disturbed = combine(1, input, 1, disturbance);
    let depth = 0;
    for (const [h, other] of through(deltaOrthogonal({ gain: sigmaW }), sigmaB, DEPTH, input, disturbed)) {
      depth++;
      expect(Math.abs(norm(h!) / norm(input) - 1), `layer ${depth}`).toBeLessThan(0.1);
      const distance = norm(combine(1, h!, -1, other!)) / norm(disturbance);
      expect(distance, `layer ${depth}`).toBeGreaterThan(0.7);
      expect(distance, `layer ${depth}`).toBeLessThan(1.3);
    }
    expect(depth).toBe(DEPTH);
  });

  it('keeps neither with He-normal kernels', () => {
    const disturbed = combine(1, input, 1, disturbance);
    let [size, distance] = [1, 1];
    for (const [h, other] of through(heNormal(), 0, 30, input, disturbed)) {
      size = norm(h!) / norm(input);
      distance = norm(combine(1, h!, -1, other!)) / norm(disturbance);
    }
    expect(size).toBeGreaterThan(2);
    expect(distance).toBeGreaterThan(5); // chaos: χ > 1
  });

  it('does not keep it with delta-orthogonal kernels off the line', () => {
    let last = 0;
    for (const [h] of through(deltaOrthogonal({ gain: 0.95 * sigmaW }), sigmaB, DEPTH, input)) {
      last = norm(h!) / norm(input);
    }
    expect(last).toBeLessThan(0.8);
  });
});
