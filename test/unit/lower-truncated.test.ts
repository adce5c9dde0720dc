// src/lower.ts on truncated normals: their bounds, what is degenerate about them, and their moments.
import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES, type DType } from '../../src/dtype.js';
import { IsometryError } from '../../src/errors.js';
import type { Primitive } from '../../src/job.js';
import { standardNormal, truncateWord } from '../../src/js/normal.js';
import { quantile32 } from '../../src/js/quantile.js';
import type { ElementLaw } from '../../src/law.js';
import { lowerLaw, truncatedStd } from '../../src/lower.js';
import { lawMoments } from '../../src/moments.js';
import { cdf } from '../../src/quantile/normal-law.js';
import { quantileTable } from '../../src/quantile/table.js';

const INF = Number.POSITIVE_INFINITY;

const truncated = (
  bounds: { sigmas: readonly [number, number] } | { absolute: readonly [number, number] },
  mean = 0,
  std = 1,
  rescale = false,
): ElementLaw => ({ kind: 'truncatedNormal', mean, std, bounds, rescale });

function refusal(law: ElementLaw, dtype: DType): string {
  try {
    lowerLaw(law, dtype, 'head.weight');
  } catch (error) {
    expect(error).toBeInstanceOf(IsometryError);
    expect((error as IsometryError).code).toBe('INVALID_OPTION');
    return (error as IsometryError).message;
  }
  throw new Error(`${JSON.stringify(law)} was accepted`);
}

function parts(law: ElementLaw, dtype: DType): Extract<Primitive, { kind: 'truncatedNormal' | 'quantile' }> {
  const primitive = lowerLaw(law, dtype, 'w');
  if (primitive.kind !== 'truncatedNormal' && primitive.kind !== 'quantile') throw new Error(primitive.kind);
  return primitive;
}

describe('bounds', () => {
  it('are the values of the dtype just inside, both ends included', () => {
    const law = truncated({ absolute: [-0.3, 0.7] }, 0.1, 0.4);
    const bounds = (dtype: DType): number[] => [parts(law, dtype).min, parts(law, dtype).max];
    expect(bounds('float64')).toEqual([-0.3, 0.7]);
    // float32(-0.3) is below -0.3, so the next one up; float32(0.7) is below 0.7.
    expect(bounds('float32')).toEqual([Math.fround(-0.3) + 2 ** -25, Math.fround(0.7)]);
    expect(bounds('float16')).toEqual([
      -Math.floor(0.3 * 2 ** 12) / 2 ** 12,
      Math.floor(0.7 * 2 ** 11) / 2 ** 11,
    ]);
    expect(bounds('bfloat16')).toEqual([
      -Math.floor(0.3 * 2 ** 9) / 2 ** 9,
      Math.floor(0.7 * 2 ** 8) / 2 ** 8,
    ]);
    const whole = truncated({ absolute: [-1, 2] });
    for (const dtype of DTYPE_NAMES) expect(parts(whole, dtype)).toMatchObject({ min: -1, max: 2 });
  });

  it('in sigmas follow mean, std and the rescaling', () => {
    expect(parts(truncated({ sigmas: [-2, 2] }, 1, 0.5), 'float64')).toMatchObject({
      min: 0,
      max: 2,
      std: 0.5,
    });
    const rescaled = parts(truncated({ sigmas: [-2, 2] }, 0, 0.5, true), 'float64');
    expect(rescaled.std).toBeCloseTo(0.5 / 0.87962566103423978, 14);
    expect(rescaled.max).toBe(2 * rescaled.std);
    expect(rescaled.min).toBe(-2 * rescaled.std);
  });

  it('open on a side stay so', () => {
    for (const dtype of DTYPE_NAMES) {
      expect(parts(truncated({ sigmas: [-1, INF] }, 1, 2), dtype)).toMatchObject({ min: -1, max: INF });
      expect(parts(truncated({ absolute: [-INF, 3] }, 1, 2), dtype)).toMatchObject({ min: -INF, max: 3 });
    }
  });

  it('without a value of the dtype are refused', () => {
    expect(refusal(truncated({ absolute: [1.001, 1.002] }), 'bfloat16')).toBe(
      'no bfloat16 value lies in [1.001, 1.002], in tensor "head.weight"; use wider bounds or a wider dtype',
    );
    expect(parts(truncated({ absolute: [1.001, 1 + 2 ** -7] }), 'bfloat16')).toMatchObject({
      min: 1 + 2 ** -7,
    });
  });

  it('beyond the dtype are refused only where values would go there', () => {
    const far = truncated({ absolute: [-1e6, 1e6] }, 0, 1);
    for (const dtype of DTYPE_NAMES) expect(() => lowerLaw(far, dtype, 'w')).not.toThrow();
    expect(refusal(truncated({ absolute: [7e4, INF] }, 0, 1), 'float16')).toBe(
      'a normal of mean 0 and std 1 within [70000, Infinity] overflows float16, whose largest value is 65504, ' +
        'in tensor "head.weight"; use a smaller scale or a wider dtype',
    );
    // An open tail counts as reaching 6.4 σ beyond its bound, though so far out it is much shorter.
    expect(refusal(truncated({ absolute: [-INF, -65500] }, 0, 1), 'float16')).toContain('overflows');
    expect(parts(truncated({ absolute: [-65500, -65000] }, 0, 1), 'float16')).toMatchObject({ min: -65472 });
    expect(refusal(truncated({ sigmas: [1e200, 2e200] }), 'float32')).toContain('overflows float32');
    expect(refusal(truncated({ sigmas: [-2, 2] }, 1e308, 1e308), 'float64')).toContain('overflows float64');
  });
});

