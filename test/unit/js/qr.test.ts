import { describe, expect, it } from 'vitest';
import { orthogonalize } from '../../../src/js/qr.js';

/** Not the library's own generator, and of other shapes than normals: Q must be right for any matrix. */
function randomMatrix(rows: number, cols: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: rows * cols }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}

function factor(a: Float64Array, rows: number, cols: number): { q: Float64Array; diagonal: Float64Array } {
  const q = a.slice();
  const work = orthogonalize(q, rows, cols);
  for (;;) {
    const step = work.next();
    if (step.done === true) return { q, diagonal: step.value };
  }
}

/** Column i of `a` times column j of `b`. */
function product(a: Float64Array, i: number, b: Float64Array, j: number, rows: number): number {
  let sum = 0;
  for (let k = 0; k < rows; k++) sum += a[i * rows + k]! * b[j * rows + k]!;
  return sum;
}

// Panels are 32 columns wide and columns are taken 4 at a time.
const SHAPES = [
  [1, 1],
  [2, 1],
  [2, 2],
  [7, 3],
  [31, 31],
  [32, 32],
  [33, 33],
  [65, 64],
  [70, 67],
  [200, 5],
  [150, 99],
  [129, 128],
] as const;

describe('orthogonalize', () => {
  it.each(SHAPES)(
    '%d × %d: columns are orthonormal, and R is upper triangular with that diagonal',
    (rows, cols) => {
      const a = randomMatrix(rows, cols, rows * 1000 + cols);
      const { q, diagonal } = factor(a, rows, cols);
      // Householder's bound is a small multiple of 2^-53 times the square root of the number of elements.
      const tolerance = 2 ** -53 * 10 * Math.sqrt(rows * cols);
      let worst = 0;
      let worstR = 0;
      for (let i = 0; i < cols; i++) {
        for (let j = 0; j < cols; j++) {
          worst = Math.max(worst, Math.abs(product(q, i, q, j, rows) - (i === j ? 1 : 0)));
          const r = product(q, i, a, j, rows);
          if (i >= j) worstR = Math.max(worstR, Math.abs(i === j ? r - diagonal[i]! : r));
        }
      }
      expect(worst).toBeLessThan(tolerance);
      expect(worstR).toBeLessThan(tolerance * Math.sqrt(rows));
    },
  );

  it('of a matrix without rank is orthonormal all the same', () => {
    const rows = 40;
    const a = new Float64Array(rows * rows);
    a.fill(1, 0, rows * 3); // three equal columns, the rest zero
    const { q, diagonal } = factor(a, rows, rows);
    let worst = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        worst = Math.max(worst, Math.abs(product(q, i, q, j, rows) - (i === j ? 1 : 0)));
      }
    }
    expect(worst).toBeLessThan(1e-14);
    expect(Array.from(diagonal).every(Number.isFinite)).toBe(true);
  });

  it('pauses often: no piece of work is more than a 50th of all of it', () => {
    let pauses = 0;
    for (const _ of orthogonalize(randomMatrix(256, 256, 1), 256, 256)) pauses++;
    expect(pauses).toBeGreaterThan(256);
  });
});
