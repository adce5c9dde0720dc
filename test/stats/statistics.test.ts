import { describe, expect, it } from 'vitest';
import {
  chiSquareP,
  extremity,
  gammaQ,
  kolmogorovDistance,
  kolmogorovP,
  logGamma,
  mergedChiSquareP,
  normalP,
} from './statistics.js';

describe('logGamma', () => {
  it('is the logarithm of factorials and of √π', () => {
    for (let n = 2, factorial = 1; n < 20; factorial *= n, n++) {
      expect(logGamma(n)).toBeCloseTo(Math.log(factorial), 12);
    }
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13);
  });
});

describe('gammaQ and chiSquareP', () => {
  it('have their closed forms', () => {
    for (const x of [0.01, 0.5, 1, 3, 10, 40]) {
      expect(chiSquareP(x, 2)).toBeCloseTo(Math.exp(-x / 2), 13);
      expect(chiSquareP(x, 4)).toBeCloseTo(Math.exp(-x / 2) * (1 + x / 2), 13);
      expect(chiSquareP(x, 1)).toBeCloseTo(normalP(Math.sqrt(x)), 13);
    }
  });

  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4.
  it.each([
    [1, 0.05, 3.841],
    [10, 0.01, 23.209],
    [50, 0.001, 86.661],
    [100, 0.95, 77.929],
    [100, 0.05, 124.342],
  ])('%d degrees of freedom reach p = %d at the published %d', (df, p, x) => {
    expect(chiSquareP(x, df) / p).toBeCloseTo(1, 2);
  });

  it('is normal for many degrees of freedom (Wilson and Hilferty), in both tails down to 1e-6', () => {
    for (const df of [3000, 4095, 22912]) {
      for (const z of [-4.75, -2, 0, 1, 4.75]) {
        const x = df * (1 - 2 / (9 * df) + z * Math.sqrt(2 / (9 * df))) ** 3;
        const upper = z > 0 ? normalP(z) / 2 : 1 - normalP(z) / 2;
        expect(Math.abs(chiSquareP(x, df) - upper) / Math.min(upper, 1 - upper)).toBeLessThan(0.01);
      }
    }
  });

  it('is 1 at 0, 0 at infinity, NaN at NaN', () => {
    expect(gammaQ(3, 0)).toBe(1);
    expect(gammaQ(3, Number.POSITIVE_INFINITY)).toBe(0);
    expect(gammaQ(3, Number.NaN)).toBeNaN();
  });
});

describe('kolmogorovP', () => {
  // Smirnov's table of the limit law.
  it.each([
    [0.5, 0.9639],
    [0.8276, 0.5],
    [1.2238, 0.1],
    [1.3581, 0.05],
    [1.6276, 0.01],
    [1.9495, 0.001],
  ])('at √n·D = %d is %d', (x, p) => {
    expect(kolmogorovP(x / 1e6, 1e12)).toBeCloseTo(p, 3);
  });

  it('joins its two series, and reaches the tails', () => {
    expect(kolmogorovP((1 - 1e-9) / 1e6, 1e12)).toBeCloseTo(kolmogorovP(1 / 1e6, 1e12), 6);
    expect(kolmogorovP(2.69338 / 1e6, 1e12) / 1e-6).toBeCloseTo(1, 2);
    expect(kolmogorovP(0.1 / 1e6, 1e12)).toBe(1);
    expect(kolmogorovP(0, 100)).toBe(1);
    expect(kolmogorovP(1, 100)).toBeLessThan(1e-80);
  });

  it('measures the distance on both sides of a step', () => {
    const uniform = (x: number): number => x;
    expect(kolmogorovDistance([0.5], uniform)).toBe(0.5);
    expect(kolmogorovDistance([0.25, 0.75], uniform)).toBe(0.25);
    expect(kolmogorovDistance([0.9, 0.95], uniform)).toBeCloseTo(0.9, 15);
    expect(kolmogorovDistance([0, 0.1], uniform)).toBeCloseTo(0.9, 15);
  });

  it('overlooks nothing by skipping', () => {
    const square = (x: number): number => x * x;
    for (let k = 1; k < 40; k++) {
      // A dent of a few samples in an otherwise perfect sequence, anywhere.
      const samples = Array.from({ length: 997 }, (_, i) => Math.sqrt((i + 0.5) / 997));
      for (let i = 0; i < 10; i++) samples[24 * k + i] = samples[24 * k + (k % 2 === 0 ? 10 : -1)]!;
      const slow = samples.map((x, i) => Math.max(square(x) - i / 997, (i + 1) / 997 - square(x)));
      expect(kolmogorovDistance(samples, square)).toBe(Math.max(...slow));
    }
    expect(kolmogorovDistance([0.1, Number.NaN], square)).toBeNaN();
  });
});

describe('mergedChiSquareP', () => {
  it('merges neighbours up to 10 expected, the rest into the last', () => {
    // Cells become (4+3+3), 12, (10+1): chi-square 0.4 + 0 + (9-11)²/11 with 2 degrees of freedom.
    const p = mergedChiSquareP([4, 4, 4, 12, 8, 1], [4, 3, 3, 12, 10, 1]);
    expect(p).toBeCloseTo(Math.exp(-(0.4 + 4 / 11) / 2), 12);
  });

  it('refuses what cannot fail', () => {
    expect(() => mergedChiSquareP([5, 5], [5, 5])).toThrow('too few cells');
    expect(() => extremity([])).toThrow('cannot fail');
  });
});

describe('extremity', () => {
  it('is small for p-values near 0, near 1, and for none at all', () => {
    expect(extremity([0.3, 0.01])).toBeCloseTo(0.02, 12);
    expect(extremity([0.3, 0.995])).toBeCloseTo(0.01, 12);
    expect(extremity([0.3, Number.NaN])).toBe(0);
    expect(extremity([0.3])).toBe(0.3);
  });
});
