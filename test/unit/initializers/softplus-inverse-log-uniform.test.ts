import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { softplusInverseLogUniform as init, lawOf } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';
import * as precise from '../../../tools/high-precision.mjs';
import { kolmogorovDistance, kolmogorovP } from '../../stats/statistics.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const N = 40_000;
const softplus = (x: number): number => Math.log1p(Math.exp(x));

describe('softplusInverseLogUniform', () => {
  it('writes its defaults out', () => {
    expect(init()).toEqual({ kind: 'softplusInverseLogUniform', min: 0.001, max: 0.1, floor: 0.0001 });
  });

  it.each([
    [0.001, 0.1, 1e-4],
    [0.001, 0.1, 0.01],
    [1e-8, 50, 0],
  ])('has log-uniform softplus from %d to %d, not below %d', (min, max, floor) => {
    const options = init({ min, max, floor });
    const values = [...fillSync('dt', [N], options, { seed: 3, dtype: 'float64' }).data] as number[];
    const steps = values.map(softplus);
    expect(Math.min(...steps)).toBeGreaterThan(Math.max(min, floor) * (1 - 1e-8));
    expect(Math.max(...steps)).toBeLessThan(max * (1 + 1e-8));
    const share = (t: number): number => (Math.log(t) - Math.log(min)) / (Math.log(max) - Math.log(min));
    const atFloor = steps.filter((t) => t < floor * (1 + 1e-9)).length / N;
    const expected = floor > min ? share(floor) : 0;
    expect(Math.abs(atFloor - expected)).toBeLessThan(
      4.5 * Math.sqrt((expected * (1 - expected)) / N) + 1e-9,
    );
    const above = steps.filter((t) => t >= floor * (1 + 1e-9));
    const distance = kolmogorovDistance(
      Float64Array.from(above).sort(),
      (t) => (share(t) - expected) / (1 - expected),
    );
    expect(kolmogorovP(distance, above.length)).toBeGreaterThan(1e-3);
    const { mean, std } = lawMoments(lawOf(options, { name: 'w', shape: [N] }), N);
    const found = values.reduce((sum, x) => sum + x, 0) / N;
    expect((Math.abs(found - mean) / std) * Math.sqrt(N)).toBeLessThan(4.5);
    const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - found) ** 2, 0) / N);
    expect(Math.abs(spread / std - 1)).toBeLessThan(0.03);
  });

  it.each([1e-300, 1e-8, 1e-4, 0.1, 0.5, 0.694, 0.99, 1, 1.5, 30, 800])(
    'of one step, %d, is its exact inverse',
    (t) => {
      const { data } = fillSync('dt', [1], init({ min: t, max: t, floor: 0 }), { seed: 1, dtype: 'float64' });
      const x = precise.fromNumber(t);
      // ln(e^t − 1), where 256 bits after the point have digits of it.
      const truth =
        t < 1e-60 ? Math.log(t) : t > 100 ? t : precise.toNumber(precise.log(precise.exp(x) - precise.ONE));
      expect(Math.abs((data[0] as number) - truth)).toBeLessThanOrEqual(1e-15 * Math.max(1, Math.abs(truth)));
    },
  );

  it('has the same values in every dtype, rounded', () => {
    const double = fillSync('dt', [99], init(), { seed: 1, dtype: 'float64' }).data;
    const single = fillSync('dt', [99], init(), { seed: 1 }).data;
    expect(single.every((x, i) => x === Math.fround(double[i] as number))).toBe(true);
    expect(new Set(single).size).toBe(99);
  });

  it('rejects what is no step', () => {
    for (const options of [{ min: 0 }, { max: 0 }, { min: 0.2 }, { floor: -1 }, { floor: Number.NaN }])
      expect(() => init(options)).toThrow(invalid('INVALID_OPTION', 'softplusInverseLogUniform'));
  });
});
