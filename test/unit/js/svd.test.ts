import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { normal } from '../../../src/initializers/index.js';
import { orthogonalizeColumns, sortedLengths } from '../../../src/js/svd.js';

const gaussian = (n: number, seed: number): Float64Array =>
  fillSync('a', [n, n], normal({ std: 1 }), { seed, dtype: 'float64' }).data;

/** Column-major product aᵀ·b. */
function crossProduct(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k]! * b[j * n + k]!;
      product[j * n + i] = sum;
    }
  return product;
}

/** U from σ_i·u_i, and V from Aᵀ·U: then A = U·Σ·Vᵀ to rounding proves that this is a singular value decomposition. */
function decompose(a: Float64Array, n: number) {
  const columns = a.slice();
  for (const _ of orthogonalizeColumns(columns, n));
  const { lengths, order } = sortedLengths(columns, n);
  const u = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let k = 0; k < n; k++) u[j * n + k] = columns[order[j]! * n + k]! / lengths[order[j]!]!;
  const sigma = order.map((c) => lengths[c]!);
  const v = crossProduct(a, u, n);
  for (let j = 0; j < n; j++) for (let k = 0; k < n; k++) v[j * n + k] = v[j * n + k]! / sigma[j]!;
  return { u, v, sigma };
}

const fromIdentity = (q: Float64Array, n: number): number => {
  let worst = 0;
  const product = crossProduct(q, q, n);
  for (let at = 0; at < product.length; at++)
    worst = Math.max(worst, Math.abs(product[at]! - (at % (n + 1) === 0 ? 1 : 0)));
  return worst;
};

describe('orthogonalizeColumns', () => {
  it.each([1, 2, 3, 5, 16, 61, 130])('of size %d: U, Σ, V with orthogonal U and V', (n) => {
    const a = gaussian(n, n);
    const { u, v, sigma } = decompose(a, n);
    expect(fromIdentity(u, n)).toBeLessThan(1e-13);
    // V comes from a division by σ, so small ones cost it digits.
    expect(fromIdentity(v, n)).toBeLessThan((1e-14 * n * sigma[0]!) / sigma[n - 1]! + 1e-13);
    let worst = 0;
    for (let r = 0; r < n; r++)
      for (let c = 0; c < n; c++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += u[j * n + r]! * sigma[j]! * v[j * n + c]!;
        worst = Math.max(worst, Math.abs(sum - a[c * n + r]!));
      }
    expect(worst / sigma[0]!).toBeLessThan(1e-13);
    expect(sigma).toEqual([...sigma].sort((x, y) => y - x));
  });

  it('knows matrices whose singular values are known', () => {
    const n = 12;
    const diagonal = new Float64Array(n * n);
    for (let k = 0; k < n; k++) diagonal[k * n + k] = k % 2 === 0 ? k : -k;
    for (const _ of orthogonalizeColumns(diagonal, n));
    expect([...sortedLengths(diagonal, n).lengths]).toEqual([...Array(n).keys()]);
    // All ones: one singular value n, the others 0.
    const ones = new Float64Array(n * n).fill(1);
    for (const _ of orthogonalizeColumns(ones, n));
    const { lengths, order } = sortedLengths(ones, n);
    expect(lengths[order[0]!]).toBeCloseTo(n, 12);
    expect(Math.max(...order.slice(1).map((c) => lengths[c]!))).toBeLessThan(1e-13);
    // Graded: the smallest to high relative accuracy, which no method that works with AᵀA would give.
    const tiny = Float64Array.of(1, 1e-10, 1, -1e-10);
    for (const _ of orthogonalizeColumns(tiny, 2));
    const two = sortedLengths(tiny, 2);
    expect(two.lengths[two.order[0]!]).toBeCloseTo(Math.SQRT2, 14);
    expect(two.lengths[two.order[1]!]! / (Math.SQRT2 * 1e-10)).toBeCloseTo(1, 12);
  });

  it('leaves zeros alone', () => {
    const zeros = new Float64Array(9);
    for (const _ of orthogonalizeColumns(zeros, 3));
    expect([...zeros]).toEqual(new Array(9).fill(0));
  });
});
