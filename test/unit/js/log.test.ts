import { describe, expect, it } from 'vitest';
import { log } from '../../../src/js/log.js';
import * as precise from '../../../tools/high-precision.mjs';

const exact = (x: number): number => precise.toNumber(precise.log(precise.fromNumber(x)));

describe('log', () => {
  it('agrees with 256-bit arithmetic to 4e-16', () => {
    const points = [1 + 2 ** -52, 1 - 2 ** -53, Math.SQRT2, Math.SQRT2 - 2 ** -52, Math.SQRT1_2, 16, 1e15];
    for (let x = 1e-12; x < 1e12; x *= 1.37) points.push(x);
    for (let x = 0.6; x < 1.6; x += 0.0137) points.push(x);
    for (const x of points) expect(Math.abs(log(x) / exact(x) - 1), `ln ${x}`).toBeLessThan(4e-16);
  });

  it('goes from the smallest to the largest number', () => {
    const ln2 = precise.toNumber(precise.log(2n * precise.ONE));
    for (const k of [-1074, -1060, -1023, -1022, -1021, -300, 300, 1023])
      expect(Math.abs(log(2 ** k) / (k * ln2) - 1)).toBeLessThan(4e-16);
    expect(log(Number.MAX_VALUE)).toBe(1024 * Math.LN2);
  });

  it('has exact and infinite ends', () => {
    expect(log(1)).toBe(0);
    expect(Object.is(log(1), 0)).toBe(true);
    expect(log(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(log(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(log(-1)).toBeNaN();
    expect(log(Number.NaN)).toBeNaN();
  });
});
