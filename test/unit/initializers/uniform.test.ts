import { describe, expect, it } from 'vitest';
import { lawOf, type UniformOptions, uniform } from '../../../src/initializers/index.js';

describe('uniform', () => {
  it('means its bounds', () => {
    const law = lawOf(uniform({ min: -0.05, max: 0.1 }), { name: 'w', shape: [3] });
    expect(law).toEqual({ kind: 'uniform', min: -0.05, max: 0.1 });
  });

  it.each<[unknown, unknown]>([
    [1, 1],
    [0, -0],
    [2, 1],
    [Number.NaN, 1],
    [0, Number.NaN],
    [Number.NEGATIVE_INFINITY, 0],
    [0, Number.POSITIVE_INFINITY],
    [-1e308, 1e308],
    [undefined, 1],
    [0, undefined],
    [null, 1],
    ['0', '1'],
  ])('rejects min %s, max %s', (min, max) => {
    expect(() => uniform({ min, max } as UniformOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('uniform') }),
    );
  });
});
