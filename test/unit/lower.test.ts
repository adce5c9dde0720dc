import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES, type DType } from '../../src/dtype.js';
import { IsometryError } from '../../src/errors.js';
import type { Primitive } from '../../src/job.js';
import { standardNormal } from '../../src/js/normal.js';
import { quantile64 } from '../../src/js/quantile.js';
import type { ElementLaw } from '../../src/law.js';
import { lowerLaw } from '../../src/lower.js';
import { cdf } from '../../src/quantile/normal-law.js';
import { quantileTable } from '../../src/quantile/table.js';
import { AWKWARD_LAWS, randomLaws } from '../stats/bounds.js';

const INF = Number.POSITIVE_INFINITY;
const NARROW: readonly DType[] = ['float32', 'float16', 'bfloat16'];

const uniform = (min: number, max: number): ElementLaw => ({ kind: 'uniform', min, max });
const normal = (mean: number, std: number): ElementLaw => ({ kind: 'normal', mean, std });
const sigmas = (lower: number, upper: number, mean = 0, std = 1, rescale = false): ElementLaw => ({
  kind: 'truncatedNormal',
  mean,
  std,
  bounds: { sigmas: [lower, upper] },
  rescale,
});
const absolute = (a: number, b: number, mean = 0, std = 1): ElementLaw => ({
  kind: 'truncatedNormal',
  mean,
  std,
  bounds: { absolute: [a, b] },
  rescale: false,
});

/** The primitive without its table, which toEqual would print. */
function numbers(primitive: Primitive): object {
  if (primitive.kind !== 'quantile') return primitive;
  const { table: _, ...rest } = primitive;
  return rest;
}

const tableOf = (primitive: Primitive): Float64Array | undefined =>
  primitive.kind === 'quantile' ? primitive.table : undefined;

function refusal(law: ElementLaw, dtype: DType): string {
  try {
    lowerLaw(law, dtype, 'encoder.0.weight');
  } catch (error) {
    expect(error).toBeInstanceOf(IsometryError);
    expect((error as IsometryError).code).toBe('INVALID_OPTION');
    return (error as IsometryError).message;
  }
  throw new Error(`${JSON.stringify(law)} was accepted`);
}

describe('constant', () => {
  it('is rounded to the dtype', () => {
    const value = (dtype: DType): unknown => lowerLaw({ kind: 'constant', value: 0.1 }, dtype, 'w');
    expect(value('float64')).toEqual({ kind: 'constant', value: 0.1 });
    expect(value('float32')).toEqual({ kind: 'constant', value: Math.fround(0.1) });
    expect(value('float16')).toEqual({ kind: 'constant', value: 0.0999755859375 });
    expect(value('bfloat16')).toEqual({ kind: 'constant', value: 0.10009765625 });
  });

  it('that overflows is refused, with the value, the dtype, its limit and the tensor', () => {
    expect(refusal({ kind: 'constant', value: -65520 }, 'float16')).toBe(
      'the value -65520 overflows float16, whose largest value is 65504, in tensor "encoder.0.weight"; ' +
        'use a smaller scale or a wider dtype',
    );
    expect(lowerLaw({ kind: 'constant', value: 65519 }, 'float16', 'w')).toEqual({
      kind: 'constant',
      value: 65504,
    });
    expect(refusal({ kind: 'constant', value: 1e39 }, 'float32')).toContain('1e+39 overflows float32');
  });
});

