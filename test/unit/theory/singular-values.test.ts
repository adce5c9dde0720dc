import { describe, expect, it } from 'vitest';
import { largestSingularSum } from '../../../src/theory/singular-values.js';

describe('largestSingularSum', () => {
  it('of a Gaussian matrix has the mean of the quarter-circle law', () => {
    // Density √(4 − x²)/π on [0, 2]: mean 8/(3π).
    expect(largestSingularSum(1, 0, 1)).toBeCloseTo(8 / (3 * Math.PI), 5);
    expect(largestSingularSum(-0.5, 0, 1)).toBeCloseTo(4 / (3 * Math.PI), 5);
    // The upper half in mass, by quadrature of that density: from the median 0.8079455 on, (4 − m²)^{3/2}/(3π).
    expect(largestSingularSum(1, 0, 0.5)).toBeCloseTo((4 - 0.807945506599 ** 2) ** 1.5 / (3 * Math.PI), 4);
  });

  it('of a multiple of the identity is that multiple', () => {
    expect(largestSingularSum(0, 0.7, 1)).toBe(0.7);
    expect(largestSingularSum(0, -0.7, 0.25)).toBeCloseTo(0.175, 15);
    expect(largestSingularSum(0.02, 1, 1)).toBeCloseTo(1 + 0.02 ** 2 / 4, 3);
  });
});
