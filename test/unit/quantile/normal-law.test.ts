import { describe, expect, it } from 'vitest';
import { exp } from '../../../src/quantile/exp.js';
import { cdf, millsRatio, NormalWindow } from '../../../src/quantile/normal-law.js';
import * as precise from '../../../tools/high-precision.mjs';

describe('exp', () => {
  it('agrees with 256-bit arithmetic to 4e-16', () => {
    for (let x = -40; x < 3; x += 0.37) {
      const truth = precise.toNumber(precise.exp(precise.fromNumber(x)));
      expect(Math.abs(exp(x) / truth - 1), `exp(${x})`).toBeLessThan(4e-16);
    }
  });

  it('agrees with Math.exp where the exponent is large, and ends cleanly', () => {
    for (const x of [-700, -300.25, -100, 100, 300, 700])
      expect(Math.abs(exp(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
    expect(exp(-1000)).toBe(0);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(1000)).toBe(Number.POSITIVE_INFINITY);
    expect(exp(0)).toBe(1);
  });
});

describe('millsRatio and cdf', () => {
  it('agree with 256-bit arithmetic', () => {
    for (let x = 0; x < 9; x += 0.173) {
      const truth = precise.toNumber(precise.millsRatio(precise.fromNumber(x)));
      expect(Math.abs(millsRatio(x) / truth - 1), `M(${x})`).toBeLessThan(5e-16);
      const tail = precise.toNumber(precise.cdf(precise.fromNumber(-x)));
      expect(Math.abs(cdf(-x) / tail - 1), `Φ(${-x})`).toBeLessThan(1e-14);
      expect(cdf(x)).toBeCloseTo(1 - tail, 15);
    }
  });

  it('follows its asymptotic series far out', () => {
    for (const x of [50, 1e3, 1e8, 1e100]) {
      expect(Math.abs(millsRatio(x) / ((1 - 1 / (x * x) + 3 / x ** 4 - 15 / x ** 6) / x) - 1)).toBeLessThan(
        4e-12,
      );
    }
    expect(millsRatio(Number.POSITIVE_INFINITY)).toBe(0);
  });
});

describe('NormalWindow', () => {
  const INF = Number.POSITIVE_INFINITY;

  it('has the mass of the normal law', () => {
    for (const [a, b] of [
      [-2, 2],
      [-1, 3],
      [0.1, 0.2],
      [3, 5],
      [-INF, -2],
      [-1e-3, 2e-3],
      [-INF, INF],
    ] as const) {
      const window = new NormalWindow(a, b);
      const upper = b === INF ? precise.ONE : precise.cdf(precise.fromNumber(b));
      const lower = a === -INF ? 0n : precise.cdf(precise.fromNumber(a));
      const truth = precise.toNumber(
        precise.div(upper - lower, precise.density(precise.fromNumber(window.mode))),
      );
      expect(Math.abs(window.mass(a, b) / truth - 1), `[${a}, ${b}]`).toBeLessThan(2e-15);
    }
  });

  it('has the published std of the law truncated at ±2σ and ±3σ', () => {
    expect(new NormalWindow(-2, 2).moments().std).toBeCloseTo(0.87962566103423978, 14);
    expect(new NormalWindow(-3, 3).moments().std).toBeCloseTo(0.98657839, 8);
    expect(new NormalWindow(-INF, INF).moments().std).toBeCloseTo(1, 14);
  });

  it('has the half-normal moments', () => {
    const { mean, std } = new NormalWindow(0, INF).moments();
    expect(mean).toBeCloseTo(Math.sqrt(2 / Math.PI), 14);
    expect(std).toBeCloseTo(Math.sqrt(1 - 2 / Math.PI), 14);
  });

  it('tends to the exponential law far out and to the uniform law in a narrow window', () => {
    const far = new NormalWindow(1e4, INF).moments();
    expect((far.mean - 1e4) * 1e4).toBeCloseTo(1, 3);
    expect(far.std * 1e4).toBeCloseTo(1, 7);
    const narrow = new NormalWindow(1, 1 + 1e-6).moments();
    expect((narrow.std / 1e-6) * Math.sqrt(12)).toBeCloseTo(1, 9);
  });

  it('keeps the width of a window of a few ulps and of one where squares overflow the mantissa', () => {
    const uniform = 1 / Math.sqrt(12);
    expect(new NormalWindow(1, 1 + 2 ** -52).moments().std).toBeCloseTo(2 ** -52 * uniform, 25);
    expect(new NormalWindow(1000, 1000 + 2 ** -40).moments().std / 2 ** -40 / uniform).toBeCloseTo(1, 9);
    expect(new NormalWindow(1e8, 1e8 + 1).moments().std * 1e8).toBeCloseTo(1, 7); // exponential by then
    expect(new NormalWindow(1e15, 1e15 + 0.5).moments().std).toBeCloseTo(1e-15, 20);
  });

  it('mirrors', () => {
    const right = new NormalWindow(1, 4).moments();
    const left = new NormalWindow(-4, -1).moments();
    expect(left.mean).toBeCloseTo(-right.mean, 14);
    expect(left.std).toBeCloseTo(right.std, 14);
  });
});