describe('uniform', () => {
  it('keeps its numbers in float64, and ends one step below max', () => {
    expect(lowerLaw(uniform(0.1, 0.7), 'float64', 'w')).toEqual({
      kind: 'uniform',
      low: 0.1,
      range: 0.7 - 0.1,
      min: 0.1,
      max: 0.7 - 2 ** -53,
    });
  });

  it('rounds low and range to float32, and moves the bounds inside', () => {
    const expected = { kind: 'uniform', low: Math.fround(0.1), range: Math.fround(0.7 - 0.1) };
    // float32(0.1) > 0.1 and float32(0.7) < 0.7: both are within.
    const [min, max] = [Math.fround(0.1), Math.fround(0.7)];
    expect(lowerLaw(uniform(0.1, 0.7), 'float32', 'w')).toEqual({ ...expected, min, max });
    // Steps at 0.1 and 0.7: 2^-14 and 2^-11 in float16, 2^-11 and 2^-8 in bfloat16.
    const float16 = { min: Math.ceil(0.1 * 2 ** 14) * 2 ** -14, max: Math.floor(0.7 * 2 ** 11) * 2 ** -11 };
    expect(lowerLaw(uniform(0.1, 0.7), 'float16', 'w')).toEqual({ ...expected, ...float16 });
    const bfloat16 = { min: Math.ceil(0.1 * 2 ** 11) * 2 ** -11, max: Math.floor(0.7 * 2 ** 8) * 2 ** -8 };
    expect(lowerLaw(uniform(0.1, 0.7), 'bfloat16', 'w')).toEqual({ ...expected, ...bfloat16 });
  });

  it('has no negative zero where a bound is one, or rounds to one', () => {
    for (const dtype of DTYPE_NAMES) {
      for (const law of [uniform(-0, 1), uniform(-1, 0), uniform(-1e-60, 1)]) {
        for (const [name, value] of Object.entries(lowerLaw(law, dtype, 'w'))) {
          expect(Object.is(value, -0), `${name}, ${dtype}`).toBe(false);
        }
      }
    }
  });

  it('takes a single value', () => {
    expect(lowerLaw(uniform(1, 1 + 2 ** -7), 'bfloat16', 'w')).toMatchObject({ min: 1, max: 1 });
  });

  it('without a value of the dtype is refused', () => {
    expect(refusal(uniform(1.001, 1.002), 'bfloat16')).toBe(
      'no bfloat16 value lies in [1.001, 1.002), in tensor "encoder.0.weight"; use wider bounds or a wider dtype',
    );
    expect(refusal(uniform(1.001, 1 + 2 ** -7), 'bfloat16')).toContain('[1.001, 1.0078125)'); // the end is not in
    expect(lowerLaw(uniform(1.001, 1.002), 'float16', 'w')).toMatchObject({
      min: 1.001953125,
      max: 1.001953125,
    });
  });

  it('that overflows is refused: an end, or the range in the arithmetic', () => {
    expect(refusal(uniform(-65505, 0), 'float16')).toContain('uniform on [-65505, 0) overflows float16');
    expect(refusal(uniform(0, 1e39), 'bfloat16')).toContain('overflows bfloat16');
    expect(refusal(uniform(-2e38, 2e38), 'float32')).toContain('overflows float32');
    expect(refusal(uniform(-1e308, 1e308), 'float64')).toContain('overflows float64');
    expect(lowerLaw(uniform(-65504, 65504), 'float16', 'w')).toMatchObject({ range: 131008, max: 65472 });
    expect(lowerLaw(uniform(-1.7e38, 1.7e38), 'float32', 'w')).toMatchObject({ kind: 'uniform' });
  });
});

describe('normal', () => {
  it('is a word of float32, a table of float64', () => {
    for (const dtype of NARROW) {
      expect(lowerLaw(normal(0.3, 0.02), dtype, 'w')).toEqual({
        kind: 'normal',
        mean: Math.fround(0.3),
        std: Math.fround(0.02),
      });
    }
    const primitive = lowerLaw(normal(0.3, 0.02), 'float64', 'w');
    expect(numbers(primitive)).toEqual({ kind: 'quantile', mean: 0.3, std: 0.02, min: -INF, max: INF });
    expect(tableOf(primitive)).toBe(quantileTable(-INF, INF));
  });

  it('is refused where its farthest value overflows: 6.4 σ, in float64 9.2 σ', () => {
    expect(-standardNormal(0)).toBeLessThan(6.4);
    expect(-quantile64(0, 0, quantileTable(-INF, INF))).toBeLessThan(9.2);
    expect(refusal(normal(0, 10236), 'float16')).toBe(
      'a normal of mean 0 and std 10236 overflows float16, whose largest value is 65504, in tensor ' +
        '"encoder.0.weight"; use a smaller scale or a wider dtype',
    );
    expect(lowerLaw(normal(0, 10234), 'float16', 'w').kind).toBe('normal');
    expect(refusal(normal(-65000, 100), 'float16')).toContain('mean -65000 and std 100');
    expect(refusal(normal(0, 1e38), 'float32')).toContain('overflows float32');
    expect(refusal(normal(0, 2e307), 'float64')).toContain('overflows float64');
  });

  it('survives a std below the smallest float32', () => {
    expect(lowerLaw(normal(0.5, 1e-60), 'float32', 'w')).toEqual({ kind: 'normal', mean: 0.5, std: 0 });
  });
});