describe('the degenerate', () => {
  it('bounds at which all mass is in one point give that point', () => {
    // 1/1e-310 sigmas is Infinity in float64.
    for (const dtype of DTYPE_NAMES) {
      const right = truncated({ absolute: [1, 2] }, 0, 1e-310);
      expect(lowerLaw(right, dtype, 'w')).toEqual({ kind: 'constant', value: 1 });
      const left = truncated({ absolute: [-2, -1] }, 0, 1e-310);
      expect(lowerLaw(left, dtype, 'w')).toEqual({ kind: 'constant', value: -1 });
    }
    const off = truncated({ absolute: [1.001, 2] }, 0, 1e-310);
    expect(lowerLaw(off, 'bfloat16', 'w')).toEqual({ kind: 'constant', value: 1 + 2 ** -7 });
    expect(lowerLaw(truncated({ absolute: [1, 1 + 2 ** -52] }, -1e9, 1), 'float64', 'w').kind).toBe(
      'constant',
    );
  });

  it.each([[[0, 5e-324]], [[1e160, 2e160]], [[1e200, INF]], [[-INF, -1e200]]] as const)(
    '%j sigmas cannot be rescaled, but drawn from',
    (bounds) => {
      for (const dtype of DTYPE_NAMES) {
        expect(refusal(truncated({ sigmas: bounds }, 0, 1, true), dtype)).toBe(
          `a normal within [${bounds.join(', ')}] sigmas has too small a standard deviation to be rescaled to 1, ` +
            'in tensor "head.weight"; use wider bounds or rescale: false',
        );
      }
      const primitive = lowerLaw(truncated({ sigmas: bounds }, 0, 1e-160), 'float64', 'w');
      if (primitive.kind === 'quantile') expect(primitive.table.every(Number.isFinite)).toBe(true);
      else expect(primitive).toMatchObject({ kind: 'constant' });
    },
  );

  // Where the bounds are beyond the reach of z but the values' rounding is not, the clamp must stay: the mean's own
  // bfloat16, 1, is out of bounds here.
  it('bounds many sigmas away can still be met by rounding', () => {
    const law = truncated({ absolute: [1.001, 1.0078125] }, 1.003, 1e-4);
    expect(parts(law, 'bfloat16')).toMatchObject({ kind: 'truncatedNormal', min: 1.0078125, max: 1.0078125 });
    expect(parts(law, 'float32').kind).toBe('truncatedNormal');
  });
});

