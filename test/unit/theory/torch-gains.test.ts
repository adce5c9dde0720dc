import { describe, expect, it } from 'vitest';
import { GAIN_ACTIVATIONS, gainSquared } from '../../../src/theory/torch-gains.js';

describe('gainSquared', () => {
  it('is exact where the gain is irrational', () => {
    expect(gainSquared('relu')).toBe(2);
    expect(gainSquared('leakyRelu', 1)).toBe(1);
    expect(gainSquared('leakyRelu', 0)).toBe(2);
  });

  it('is positive for every name', () => {
    expect(GAIN_ACTIVATIONS).toHaveLength(12);
    for (const activation of GAIN_ACTIVATIONS) expect(gainSquared(activation)).toBeGreaterThan(0);
  });

  it.each(['gelu', 'Tanh', '__proto__', undefined, 3])('knows no %s', (activation) => {
    expect(() => gainSquared(activation)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
