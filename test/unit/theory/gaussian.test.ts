import { describe, expect, it } from 'vitest';
import { cdf } from '../../../src/quantile/normal-law.js';
import { expectation } from '../../../src/theory/gaussian.js';

/** Density of the standard normal law. */
const phi = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

describe('expectation', () => {
  // Closed forms.
  it.each<[string, (z: number) => number, number]>([
    ['1', () => 1, 1],
    ['z²', (z) => z * z, 1],
    ['z⁴', (z) => z ** 4, 3],
    ['z¹²', (z) => z ** 12, 10395],
    ['e^z', Math.exp, Math.exp(0.5)],
    ['e^(10z)', (z) => Math.exp(10 * z), Math.exp(50)],
    ['cos z', Math.cos, Math.exp(-0.5)],
    ['sin² 100z', (z) => Math.sin(100 * z) ** 2, 0.5],
    ['e^(0.48 z²)', (z) => Math.exp(0.48 * z * z), 5],
    ['e^(−(1e6 z)²/2), a spike at 0', (z) => Math.exp(-0.5e12 * z * z), 1 / Math.sqrt(1e12 + 1)],
  ])('of %s to 1e-10', (_, g, value) => {
    expect(Math.abs(expectation(g) / value - 1)).toBeLessThan(1e-10);
  });

  it('of odd functions is 0', () => {
    expect(expectation(Math.tanh)).toBe(0);
    expect(expectation((z) => z ** 3)).toBe(0);
  });

  it.each([-2.71, -1, -0.123, 0, 1e-7, 0.3333333, 1.7, 6.1])('of kinks and jumps at %d to 1e-8', (a) => {
    // E max(z − a, 0) = φ(a) − a(1 − Φ(a)), E max(z − a, 0)² = (1 + a²)(1 − Φ(a)) − aφ(a).
    const tail = cdf(-a);
    const near = (value: number, exact: number): void =>
      expect(Math.abs(value - exact)).toBeLessThan(1e-8 * exact + 1e-17);
    near(
      expectation((z) => (z > a ? 1 : 0)),
      tail,
    );
    near(
      expectation((z) => Math.max(z - a, 0)),
      phi(a) - a * tail,
    );
    near(
      expectation((z) => Math.max(z - a, 0) ** 2),
      (1 + a * a) * tail - a * phi(a),
    );
  });

  it('of a function in float32 arithmetic to float32 precision', () => {
    expect(expectation((z) => Math.fround(Math.fround(Math.cos(z)) ** 2))).toBeCloseTo(
      (1 + Math.exp(-2)) / 2,
      8,
    );
  });

  it('of 0 is 0', () => {
    expect(expectation(() => 0)).toBe(0);
  });

  it('evaluates at the same places in the same order', () => {
    const places = (): number[] => {
      const all: number[] = [];
      expectation((z) => {
        all.push(z);
        return Math.max(z, 0.3);
      });
      return all;
    };
    const first = places();
    expect(first.length).toBeLessThan(10_000);
    expect(places()).toEqual(first);
  });

  it.each<[string, (z: number) => number, string]>([
    ['grows like e^(z²/2)', (z) => Math.exp(0.5 * z * z), 'grows too fast'],
    ['grows like e^(z²)', (z) => Math.exp(z * z) ** 2, 'overflows at '],
    ['is infinite', () => Number.POSITIVE_INFINITY, 'overflows at '],
    ['is random', Math.random, 'too irregular near '],
  ])('refuses what %s', (_, g, text) => {
    expect(() => expectation(g)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });

  it('lets errors of the function through', () => {
    const mine = new Error('mine');
    expect(() =>
      expectation(() => {
        throw mine;
      }),
    ).toThrow(mine);
  });
});