describe('truncated normal, which way it is drawn', () => {
  it.each([
    ['±2σ', sigmas(-2, 2), 'truncatedNormal'],
    ['one-sided', sigmas(-1, INF), 'truncatedNormal'],
    ['half', sigmas(-INF, 0), 'truncatedNormal'],
    ['a little more than a quarter of the mass', sigmas(-0.31865, 0.31865), 'truncatedNormal'],
    ['a little less', sigmas(-0.31863, 0.31863), 'quantile'],
    ['far out', sigmas(8, INF), 'quantile'],
    ['±100σ', absolute(-2, 2, 0, 0.02), 'normal'],
    ['±6.4σ, which a rounded value could leave', sigmas(-6.4, 6.4), 'truncatedNormal'],
    ['±6.5σ', sigmas(-6.5, 6.5), 'normal'],
    ['±6.5σ about 100, where a bfloat16 step is σ/2', sigmas(-6.5, 6.5, 100), 'truncatedNormal'],
    ['±1000σ, σ below the step of float16', sigmas(-1000, 1000, 0, 1e-12), 'truncatedNormal'],
  ])('%s', (_name, law, kind) => {
    for (const dtype of NARROW) expect(lowerLaw(law, dtype, 'w').kind).toBe(kind);
    expect(lowerLaw(law, 'float64', 'w').kind).toBe('quantile');
  });

  it('has the threshold at a quarter of the mass', () => {
    expect(cdf(0.31865) - cdf(-0.31865)).toBeGreaterThan(0.25);
    expect(cdf(0.31863) - cdf(-0.31863)).toBeLessThan(0.25);
  });

  it('draws from exactly the words whose middle lies within the bounds', () => {
    for (const [lower, upper] of [
      [-2, 2],
      [-1, INF],
      [-INF, 0],
      [0, INF],
      [-0.5, 3],
      [-6, 0.1],
    ] as const) {
      const primitive = lowerLaw(sigmas(lower, upper), 'float32', 'w');
      if (primitive.kind !== 'truncatedNormal') throw new Error(primitive.kind);
      const { base, count } = primitive;
      const middle = (word: number): number => (word + 0.5) / 2 ** 32;
      if (lower !== -INF) {
        expect(middle(base)).toBeGreaterThanOrEqual(cdf(lower));
        expect(middle(base - 1)).toBeLessThan(cdf(lower));
      } else expect(base).toBe(0);
      if (upper !== INF) {
        expect(middle(base + count - 1)).toBeLessThanOrEqual(cdf(upper));
        expect(middle(base + count)).toBeGreaterThan(cdf(upper));
      } else expect(base + count).toBe(2 ** 32);
    }
    // All words together would not fit into 32 bits: the last is left out.
    expect(lowerLaw(sigmas(-6.4, 6.4), 'float32', 'w')).toMatchObject({ base: 0, count: 2 ** 32 - 1 });
  });

  it('is the same for 16 bits as for 32, but for the bounds', () => {
    const laws: ElementLaw[] = [...AWKWARD_LAWS, ...randomLaws(60)];
    let compared = 0;
    for (const law of laws) {
      const primitives = NARROW.flatMap((dtype) => {
        try {
          return [lowerLaw(law, dtype, 'w')];
        } catch {
          return [];
        }
      });
      const drawn = primitives.filter(({ kind }) => kind !== 'constant');
      for (const primitive of drawn) {
        expect({ ...numbers(primitive), min: 0, max: 0 }).toEqual({ ...numbers(drawn[0]!), min: 0, max: 0 });
        expect(tableOf(primitive)).toBe(tableOf(drawn[0]!));
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(150);
  });

  it('never makes a number that is none', () => {
    for (const law of [...AWKWARD_LAWS, ...randomLaws(60)]) {
      for (const dtype of DTYPE_NAMES) {
        let primitive: Primitive;
        try {
          primitive = lowerLaw(law, dtype, 'w');
        } catch (error) {
          expect(error).toBeInstanceOf(IsometryError);
          continue;
        }
        for (const [name, value] of Object.entries(primitive)) {
          if (typeof value === 'number') expect(value, `${name} of ${JSON.stringify(law)}`).not.toBeNaN();
        }
        if (primitive.kind === 'quantile') expect(primitive.table.every(Number.isFinite)).toBe(true);
      }
    }
  });
});
