import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseLayer } from '../../../src/data-dependent/layers.js';
import { type Goal, rescale } from '../../../src/data-dependent/rescale.js';
import { ScaledWeights } from '../../../src/data-dependent/scaled-weights.js';

const GOAL: Goal = { target: 1, tolerance: 0.01, maxIterations: 10, keep: false };

/** Rescales a layer of the one weight 1, of which `std` says what standard deviation it leads to. */
async function run(std: (weight: number, pass: number) => number, goal: Partial<Goal> = {}) {
  const weight = Float64Array.of(1);
  const layer = parseLayer({ name: 'fc', weight }, 0);
  const passes: number[] = [];
  const measure = async (iterations: number): Promise<number> => {
    passes.push(iterations);
    return std(weight[0]!, iterations);
  };
  const report = rescale(layer, new ScaledWeights(layer), { ...GOAL, ...goal }, measure);
  return { report: await report.catch((error: Error) => error), weight: weight[0]!, passes };
}

const failing = (text: string) =>
  expect.objectContaining({ code: 'ACTIVATION_ERROR', message: expect.stringContaining(text) });

describe('rescale', () => {
  it('needs one factor for a linear layer, however small or large its signal', async () => {
    for (const slope of [1e-140, 1e-9, 0.3, 7, 1e12, 1e140]) {
      const { report, weight, passes } = await run((w) => slope * w);
      expect(report).toMatchObject({ name: 'fc', iterations: 1, stdBefore: slope, converged: true });
      expect(report).toMatchObject({ scale: weight, stdAfter: slope * weight });
      expect(slope * weight).toBeCloseTo(1, 12);
      expect(passes).toEqual([0, 1]);
    }
  });

  it('leaves a layer alone that is within tolerance', async () => {
    const { report, weight, passes } = await run((w) => 1.009 * w);
    expect(report).toEqual({
      name: 'fc',
      iterations: 0,
      stdBefore: 1.009,
      stdAfter: 1.009,
      scale: 1,
      converged: true,
    });
    expect(weight).toBe(1);
    expect(passes).toEqual([0]);
    expect((await run((w) => 1.011 * w)).report).toMatchObject({ iterations: 1 });
  });

  it('counts the tolerance relative to the target', async () => {
    expect((await run(() => 0.05, { target: 0.05 })).report).toMatchObject({ iterations: 0 });
    const { report } = await run((w) => 0.055 * w, { target: 0.05 });
    expect(report).toMatchObject({ iterations: 1, converged: true });
    expect((report as { stdAfter: number }).stdAfter).toBeCloseTo(0.05, 12);
  });

  it('finds the way past what is added to the layer, within two factors, where the plain rule needs many', async () => {
    const level = 0.99; // of the variance wanted, from a bias or a skip connection
    const std = (w: number): number => Math.sqrt(0.3 * w * w + level);
    const { report } = await run(std, { tolerance: 1e-6 });
    expect(report).toMatchObject({ iterations: 2, converged: true });

    let [plain, w] = [0, 1];
    while (Math.abs(std(w) - 1) > 1e-6 && plain < 1000) {
      w /= std(w);
      plain++;
    }
    expect(plain).toBeGreaterThan(100);
  });

  it('comes to any tolerance where what is added depends on the layer’s input, or a bounded function follows', async () => {
    const slope = fc.double({ min: 0.01, max: 100, noNaN: true });
    const share = fc.double({ min: 0, max: 0.9, noNaN: true });
    const correlation = fc.double({ min: 0, max: 0.5, noNaN: true });
    await fc.assert(
      fc.asyncProperty(slope, share, correlation, async (a, b, c) => {
        const cross = c * a * Math.sqrt(b);
        const mixed = (w: number): number => Math.sqrt(a * a * w * w + 2 * cross * w + b);
        const bounded = (w: number): number => Math.tanh(a * w);
        for (const [std, target] of [
          [mixed, 1],
          [bounded, 0.8],
        ] as const) {
          const { report } = await run(std, { target, tolerance: 1e-4, maxIterations: 30 });
          expect(report).toMatchObject({ converged: true });
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('says that a layer is dead', async () => {
    const { report, weight } = await run(() => 0);
    expect(report).toEqual(failing('layer "fc" but their standard deviation is 0: the layer is dead'));
    expect(weight).toBe(1);
    // And one that dies on the way.
    expect(await run((_, pass) => (pass === 0 ? 5 : 0))).toMatchObject({
      report: failing('dead'),
      weight: 1,
    });
  });

  it('says that forward does not see the weights', async () => {
    expect(await run(() => 0.5)).toMatchObject({
      report: failing('read the weights where they are'),
      weight: 1,
    });
  });

  it.each([
    ['above', 3, 'a bias, a skip connection'],
    ['below', 0.3, 'such as tanh'],
  ])('gives up %s the target after maxIterations, with the weights as they were', async (_, level, text) => {
    const std = (_w: number, pass: number): number => level + 0.001 * pass;
    const { report, weight, passes } = await run(std, { maxIterations: 4 });
    expect(report).toEqual(failing(text));
    expect(report).toEqual(failing("ifNotConverged: 'keep'"));
    expect(weight).toBe(1);
    expect(passes).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps the nearest if asked to', async () => {
    const stds = [3, 2, 1.5, 4, 5];
    const seen: number[] = [];
    const std = (w: number, pass: number): number => {
      seen.push(w);
      return stds[pass]!;
    };
    const { report, weight } = await run(std, { maxIterations: 4, keep: true });
    expect(report).toEqual({
      name: 'fc',
      iterations: 4,
      stdBefore: 3,
      stdAfter: 1.5,
      scale: seen[2],
      converged: false,
    });
    expect(weight).toBe(seen[2]);
  });

  it('keeps the weights as they were if no factor was nearer', async () => {
    const std = (_: number, pass: number): number => 2 + pass;
    const { report, weight } = await run(std, { maxIterations: 2, keep: true });
    expect(report).toMatchObject({ stdAfter: 2, scale: 1, converged: false });
    expect(weight).toBe(1);
  });

  it('says that weights would overflow', async () => {
    const weight = Uint16Array.of(0x3c00); // 1 in float16
    const layer = parseLayer({ name: 'fc', weight, dtype: 'float16' }, 0);
    const report = rescale(layer, new ScaledWeights(layer), GOAL, async () => 1e-5);
    await expect(report).rejects.toEqual(failing('that float16 can hold'));
    expect(weight[0]).toBe(0x3c00);
    expect((await run(() => Number.POSITIVE_INFINITY)).report).toEqual(failing('normalize the data'));
  });

  it('ends where the dtype has nothing nearer', async () => {
    const passes: number[] = [];
    const weight = Uint16Array.of(0x3f80); // 1 in bfloat16; the next is 1.0078
    const layer = parseLayer({ name: 'fc', weight, dtype: 'bfloat16' }, 0);
    const measure = async (iterations: number): Promise<number> => {
      passes.push(iterations);
      return 0.999;
    };
    const goal = { ...GOAL, tolerance: 1e-4 };
    await expect(rescale(layer, new ScaledWeights(layer), goal, measure)).rejects.toEqual(failing('0.999'));
    expect(passes).toEqual([0]);
    const kept = await rescale(layer, new ScaledWeights(layer), { ...goal, keep: true }, measure);
    expect(kept).toMatchObject({ iterations: 0, converged: false });
  });

  it('puts the weights back when a pass fails', async () => {
    const { report, weight } = await run((w, pass) => {
      if (pass === 1) throw new RangeError('mine');
      return 4 * w;
    });
    expect(report).toEqual(new RangeError('mine'));
    expect(weight).toBe(1);
  });
});
