// A deep linear network with orthogonal weights is an isometry: lengths and angles survive any depth (Saxe,
// McClelland, Ganguli 2014, arXiv:1312.6120). With Gaussian weights of the same variance they do not.
import { describe, expect, it } from 'vitest';
import { fillSync, type Initializer, lecunNormal, orthogonal } from '../../src/index.js';
import { combine, dot, gaussian, layer, norm, type Signal } from './network.js';

const WIDTH = 32;
const DEPTH = 1000;

/** What comes out of DEPTH layers when these signals go in. */
function through(initializer: Initializer, ...signals: Signal[]): Signal[] {
  let now = signals;
  for (let index = 0; index < DEPTH; index++) {
    const weight = fillSync(`linear${index}`, [WIDTH, WIDTH], initializer, { seed: 1 });
    now = now.map((x) => layer(weight, x, [1]));
  }
  return now;
}

const x = gaussian('x', WIDTH);
const y = gaussian('y', WIDTH);
const cosine = (a: Signal, b: Signal): number => dot(a, b) / norm(a) / norm(b);

describe(`${DEPTH} linear layers`, () => {
  it('that are orthogonal keep lengths and angles', () => {
    const [a, b] = through(orthogonal(), x, y) as [Signal, Signal];
    // A float32 weight is off by 2^-25 of 1 at most: 32 of them in a sum, a thousand sums, in random directions.
    expect(norm(a) / norm(x)).toBeCloseTo(1, 5);
    expect(norm(b) / norm(y)).toBeCloseTo(1, 5);
    expect(norm(combine(1, a, -1, b)) / norm(combine(1, x, -1, y))).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeCloseTo(cosine(x, y), 5);
  });

  it('that are Gaussian, with the same variance, lose them', () => {
    const [a, b] = through(lecunNormal(), x, y) as [Signal, Signal];
    expect(Math.abs(Math.log(norm(a) / norm(x)))).toBeGreaterThan(2);
    // All inputs are mapped to nearly one direction.
    expect(Math.abs(cosine(a, b))).toBeGreaterThan(0.999);
    expect(Math.abs(cosine(x, y))).toBeLessThan(0.5);
  });
});
