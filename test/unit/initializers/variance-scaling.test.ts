import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Distribution,
  type FanMode,
  lawOf,
  type VarianceScalingOptions,
  varianceScaling,
} from '../../../src/initializers/index.js';
import type { Law } from '../../../src/law.js';

/** Variance of a law made by variance scaling, which is rescaled where it is truncated. */
function variance(law: Law): number {
  if (law.kind === 'uniform') return (law.max - law.min) ** 2 / 12;
  if (law.kind === 'normal') return law.std ** 2;
  if (law.kind === 'truncatedNormal' && law.rescale) return law.std ** 2;
  return Number.NaN;
}

const DISTRIBUTIONS: Distribution[] = ['uniform', 'normal', 'truncatedNormal'];

describe('varianceScaling', () => {
  it('writes its defaults out', () => {
    expect(varianceScaling()).toEqual({
      kind: 'varianceScaling',
      scale: 1,
      mode: 'fanIn',
      distribution: 'truncatedNormal',
    });
  });

  // 3×3 convolution from 128 to 512 channels: fans 1152 and 4608.
  it.each<[FanMode, number]>([
    ['fanIn', 1152],
    ['fanOut', 4608],
    ['fanAvg', 2880],
    ['fanGeoAvg', 2304],
  ])('%s divides the variance by %d', (mode, n) => {
    for (const distribution of DISTRIBUTIONS) {
      const law = lawOf(varianceScaling({ scale: 2, mode, distribution }), {
        name: 'w',
        shape: [512, 128, 3, 3],
      });
      expect(law.kind).toBe(distribution);
      expect(variance(law)).toBeCloseTo(2 / n, 15);
    }
  });

  it('truncates at ±2σ around 0', () => {
    expect(lawOf(varianceScaling(), { name: 'w', shape: [2, 4] })).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: 0.5,
      bounds: { sigmas: [-2, 2] },
      rescale: true,
    });
  });

  it('reads the layout and the groups', () => {
    const at = (shape: number[], layout?: string, groups?: number) =>
      variance(lawOf(varianceScaling({ distribution: 'normal' }), { name: 'w', shape, layout, groups }));
    expect(at([16, 4])).toBeCloseTo(1 / 4, 15);
    expect(at([16, 4], 'IO')).toBeCloseTo(1 / 16, 15);
    expect(at([7, 16, 4])).toBeCloseTo(1 / 64, 15); // a convolution, by default
    expect(at([7, 16, 4], 'EOI')).toBeCloseTo(1 / 4, 15);
    expect(at([16, 4, 9], 'IOL')).toBeCloseTo(1 / 144, 15);
    expect(at([16, 4, 9], 'IOL', 8)).toBeCloseTo(1 / 18, 15);
  });

  it('is finite and positive for every scale and shape, empty ones too', () => {
    const scale = fc.oneof(
      fc.double({ min: 1e-280, max: 1e300, noNaN: true }),
      fc.constantFrom(1e-280, 1e300),
    );
    const mode = fc.constantFrom<FanMode>('fanIn', 'fanOut', 'fanAvg', 'fanGeoAvg');
    const shape = fc.array(fc.nat(1000), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(
        scale,
        mode,
        fc.constantFrom(...DISTRIBUTIONS),
        shape,
        (scale, mode, distribution, shape) => {
          const law = lawOf(varianceScaling({ scale, mode, distribution }), { name: 'w', shape });
          expect(law.kind).toBe(distribution);
          const spread = law.kind === 'uniform' ? law.max - law.min : law.kind === 'constant' ? 0 : law.std;
          expect(spread).toBeGreaterThan(0);
          expect(spread).toBeLessThan(Number.POSITIVE_INFINITY);
        },
      ),
    );
  });

  it.each([0, 5e-324])('of scale %d on a wide tensor is 0', (scale) => {
    for (const distribution of DISTRIBUTIONS) {
      const law = lawOf(varianceScaling({ scale, distribution }), { name: 'w', shape: [4, 4096] });
      expect(law).toEqual({ kind: 'constant', value: 0 });
    }
  });

  it.each<[unknown, string]>([
    [{ scale: -1 }, 'varianceScaling.scale'],
    [{ scale: 1e301 }, 'varianceScaling.scale'],
    [{ scale: Number.NaN }, 'varianceScaling.scale'],
    [{ scale: null }, 'varianceScaling.scale'],
    [{ mode: 'fan_in' }, 'did you mean "fanIn"'],
    [{ mode: null }, 'varianceScaling.mode'],
    [{ distribution: 'truncated_normal' }, 'did you mean "truncatedNormal"'],
    [{ distribution: 'toString' }, 'varianceScaling.distribution'],
  ])('rejects %j', (options, text) => {
    expect(() => varianceScaling(options as VarianceScalingOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });

  it.each([[[]], [[7]], [[1, 1, 1, 1, 1, 1]]])('refuses shape %j, naming the tensor', (shape) => {
    expect(() => lawOf(varianceScaling(), { name: 'h.0.bias', shape })).toThrow(
      expect.objectContaining({ code: 'INVALID_SHAPE', message: expect.stringContaining('"h.0.bias"') }),
    );
  });
});
