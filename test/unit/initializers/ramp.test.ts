import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES } from '../../../src/dtype.js';
import { fillSync } from '../../../src/fill.js';
import { lawOf, type RampOptions, ramp } from '../../../src/initializers/index.js';
import { lawMoments } from '../../../src/moments.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('ramp', () => {
  it('writes its defaults out', () => {
    expect(ramp()).toEqual({ kind: 'ramp', start: 0, step: 1 });
    expect(ramp({ start: -0, step: -2 })).toEqual({ kind: 'ramp', start: 0, step: -2 });
  });

  it.each(DTYPE_NAMES)('counts along the last axis in %s', (dtype) => {
    const { data } = fillSync('w', [3, 2, 100], ramp({ start: 3, step: 2 }), { seed: 1, dtype });
    const one = fillSync('w', [1], ramp({ start: 101 }), { seed: 1, dtype }).data[0];
    for (let row = 0; row < 6; row++) expect(data[row * 100 + 49]).toBe(one);
    const { data: wide } = fillSync('w', [200], ramp({ start: -3, step: 0.5 }), {
      seed: 1,
      dtype: 'float64',
    });
    expect([...wide]).toEqual(Array.from({ length: 200 }, (_, i) => -3 + 0.5 * i));
  });

  it('goes on where work is cut into pieces', () => {
    const { data } = fillSync('w', [3, 10_001], ramp({ start: 0.25 }), { seed: 1 });
    expect(data.every((x, i) => x === (i % 10_001) + 0.25)).toBe(true);
    const slice = [
      [1, 3],
      [8190, 8195],
    ] as const;
    const part = fillSync('w', [3, 10_001], ramp({ start: 0.25 }), { seed: 1, slice }).data;
    expect([...part]).toEqual([0, 1].flatMap(() => [0, 1, 2, 3, 4].map((i) => 8190.25 + i)));
  });

  it('is a constant where there is nothing to count, and of no elements none', () => {
    expect(lawOf(ramp({ start: 4 }), { name: 'w', shape: [5, 1] })).toEqual({ kind: 'constant', value: 4 });
    expect(lawOf(ramp({ start: 4, step: 0 }), { name: 'w', shape: [5, 9] })).toEqual({
      kind: 'constant',
      value: 4,
    });
    for (const shape of [[0], [0, 4], [4, 0]])
      expect(fillSync('w', shape, ramp(), { seed: 1 }).data.length).toBe(0);
  });

  it('knows its moments, also where the mean is far from 0', () => {
    const law = (options: RampOptions, shape: number[]) =>
      lawMoments(
        lawOf(ramp(options), { name: 'w', shape }),
        shape.reduce((a, b) => a * b, 1),
      );
    expect(law({}, [2, 3])).toEqual({ mean: 1, std: expect.closeTo(Math.sqrt(2 / 3), 14) });
    expect(law({ start: 1e12, step: -2 }, [3])).toEqual({
      mean: 1e12 - 2,
      std: expect.closeTo(2 * Math.sqrt(2 / 3), 12),
    });
  });

  it('rejects what is no ramp', () => {
    expect(() => ramp({ step: Number.NaN })).toThrow(invalid('INVALID_OPTION', 'ramp.step'));
    expect(() => ramp({ start: '1' } as never)).toThrow(invalid('INVALID_OPTION', 'ramp.start'));
    expect(() => ramp({ stop: 3 } as never)).toThrow(invalid('UNKNOWN_OPTION', 'stop'));
    expect(() => fillSync('w', [], ramp(), { seed: 1 })).toThrow(
      invalid('INVALID_SHAPE', 'at least one axis'),
    );
    expect(() => fillSync('w', [70_000], ramp(), { seed: 1, dtype: 'float16' })).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
    expect(() => fillSync('w', [9], ramp({ step: 1e308 }), { seed: 1, dtype: 'float64' })).toThrow(
      invalid('INVALID_OPTION', 'overflows float64'),
    );
  });
});
