import { describe, expect, it } from 'vitest';
import {
  hadamardRow,
  hadamardSum,
  powerOfTwoFrom,
  signedHadamardColumn,
  walshHadamard,
} from '../../../src/js/hadamard.js';

/** By the definition: digits that both numbers have. */
function element(r: number, c: number): number {
  let common = BigInt(r) & BigInt(c);
  let sign = 1;
  for (; common > 0n; common >>= 1n) if (common % 2n === 1n) sign = -sign;
  return sign;
}

function run(work: Generator<undefined, void>): number {
  let yields = 0;
  while (work.next().done !== true) yields++;
  return yields;
}

function row(index: number, length: number): number[] {
  const out = new Float64Array(length);
  run(hadamardRow(index, out));
  return [...out];
}

describe('powerOfTwoFrom', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [4, 4],
    [5, 8],
    [2 ** 26, 2 ** 26],
    [2 ** 40 + 1, 2 ** 41],
  ])('of %i is %i', (least, power) => expect(powerOfTwoFrom(least)).toBe(power));
});

describe('hadamardRow', () => {
  it('is the parity of common digits', () => {
    for (const r of [0, 1, 2, 3, 5, 7, 12, 31, 33, 2 ** 33 + 5, 2 ** 52 - 1])
      expect(row(r, 37)).toEqual(Array.from({ length: 37 }, (_, c) => element(r, c)));
  });

  it('has rows that are orthogonal', () => {
    const rows = Array.from({ length: 16 }, (_, r) => row(r, 16));
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries())
        expect(a.reduce((sum, x, k) => sum + x * b[k]!, 0)).toBe(i === j ? 16 : 0);
    }
  });

  it('of nothing is nothing', () => expect(row(3, 0)).toEqual([]));
});

describe('hadamardSum', () => {
  it('is the sum of the elements', () => {
    for (const size of [1, 2, 4, 16]) {
      for (let rows = 0; rows <= size; rows++) {
        for (let cols = 0; cols <= size; cols++) {
          let sum = 0;
          for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) sum += element(r, c);
          expect(hadamardSum(rows, cols, size)).toBe(sum);
        }
      }
    }
  });

  it('takes a few steps, however many elements there are', () => {
    expect(hadamardSum(2 ** 50, 3, 2 ** 50)).toBe(2 ** 50);
    // Of the four quarters the first three have one row or column that does not cancel, the last one element.
    expect(hadamardSum(2 ** 49 + 1, 2 ** 49 + 1, 2 ** 50)).toBe(3 * 2 ** 49 - 1);
  });
});

describe('walshHadamard', () => {
  it('is the product with the matrix', () => {
    for (const n of [1, 2, 8, 64]) {
      const x = Float64Array.from({ length: n }, (_, k) => ((k * 37) % 11) - 5);
      const expected = Array.from({ length: n }, (_, r) =>
        x.reduce((sum, value, c) => sum + value * element(r, c), 0),
      );
      run(walshHadamard(x));
      expect([...x]).toEqual(expected);
    }
  });

  it('twice is n times the same, without an error', () => {
    const n = 4096;
    const x = Float64Array.from({ length: n }, (_, k) => ((k * 7919) % 2001) - 1000);
    const before = [...x];
    run(walshHadamard(x));
    run(walshHadamard(x));
    expect([...x]).toEqual(before.map((value) => value * n));
  });

  it('lets others run now and then', () => {
    // 2^22 numbers, four at a time: ten times four pieces, and the last in one.
    expect(run(walshHadamard(new Float64Array(2 ** 22)))).toBe(41);
    expect(run(walshHadamard(new Float64Array(2 ** 10)))).toBe(0);
  });
});

describe('signedHadamardColumn', () => {
  it('is a column of the product of three matrices and three diagonals', () => {
    const n = 8;
    const signs = Float32Array.from({ length: 3 * n }, (_, k) => ((k * 5) % 7) - 3 || 0.5);
    const sign = (k: number): number => (signs[k]! < 0 ? -1 : 1);
    const product = (x: number[], first: number): number[] =>
      Array.from({ length: n }, (_, r) =>
        x.reduce((sum, value, c) => sum + element(r, c) * sign(first + c) * value, 0),
      );
    for (let column = 0; column < n; column++) {
      const unit = Array.from({ length: n }, (_, k) => (k === column ? 1 : 0));
      const expected = product(product(product(unit, 0), n), 2 * n);
      const out = new Float64Array(n);
      run(signedHadamardColumn(signs, column, out));
      expect(Array.from(out, (value) => value + 0)).toEqual(expected.map((value) => value + 0));
    }
  });
});
