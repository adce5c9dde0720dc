import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { lawOf, logRamp } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';
import * as precise from '../../../tools/high-precision.mjs';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const ln = (x: number): number => precise.toNumber(precise.log(precise.fromNumber(x)));

describe('logRamp', () => {
  it('writes its defaults out', () => {
    expect(logRamp()).toEqual({ kind: 'logRamp', start: 1, step: 1 });
  });

  it('is the logarithm of 1, 2, 3, … in each row', () => {
    const { data } = fillSync('A_log', [3, 16], logRamp(), { seed: 1, dtype: 'float64' });
    for (let n = 0; n < 16; n++) {
      expect(Math.abs(data[n]! - ln(n + 1))).toBeLessThanOrEqual(4e-16 * ln(n + 1));
      expect(data[16 + n]).toBe(data[n]);
      expect(data[32 + n]).toBe(data[n]);
    }
  });

  it('in float32 is the float64 value rounded', () => {
    const options = { start: 0.25, step: 0.125 };
    const double = fillSync('w', [9000], logRamp(options), { seed: 1, dtype: 'float64' }).data;
    const single = fillSync('w', [9000], logRamp(options), { seed: 1 }).data;
    expect(single.every((x, i) => x === Math.fround(double[i] as number))).toBe(true);
  });

  it('may fall, as long as there is a logarithm', () => {
    const { data } = fillSync('w', [4], logRamp({ start: 4, step: -1 }), { seed: 1, dtype: 'float64' });
    expect([...data]).toEqual([4, 3, 2, 1].map((x) => expect.closeTo(Math.log(x), 15)));
    expect(() => fillSync('w', [5], logRamp({ start: 4, step: -1 }), { seed: 1 })).toThrow(
      invalid('INVALID_OPTION', 'above 0'),
    );
    expect(() => fillSync('w', [5], logRamp({ step: 1e308 }), { seed: 1 })).toThrow(
      invalid('INVALID_OPTION', 'finite'),
    );
  });

  it.each([
    [1, 1, 16],
    [1, 1, 100_000],
    [1e-3, 1, 300_000],
    [300_000, -1, 300_000],
    [5, 0, 7],
  ])('knows its moments: from %d by %d, %d numbers', (start, step, count) => {
    const values = Array.from({ length: count }, (_, i) => Math.log(start + step * i));
    const mean = values.reduce((sum, x) => sum + x, 0) / count;
    const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / count);
    const law = lawMoments(lawOf(logRamp({ start, step }), { name: 'w', shape: [2, count] }), 2 * count);
    expect(Math.abs(law.mean - mean)).toBeLessThan(1e-6 * Math.max(1, std));
    expect(Math.abs(law.std - std)).toBeLessThan(1e-6 * Math.max(1, std));
  });

  it('rejects what has no logarithm', () => {
    for (const start of [0, -1, Number.NaN])
      expect(() => logRamp({ start })).toThrow(invalid('INVALID_OPTION', 'logRamp.start'));
    expect(() => fillSync('w', [], logRamp(), { seed: 1 })).toThrow(
      invalid('INVALID_SHAPE', 'at least one axis'),
    );
  });
});
