import { describe, expect, it } from 'vitest';
import { jsBackend } from '../../../src/backends/js.js';
import { momentsOf, tableLaw } from '../../../src/initializers/table.js';
import { jobsOf } from '../../../src/jobs.js';
import { parseSlice } from '../../../src/region.js';

/** Elements are their own indices; notes which ones were computed, and from which random numbers. */
function counting(shape: readonly number[], uniform = false) {
  const computed: [first: number, count: number][] = [];
  const drawn: number[] = [];
  const law = tableLaw(shape, {
    what: 'a test',
    largest: 1e15,
    moments: () => {
      throw new Error('nobody asked');
    },
    ...(uniform ? { uniform: { min: 0, max: 1 } } : {}),
    fill: (out, first, uniforms) => {
      computed.push([first, out.length]);
      for (let i = 0; i < out.length; i++) out[i] = first + i;
      drawn.push(...uniforms);
    },
  });
  return { law, computed, drawn };
}

function requestOf(
  law: ReturnType<typeof tableLaw>,
  shape: readonly number[],
  slice?: readonly (readonly [number, number])[],
) {
  const ranges = parseSlice(shape, slice);
  const length = ranges.reduce((product, [start, end]) => product * (end - start), 1);
  const jobs = jobsOf(law, { name: 'w', shape }, ranges, 'float64');
  return { seed: 1n, dtype: 'float64', length, ...jobs } as const;
}

describe('tableLaw', () => {
  it('computes only what a window has, piece by piece', () => {
    const { law, computed } = counting([3, 10_000]);
    const request = requestOf(law, [3, 10_000]);
    expect(request).not.toHaveProperty('unit');
    const out = new Float64Array(9000);
    jsBackend.fillSync(request, out, 20_990);
    expect([...out]).toEqual(Array.from({ length: 9000 }, (_, i) => 20_990 + i));
    // Pieces of 8192, and of the first and last only a part.
    expect(computed).toEqual([
      [20_990, 24_576 - 20_990],
      [24_576, 29_990 - 24_576],
    ]);
  });

  it('computes little more than a slice has, anywhere in a tensor larger than all memory', () => {
    const shape = [2 ** 40, 5];
    const { law, computed } = counting(shape);
    const out = new Float64Array(4);
    jsBackend.fillSync(
      requestOf(law, shape, [
        [2 ** 40 - 2, 2 ** 40],
        [3, 5],
      ]),
      out,
      0,
    );
    const end = 5 * 2 ** 40;
    expect([...out]).toEqual([end - 7, end - 6, end - 2, end - 1]);
    expect(computed.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(7);
  });

  it('gives each element its own random number, whatever the window', () => {
    const whole = counting([20_000], true);
    jsBackend.fillSync(requestOf(whole.law, [20_000]), new Float64Array(20_000), 0);
    expect(new Set(whole.drawn).size).toBe(20_000);
    const part = counting([20_000], true);
    jsBackend.fillSync(requestOf(part.law, [20_000]), new Float64Array(500), 16_000);
    expect(part.drawn).toEqual(whole.drawn.slice(16_000, 16_500));
  });

  it('is nothing where there are no elements', () => {
    expect(counting([3, 0]).law).toEqual({ kind: 'constant', value: 0 });
  });
});

describe('momentsOf', () => {
  it('is exact for few values, and near for many', () => {
    expect(momentsOf((i) => 1e9 + i, 3)).toEqual({ mean: 1e9 + 1, std: Math.sqrt(2 / 3) });
    const count = 2 ** 30;
    const { mean, std } = momentsOf((i) => Math.sqrt(i), count);
    expect(mean / ((2 / 3) * Math.sqrt(count))).toBeCloseTo(1, 6);
    expect(std / Math.sqrt(count / 2 - (4 / 9) * count)).toBeCloseTo(1, 5);
  });
});
