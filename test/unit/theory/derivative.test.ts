import { describe, expect, it } from 'vitest';
import { differentiate, isDifferentiableAtZero } from '../../../src/theory/derivative.js';

describe('differentiate', () => {
  it.each<[string, (x: number) => number, (x: number) => number]>([
    ['exp', Math.exp, Math.exp],
    ['sin', Math.sin, Math.cos],
    ['tanh', Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
    ['a quartic', (x) => x ** 4 - x, (x) => 4 * x ** 3 - 1],
    ['a steep sigmoid', (x) => Math.tanh(50 * x), (x) => 50 / Math.cosh(50 * x) ** 2],
  ])('of %s', (_, f, derivative) => {
    for (const x of [-3, -0.71, -0.01, 0, 1e-6, 0.02, 0.5, 2]) {
      const slope = derivative(x);
      expect(Math.abs(differentiate(f, x) - slope)).toBeLessThan(2e-9 * Math.max(1, Math.abs(slope)));
    }
  });

  it('does not reach across a kink or a jump', () => {
    for (const distance of [1e-1, 1e-3, 1e-5]) {
      expect(differentiate((x) => Math.abs(x - 1), 1 + distance)).toBeCloseTo(1, 8);
      expect(differentiate((x) => Math.abs(x - 1), 1 - distance)).toBeCloseTo(-1, 8);
      expect(differentiate((x) => Math.sign(x - 1) + x, 1 + distance)).toBeCloseTo(1, 8);
    }
    for (const x of [1e-12, 1e-6, 0.3]) expect(differentiate((t) => Math.max(0, t), x)).toBeCloseTo(1, 8);
    for (const x of [1e-12, 1e-6, 0.3]) expect(differentiate((t) => Math.max(0, t), -x)).toBe(0);
  });
});

describe('isDifferentiableAtZero', () => {
  it.each<[string, (x: number) => number, boolean]>([
    ['tanh', Math.tanh, true],
    ['x²', (x) => x * x, true],
    ['a constant', () => 7, true],
    ['an offset', (x) => 1e5 + Math.sin(x), true],
    ['a tiny slope', (x) => 1e-30 * x, true],
    ['relu', (x) => Math.max(0, x), false],
    ['a leaky ReLU of slope 0.999', (x) => Math.max(0.999 * x, x), false],
    ['sign', Math.sign, false],
    ['a step', (x) => (x > 0 ? 1 : 0), false],
    ['a cube root', Math.cbrt, false],
  ])('of %s', (_, f, differentiable) => {
    expect(isDifferentiableAtZero(f)).toBe(differentiable);
  });
});
