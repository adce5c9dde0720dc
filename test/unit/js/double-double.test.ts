import { describe, expect, it } from 'vitest';
import {
  add,
  type DoubleDouble,
  divide,
  exp,
  multiply,
  productError,
  sumError,
} from '../../../src/js/double-double.js';
import * as precise from '../../../tools/high-precision.mjs';

const exact = ({ high, low }: DoubleDouble): bigint => precise.fromNumber(high) + precise.fromNumber(low);
const relative = (found: DoubleDouble, truth: bigint): number =>
  Math.abs(precise.toNumber(precise.div(exact(found) - truth, truth)));

const NUMBERS: readonly DoubleDouble[] = [
  { high: 1, low: 0 },
  { high: 0.1, low: 3.3e-18 },
  { high: -7.3, low: 1e-16 },
  { high: 12345.678, low: -4.4e-13 },
  { high: 2 ** -40 / 3, low: 2 ** -96 },
];

describe('double-double', () => {
  it('knows the errors of float64 sums and products exactly', () => {
    for (const { high: a } of NUMBERS) {
      for (const { high: b } of NUMBERS) {
        const [x, y] = [precise.fromNumber(a), precise.fromNumber(b)];
        expect(precise.fromNumber(a + b) + precise.fromNumber(sumError(a, b, a + b))).toBe(x + y);
        const product = precise.fromNumber(a * b) + precise.fromNumber(productError(a, b, a * b));
        expect(product << precise.FRACTION_BITS).toBe(x * y);
      }
    }
  });

  it('adds, multiplies and divides to 101 bits', () => {
    for (const x of NUMBERS) {
      for (const y of NUMBERS) {
        expect(relative(multiply(x, y), precise.mul(exact(x), exact(y)))).toBeLessThan(2 ** -101);
        expect(relative(divide(x, y.high), precise.div(exact(x), precise.fromNumber(y.high)))).toBeLessThan(
          2 ** -101,
        );
        const error = exact(add(x, y)) - exact(x) - exact(y);
        const size = Math.abs(x.high) + Math.abs(y.high);
        expect(Math.abs(precise.toNumber(error))).toBeLessThan(2 ** -103 * size);
      }
    }
  });

  it('has an exponential to 92 bits', () => {
    for (let x = -70; x < 70; x += 1.37) {
      const argument = { high: x, low: x * 3e-17 };
      expect(relative(exp(argument), precise.exp(exact(argument))), `e^${x}`).toBeLessThan(2 ** -92);
    }
    expect(exp({ high: 0, low: 0 })).toEqual({ high: 1, low: 0 });
  });
});
