import { describe, expect, it } from 'vitest';
import { atZero, resolveActivation } from '../../../src/theory/resolve.js';

const invalid = (text: string): unknown =>
  expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) });

describe('resolveActivation', () => {
  it('has the derivative of a function, given or found', () => {
    expect(resolveActivation((x: number) => x ** 3, {}).derivative(2)).toBeCloseTo(12, 9);
    const given = resolveActivation((x: number) => x ** 3, { derivative: (x: number) => 3 * x * x });
    expect(given.derivative(2)).toBe(12);
    expect(given.tolerance).toBeLessThan(resolveActivation(Math.tanh, {}).tolerance);
  });

  it('takes a derivative that is another value at a kink', () => {
    const f = (x: number): number => Math.abs(x - 1.13);
    const resolved = resolveActivation(f, { derivative: (x: number) => (x < 1.13 ? -1 : 1) });
    expect(resolved.derivative(0)).toBe(-1);
  });

  it('names the x where a function or derivative is no number', () => {
    const resolved = resolveActivation((x: number) => (x > 3 ? undefined : x), {});
    expect(resolved.f(2)).toBe(2);
    expect(() => resolved.f(4)).toThrow(invalid('the activation at x = 4 but received undefined'));
    const broken = (x: number): number => (x > 3 ? Number.NaN : 1);
    expect(() => resolveActivation((x: number) => x, { derivative: broken }).derivative(4)).toThrow(
      invalid('the derivative at x = 4 but received NaN'),
    );
  });

  it('suggests the nearest of the names that the caller takes', () => {
    expect(() => resolveActivation('gelo', {})).toThrow(invalid('did you mean "gelu"'));
    expect(() => resolveActivation('conv2', {}, ['conv2d'])).toThrow(invalid('did you mean "conv2d"'));
  });
});

describe('atZero', () => {
  it('is value and slope where there is one', () => {
    expect(atZero(resolveActivation('sigmoid', {}))).toEqual({ value: 0.5, derivative: 0.25 });
    expect(atZero(resolveActivation(Math.exp, {}))?.derivative).toBeCloseTo(1, 10);
    expect(atZero(resolveActivation('leakyRelu', { slope: 1 }))).toEqual({ value: 0, derivative: 1 });
  });

  it('is nothing where there is a kink, also with a derivative that says otherwise', () => {
    expect(atZero(resolveActivation('relu', {}))).toBeUndefined();
    const derivative = (x: number): number => (x > 0 ? 1 : 0);
    expect(atZero(resolveActivation((x: number) => Math.max(0, x), { derivative }))).toBeUndefined();
    expect(atZero(resolveActivation((x: number) => Math.sign(x), {}))).toBeUndefined();
  });
});
