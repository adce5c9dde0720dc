// orthogonal({ method: 'qr' }) is Haar-distributed: moments of small matrices against those of O(n), and a QR whose signs
// are left as Householder's algorithm leaves them, which is not and must be seen.
import { afterAll, describe, expect, it } from 'vitest';
import { fillSync } from '../../src/fill.js';
import { normal, orthogonal } from '../../src/initializers/index.js';
import { orthogonalize } from '../../src/js/qr.js';
import { ALPHA, extremity, normalP } from './statistics.js';

const COUNT = 20_000;

/** Matrices one after the other; row- or column-major makes no difference to what is tested. */
type Matrices = { readonly n: number; readonly data: Float64Array };

const haar = (n: number, seed: number): Matrices => ({
  n,
  data: fillSync(`haar.${n}`, [COUNT, n, n], orthogonal({ method: 'qr' }), {
    seed,
    dtype: 'float64',
    layout: 'EOI',
  }).data,
});

/** The same Q without its signs fixed. */
function unfixed(n: number, seed: number): Matrices {
  const { data } = fillSync(`haar.${n}`, [COUNT, n, n], normal({ std: 1 }), { seed, dtype: 'float64' });
  for (let at = 0; at < data.length; at += n * n) {
    const work = orthogonalize(data.subarray(at, at + n * n), n, n);
    while (work.next().done !== true);
  }
  return { n, data };
}

/** p-value of a sample's mean against its law's mean and standard deviation. */
function meanP(values: readonly number[], mean: number, std: number): number {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  return normalP(((average - mean) / std) * Math.sqrt(values.length));
}

/**
 * p-values. The trace t of a Haar matrix of O(n) has E t = 0, E t² = 1, E t⁴ = 3 (Diaconis and Shahshahani 1994; for
 * n ≥ 2), so Var t² = 2, and that of its square 1 on average, with variance 2; its determinant is ±1, each as likely; an
 * element q has E q² = 1/n and E q⁴ = 3/(n(n + 2)).
 */
function ps({ n, data }: Matrices): number[] {
  const traces: number[] = [];
  const squareTraces: number[] = [];
  const determinants: number[] = [];
  const elements: number[][] = Array.from({ length: n * n }, () => []);
  for (let at = 0; at < data.length; at += n * n) {
    const q = data.subarray(at, at + n * n);
    let trace = 0;
    for (let i = 0; i < n; i++) trace += q[i * n + i]!;
    traces.push(trace);
    let squareTrace = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) squareTrace += q[i * n + j]! * q[j * n + i]!;
    squareTraces.push(squareTrace);
    determinants.push(Math.round(determinant(q, n)));
    for (const [k, list] of elements.entries()) list.push(q[k]!);
  }
  const std = 1 / Math.sqrt(n);
  const squareStd = Math.sqrt(3 / (n * (n + 2)) - 1 / (n * n));
  return [
    meanP(traces, 0, 1),
    meanP(
      traces.map((t) => t * t),
      1,
      Math.SQRT2,
    ),
    meanP(squareTraces, 1, Math.SQRT2),
    meanP(determinants, 0, 1),
    ...elements.map((list) => meanP(list, 0, std)),
    ...elements.map((list) =>
      meanP(
        list.map((q) => q * q),
        1 / n,
        squareStd,
      ),
    ),
  ];
}

/** By the first row; n is at most 4. */
function determinant(q: ArrayLike<number>, n: number): number {
  if (n === 1) return q[0]!;
  let sum = 0;
  for (let j = 0; j < n; j++) {
    const minor: number[] = [];
    for (let i = n; i < n * n; i++) if (i % n !== j) minor.push(q[i]!);
    sum += (j % 2 === 0 ? 1 : -1) * q[j]! * determinant(minor, n - 1);
  }
  return sum;
}

const all: number[] = [];
afterAll(() => expect(all.length).toBeGreaterThan(60));

describe.each([2, 3, 4])('%d × %d', (n) => {
  it.each([0, 1])('is Haar-distributed, seed %d', (seed) => {
    const found = ps(haar(n, seed));
    all.push(...found);
    expect(extremity(found), `p = ${found.join(', ')}`).toBeGreaterThan(ALPHA);
  });

  it('would be seen not to be without the signs of R', () => {
    expect(extremity(ps(unfixed(n, 0)))).toBeLessThan(ALPHA);
  });
});

it('of one row and one column is ±1, each as likely', () => {
  const { data } = fillSync('haar.1', [COUNT, 1, 1], orthogonal({ method: 'qr' }), {
    seed: 0,
    layout: 'EOI',
  });
  expect(data.every((q) => Math.abs(q) === 1)).toBe(true);
  expect(meanP(Array.from(data), 0, 1)).toBeGreaterThan(ALPHA);
});
