import { describe, expect, it } from 'vitest';
import { truncationConstant } from '../../../src/theory/truncation.js';

describe('truncationConstant', () => {
  it.each<[number | null, number | null, number]>([
    [-2, 2, 0.8796256610342398], // as Keras and JAX have it
    // By mpmath 1.3 with 30 digits.
    [-3, 3, 0.9865783925581086],
    [1, 2, 0.2697088914007124],
    [-2, -1, 0.2697088914007124],
    [30, 31, 0.03322305693092197],
    [0, null, 0.602810274989087], // √(1 − 2/π), the half-normal law
    [Number.NEGATIVE_INFINITY, 0, Math.sqrt(1 - 2 / Math.PI)],
    // Narrow windows are uniform: width/√12.
    [1, 1 + 1e-6, 1e-6 / Math.sqrt(12)],
    // Far tails are exponential: 1/a.
    [1e6, null, 1e-6],
  ])('of [%s, %s] is %d', (lower, upper, value) => {
    expect(truncationConstant(lower, upper) / value).toBeCloseTo(1, 9);
  });

  it('has all digits where they are known', () => {
    expect(truncationConstant(-2, 2)).toBeCloseTo(0.8796256610342398, 14);
    expect(truncationConstant(30, 31) / 0.03322305693092197).toBeCloseTo(1, 12);
  });

  it('is 1 for the whole law', () => {
    expect(truncationConstant(null, null)).toBe(1);
    expect(truncationConstant(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBe(1);
    expect(truncationConstant(-1e300, 1e300)).toBe(1);
  });

  it.each<[unknown, unknown, string]>([
    [2, -2, 'lower < upper'],
    [1, 1, 'lower < upper'],
    [Number.NaN, 1, 'lower < upper'],
    [Number.POSITIVE_INFINITY, null, 'lower < upper'],
    ['-2', 2, 'lower < upper'],
    [undefined, 2, 'lower < upper'],
    [1e160, 1e161, 'too far out'],
  ])('rejects [%s, %s]', (lower, upper, text) => {
    expect(() => truncationConstant(lower as number, upper as number)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });
});
