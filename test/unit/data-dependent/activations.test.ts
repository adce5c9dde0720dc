import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureActivations } from '../../../src/data-dependent/activations.js';

const measure = (activations: unknown, outputs?: number, signal?: AbortSignal) =>
  measureActivations(activations, '"fc"', outputs, signal);
const failing =
  (code: string, ...texts: string[]) =>
  (error: { code: string; message: string }) => {
    expect(error.code).toBe(code);
    for (const text of [...texts, '"fc"']) expect(error.message).toContain(text);
    return true;
  };

describe('measureActivations', () => {
  it('knows the moments of a few numbers', async () => {
    expect(await measure([1, 2, 3, 4])).toEqual({ count: 4, mean: 2.5, std: Math.sqrt(1.25) });
    expect(await measure(Float32Array.of(-1, 1))).toEqual({ count: 2, mean: 0, std: 1 });
    expect(await measure(new Float64Array(3).fill(0.1))).toEqual({ count: 3, mean: 0.1, std: 0 });
    const batches = [Array(3).fill(0.1), Array(7).fill(0.1), [0.1]];
    expect(await measure(batches)).toEqual({ count: 11, mean: 0.1, std: 0 });
  });

  it('is the same whether the values come at once, in batches, or in batches that take time', async () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    const batches = fc.array(fc.array(value, { maxLength: 9 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(batches, async (parts) => {
        const all = parts.flat();
        fc.pre(all.length > 1);
        const mean = all.reduce((sum, x) => sum + x, 0) / all.length;
        const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
        async function* later() {
          for (const part of parts) yield Float64Array.from(part);
        }
        function* typed() {
          for (const part of parts) yield Float64Array.from(part);
        }
        for (const activations of [all, Float64Array.from(all), parts, new Set(parts), typed(), later()]) {
          const moments = await measure(activations);
          expect(moments.count).toBe(all.length);
          expect(moments.mean).toBeCloseTo(mean, 9);
          // The square root of a rounding error of 1e-16 · 100² is 1e-6.
          expect(moments.std).toBeCloseTo(Math.sqrt(variance), 5);
        }
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it('does not lose a small spread beside a large mean', async () => {
    const batch = (sign: number) =>
      Float64Array.from({ length: 100 }, (_, i) => 1e9 + sign * (i % 2 ? 1 : 3));
    const { mean, std } = await measure([batch(1), batch(-1)]);
    expect(mean).toBe(1e9);
    expect(std).toBeCloseTo(Math.sqrt(5), 9);
  });

  it('takes arrays of another realm', async () => {
    expect((await measure(runInNewContext('Float32Array.of(1, 3)'))).std).toBe(1);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 3],
    ['text', '1, 2'],
    ['an object', { data: [1, 2] }],
    ['integers', Int32Array.of(1, 2)],
    ['a buffer', new ArrayBuffer(8)],
    ['text in batches', ['1', '2']],
    ['nothing in a batch', [[1, 2], undefined]],
    ['batches of batches', [[[1, 2]]]],
    ['not only numbers', [1, '2']],
    ['a hole', [1, ...Array(1), 2]],
    ['bigints', BigInt64Array.of(1n, 2n)],
  ])('refuses %s', async (_, activations) => {
    await expect(measure(activations)).rejects.toSatisfy(failing('INVALID_ARGUMENT', 'received'));
  });

  it('says what to do with bit patterns, and which batch is wrong', async () => {
    await expect(measure(Uint16Array.of(1, 2))).rejects.toThrow('toFloat32');
    await expect(measure([[1], [2], 'three'])).rejects.toThrow('batch 2 of');
  });

  it.each([
    ['nothing', [], 1, '2 or more'],
    ['empty batches', [[], []], 1, '2 or more'],
    ['one value', [5], 1, '2 or more'],
    ['no multiple of the units', [1, 2, 3], 2, 'a multiple of 2'],
    ['one sample of one unit', [1], 1, 'every sample'],
  ])('refuses %s', async (_, activations, outputs, text) => {
    await expect(measure(activations, outputs)).rejects.toSatisfy(failing('INVALID_ARGUMENT', text));
  });

  it('takes a multiple of the units', async () => {
    expect(
      (
        await measure(
          [
            [1, 2],
            [3, 4, 5, 6],
          ],
          3,
        )
      ).count,
    ).toBe(6);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %s', async (bad) => {
    const activations = [Float32Array.of(1, 2, 3), Float32Array.of(4, bad)];
    await expect(measure(activations)).rejects.toSatisfy(failing('ACTIVATION_ERROR', `received ${bad} at 4`));
    await expect(measure([bad, 1])).rejects.toSatisfy(failing('ACTIVATION_ERROR', 'at 0'));
  });

  it('stops between batches, and closes the generator', async () => {
    const controller = new AbortController();
    let [given, closed] = [0, false];
    async function* batches() {
      try {
        for (;;) {
          given++;
          if (given === 3) controller.abort(new Error('enough'));
          yield [1, 2];
        }
      } finally {
        closed = true;
      }
    }
    await expect(measure(batches(), 1, controller.signal)).rejects.toThrow('enough');
    expect([given, closed]).toEqual([3, true]);
  });

  it('passes on what a generator throws', async () => {
    function* batches() {
      yield [1, 2];
      throw new RangeError('mine');
    }
    await expect(measure(batches())).rejects.toThrow(new RangeError('mine'));
  });
});