describe('the ways to draw one law agree', () => {
  /** Greatest difference over words everywhere, in units of what one step of the word makes there, plus 1e-6. */
  function worst(word: (w: number) => number, table: (w: number) => number, mass: number): number {
    let most = 0;
    for (let k = 0; k < 20_000; k++) {
      const w = Math.imul(k, 214_748) + 1;
      const [x, y] = [word(w), table(w)];
      const density = Math.exp(-0.5 * y * y) / Math.sqrt(2 * Math.PI);
      most = Math.max(most, Math.abs(x - y) / (1e-6 + (2 ** -32 * Math.max(1, mass)) / density));
    }
    return most;
  }

  it('normal, by a word and by the table', () => {
    const table = quantileTable(-INF, INF);
    expect(worst(standardNormal, (w) => quantile32(w, table), 1)).toBeLessThan(1);
  });

  it.each([
    [-0.332, 0.332],
    [-2, 2],
    [-1, 3],
    [0, 2.5],
    [-INF, 0.5],
    [-0.67, INF],
  ])('truncated to [%d, %d]σ, by a window of words and by the table', (lower, upper) => {
    const primitive = parts(truncated({ sigmas: [lower, upper] }), 'float32');
    if (primitive.kind !== 'truncatedNormal') throw new Error(primitive.kind);
    const { base, count } = primitive;
    const table = quantileTable(lower, upper);
    const word = (w: number): number => standardNormal(truncateWord(w, base, count));
    // Two steps: the window's words are taken whole, and its ends are.
    expect(worst(word, (w) => quantile32(w, table), 2)).toBeLessThan(1);
  });
});

describe('lawMoments', () => {
  it('of constant, uniform and normal', () => {
    expect(lawMoments({ kind: 'constant', value: -3 }, 1)).toEqual({ mean: -3, std: 0 });
    expect(lawMoments({ kind: 'normal', mean: 2, std: 0.5 }, 1)).toEqual({ mean: 2, std: 0.5 });
    const { mean, std } = lawMoments({ kind: 'uniform', min: -1, max: 3 }, 1);
    expect(mean).toBe(1);
    expect(std).toBeCloseTo(2 / Math.sqrt(3), 15);
    expect(lawMoments({ kind: 'uniform', min: 1e308, max: 1.5e308 }, 1).mean).toBe(1.25e308);
  });

  // Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1, 13.10.1; Φ by the Mills ratio.
  it.each([
    [-2, 2],
    [-1, 3],
    [-0.5, 0.25],
    [0.1, 0.3],
    [1, 4],
    [-3, -1],
  ])('of the law truncated to [%d, %d]σ are the closed forms', (a, b) => {
    const density = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
    const mass = cdf(b) - cdf(a);
    const shift = (density(a) - density(b)) / mass;
    const variance = 1 + (a * density(a) - b * density(b)) / mass - shift * shift;
    const { mean, std } = lawMoments(truncated({ sigmas: [a, b] }, 5, 0.5), 1);
    expect(mean).toBeCloseTo(5 + 0.5 * shift, 12);
    expect(std).toBeCloseTo(0.5 * Math.sqrt(variance), 11);
    expect(truncatedStd(a, b)).toBeCloseTo(Math.sqrt(variance), 11);
    const [low, high] = [5 + 0.5 * a, 5 + 0.5 * b];
    const same = lawMoments(truncated({ absolute: [low, high] }, 5, 0.5), 1);
    expect(same.mean).toBeCloseTo(mean, 12);
    expect(same.std).toBeCloseTo(std, 12);
  });

  it('of a rescaled law have its std, and where the bounds are not symmetric another mean', () => {
    for (const bounds of [
      [-2, 2],
      [-1, INF],
      [8, 9],
      [0.1, 0.2],
    ] as const) {
      const { mean, std } = lawMoments(truncated({ sigmas: bounds }, 1, 0.25, true), 1);
      expect(std).toBeCloseTo(0.25, 13);
      if (bounds[0] === -2) expect(mean).toBeCloseTo(1, 14);
      else expect(mean).toBeGreaterThan(1.05);
    }
  });

  it('tend to the exponential law far out, to the uniform law in a narrow window', () => {
    const far = lawMoments(truncated({ sigmas: [1000, INF] }), 1);
    expect((far.mean - 1000) * 1000).toBeCloseTo(1, 5);
    expect(far.std * 1000).toBeCloseTo(1, 5);
    const narrow = lawMoments(truncated({ sigmas: [1, 1.0001] }), 1);
    expect(narrow.std / (0.0001 / Math.sqrt(12))).toBeCloseTo(1, 6);
  });

  it('keep to the last bounds that were asked for', () => {
    const first = truncatedStd(-2, 2);
    expect(truncatedStd(-2, 3)).not.toBe(first);
    expect(truncatedStd(-3, 2)).toBe(truncatedStd(-3, 2));
    expect(truncatedStd(-2, 2)).toBe(first);
    expect(first).toBeCloseTo(0.87962566103423978, 15);
  });
});
