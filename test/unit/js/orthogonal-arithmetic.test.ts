import { describe, expect, it } from 'vitest';
import { reflection } from '../../../src/js/orthogonal-arithmetic.js';

describe('reflection', () => {
  it('maps a column to a multiple of its own unit vector', () => {
    for (const column of [
      [3, 4],
      [-3, 4],
      [0, 2, 1],
      [-1e-12, 5],
    ]) {
      const s = column.reduce((sum, x) => sum + x * x, 0);
      const { diagonal, rho, sign } = reflection((x) => x, column[0]!, s, false);
      const v = [diagonal, ...column.slice(1)];
      const product = rho * v.reduce((sum, x, r) => sum + x * column[r]!, 0);
      const image = v.map((x, r) => column[r]! - product * x);
      expect(image[0]).toBeCloseTo(sign * Math.sqrt(s), 14);
      for (const x of image.slice(1)) expect(x).toBeCloseTo(0, 14);
    }
  });

  it('of one row is a sign', () => {
    expect(reflection(Math.fround, -0.5, 0.25, true)).toEqual({ diagonal: 0, rho: 0, sign: -1 });
    expect(reflection(Math.fround, 0.5, 0.25, true)).toEqual({ diagonal: 0, rho: 0, sign: 1 });
  });

  it('of a column of zeros is none, instead of infinite', () => {
    expect(reflection(Math.fround, 0, 0, false)).toEqual({ diagonal: 0, rho: 0, sign: -1 });
  });
});
