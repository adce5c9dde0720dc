import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES } from '../../../src/dtype.js';
import { fillSync } from '../../../src/fill.js';
import { lawOf, type SinusoidalOptions, sinusoidal } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';
import * as precise from '../../../tools/high-precision.mjs';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

/** The definition in 256-bit arithmetic. */
function exact(
  position: number,
  column: number,
  width: number,
  { order, maxTimescale = 10_000 }: SinusoidalOptions,
): number {
  const count = width / 2;
  const k = order === 'halves' ? column % count : Math.floor(column / 2);
  const steps = order === 'halves' ? count - 1 : count;
  const isSine = order === 'halves' ? column < count : column % 2 === 0;
  const logarithm = precise.log(precise.fromNumber(maxTimescale));
  const angle = BigInt(position) * precise.exp((-logarithm * BigInt(k)) / BigInt(steps));
  return precise.toNumber(isSine ? precise.sin(angle) : precise.cos(angle));
}

describe('sinusoidal', () => {
  it('writes its default out', () => {
    expect(sinusoidal({ order: 'halves' })).toEqual({
      kind: 'sinusoidal',
      order: 'halves',
      maxTimescale: 10_000,
    });
  });

  it.each<[SinusoidalOptions, number, number]>([
    [{ order: 'halves' }, 1500, 384],
    [{ order: 'interleaved' }, 4096, 512],
    [{ order: 'halves', maxTimescale: 50 }, 300_000, 6],
    [{ order: 'interleaved', maxTimescale: 1e30 }, 1000, 10],
    [{ order: 'halves', maxTimescale: 1 }, 100, 4],
  ])('%j of [%d, %d] is right in float64', (options, positions, width) => {
    const { data } = fillSync('w', [positions, width], sinusoidal(options), { seed: 1, dtype: 'float64' });
    for (let i = 0; i < 150; i++) {
      const position = i < 10 ? i : (i * 7919) % positions;
      const column = (i * 31) % width;
      const truth = exact(position, column, width, options);
      expect(Math.abs((data[position * width + column] as number) - truth)).toBeLessThanOrEqual(
        4e-16 * Math.abs(truth),
      );
    }
  });

  it('rounds that value in other dtypes', () => {
    const of = (dtype: (typeof DTYPE_NAMES)[number]) =>
      fillSync('w', [40, 16], sinusoidal({ order: 'interleaved' }), { seed: 1, dtype });
    const double = of('float64').data;
    for (const dtype of DTYPE_NAMES) {
      const eps = { float64: 0, float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 }[dtype];
      const tiny = { float64: 0, float32: 0, float16: 2 ** -25, bfloat16: 0 }[dtype];
      const found = dtype === 'float64' ? (double as Float64Array) : of(dtype).toFloat32();
      for (const [i, x] of found.entries())
        expect(Math.abs(x - (double[i] as number))).toBeLessThanOrEqual(
          Math.max(tiny, 1.001 * eps * Math.abs(double[i] as number)),
        );
    }
  });

  it('has the same rows in a slice far down', () => {
    const shape = [2 ** 33, 8];
    const last = 2 ** 33 - 1;
    const { data } = fillSync('w', shape, sinusoidal({ order: 'interleaved' }), {
      seed: 1,
      dtype: 'float64',
      slice: [[last, last + 1], null],
    });
    for (let column = 0; column < 8; column++)
      expect(
        Math.abs((data[column] as number) - exact(last, column, 8, { order: 'interleaved' })),
      ).toBeLessThan(4e-16);
  });

  it('knows its moments', () => {
    for (const order of ['halves', 'interleaved'] as const) {
      const { data } = fillSync('w', [300, 64], sinusoidal({ order }), { seed: 1, dtype: 'float64' });
      const values = [...data] as number[];
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
      const law = lawMoments(lawOf(sinusoidal({ order }), { name: 'w', shape: [300, 64] }), values.length);
      expect(law.mean).toBeCloseTo(mean, 12);
      expect(law.std).toBeCloseTo(std, 12);
    }
  });

  it('may have a single pair of columns', () => {
    const { data } = fillSync('w', [2, 2], sinusoidal({ order: 'halves' }), { seed: 1, dtype: 'float64' });
    expect([...data]).toEqual([0, 1, expect.closeTo(Math.sin(1), 15), expect.closeTo(Math.cos(1), 15)]);
    expect(fillSync('w', [0, 4], sinusoidal({ order: 'halves' }), { seed: 1 }).data.length).toBe(0);
    expect(fillSync('w', [3, 0], sinusoidal({ order: 'halves' }), { seed: 1 }).data.length).toBe(0);
  });

  it('rejects other orders, timescales and shapes', () => {
    expect(() => sinusoidal({} as never)).toThrow(invalid('INVALID_OPTION', 'sinusoidal.order'));
    expect(() => sinusoidal({ order: 'halfs' } as never)).toThrow(invalid('INVALID_OPTION', 'halves'));
    for (const maxTimescale of [0.5, 1e31, Number.NaN])
      expect(() => sinusoidal({ order: 'halves', maxTimescale })).toThrow(
        invalid('INVALID_OPTION', 'maxTimescale'),
      );
    for (const shape of [[], [4], [3, 5], [2, 3, 4]])
      expect(() => fillSync('w', shape, sinusoidal({ order: 'halves' }), { seed: 1 })).toThrow(
        invalid('INVALID_SHAPE', 'even width'),
      );
  });
});
