import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { lawOf, logOfUniform } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';
import { kolmogorovDistance, kolmogorovP } from '../../stats/statistics.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const N = 40_000;
const draw = (min: number, max: number, seed = 1): number[] =>
  [...fillSync('A_log', [N], logOfUniform({ min, max }), { seed, dtype: 'float64' }).data] as number[];

describe('logOfUniform', () => {
  it.each([
    [1, 16],
    [1e-9, 3],
    [7, 7.001],
  ])('is the logarithm of a number from %d to %d', (min, max) => {
    const values = draw(min, max);
    expect(values.every((x) => x >= Math.log(min) - 1e-15 && x <= Math.log(max) + 1e-15)).toBe(true);
    const distance = kolmogorovDistance(
      Float64Array.from(values).sort(),
      (x) => (Math.exp(x) - min) / (max - min),
    );
    expect(kolmogorovP(distance, N)).toBeGreaterThan(1e-3);
    const { mean, std } = lawMoments(lawOf(logOfUniform({ min, max }), { name: 'w', shape: [N] }), N);
    const found = values.reduce((sum, x) => sum + x, 0) / N;
    expect((Math.abs(found - mean) / std) * Math.sqrt(N)).toBeLessThan(4.5);
    const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - found) ** 2, 0) / N);
    expect(Math.abs(spread / std - 1)).toBeLessThan(0.03);
  });

  it('has moments by quadrature', () => {
    for (const [min, max] of [
      [1, 16],
      [2, 2.03],
      [1e-300, 1],
    ] as const) {
      const cells = 200_000;
      const at = (i: number): number => Math.log(min + ((i + 0.5) / cells) * (max - min));
      let [mean, square] = [0, 0];
      for (let i = 0; i < cells; i++) mean += at(i) / cells;
      for (let i = 0; i < cells; i++) square += (at(i) - mean) ** 2 / cells;
      const law = lawMoments(lawOf(logOfUniform({ min, max }), { name: 'w', shape: [9] }), 9);
      expect(law.mean).toBeCloseTo(mean, 4);
      expect(law.std / Math.sqrt(square)).toBeCloseTo(1, 3);
    }
  });

  it('has the same values in every dtype, rounded, and other ones for other names and seeds', () => {
    const double = draw(1, 16);
    const single = fillSync('A_log', [N], logOfUniform({ min: 1, max: 16 }), { seed: 1 }).data;
    expect(single.every((x, i) => x === Math.fround(double[i]!))).toBe(true);
    expect(draw(1, 16, 2)[0]).not.toBe(double[0]);
    const part = fillSync('A_log', [N], logOfUniform({ min: 1, max: 16 }), {
      seed: 1,
      slice: [[8190, 8200]],
    }).data;
    expect([...part]).toEqual([...single.slice(8190, 8200)]);
  });

  it('rejects what has no logarithm', () => {
    for (const options of [
      { min: 0, max: 1 },
      { min: -1, max: 1 },
      { min: 2, max: 2 },
      { min: 2, max: 1 },
      { min: 1 },
    ])
      expect(() => logOfUniform(options as never)).toThrow(invalid('INVALID_OPTION', 'logOfUniform'));
  });
});
