import { describe, expect, test } from 'vitest';
import type { DType } from '../../../../src/dtype.js';
import { fillSync, type normal, toFloat32 } from '../../../../src/index.js';
import { lawOf, parseInitializer } from '../../../../src/initializers/index.js';
import { judge, type Verdict } from '../../../../src/model/verify/judge.js';
import type { Measurement } from '../../../../src/model/verify/measure.js';

function measured(values: ArrayLike<number>): Measurement {
  const list = Array.from(values);
  const n = list.length;
  const mean = list.reduce((a, b) => a + b, 0) / n;
  const power = (k: number): number => list.reduce((a, b) => a + (b - mean) ** k, 0) / n;
  const [min, max] = [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))];
  return {
    count: n,
    nonFinite: 0,
    mean,
    std: Math.sqrt(power(2)),
    kurtosis: power(4) / power(2) ** 2,
    min,
    max,
  };
}

const SHAPE = [200, 500];
const N = 100_000;

function values(init: object, dtype: DType, seed = 1): Float32Array | Float64Array {
  const tensor = fillSync('w', SHAPE, init as ReturnType<typeof normal>, { seed, dtype, device: 'js' });
  return dtype === 'float64' ? (tensor.data as Float64Array) : toFloat32(tensor.data, dtype);
}

function verdict(init: object, data: ArrayLike<number>, dtype: DType = 'float32'): Verdict {
  const law = lawOf(parseInitializer(init, 'init'), { name: 'w', shape: SHAPE });
  return judge(measured(data), law, dtype, 'w');
}

const LAWS = [
  { kind: 'normal', mean: 0.5, std: 0.02 },
  { kind: 'uniform', min: -1, max: 3 },
  { kind: 'truncatedNormal' },
  { kind: 'truncatedNormal', sigmas: [1.5, null] },
  { kind: 'heNormal' },
  { kind: 'constant', value: 0.1 },
];
const DTYPES: DType[] = ['float64', 'float32', 'float16', 'bfloat16'];

describe.each(LAWS)('$kind', (init) => {
  test.each(DTYPES)('a right tensor of %s is plausible', (dtype) => {
    expect(verdict(init, values(init, dtype), dtype).plausible).toBe(true);
  });
});

describe('errors are counted in standard errors', () => {
  test.each(LAWS.slice(0, 5))('of $kind: over 60 seeds they have standard deviation 1', (init) => {
    const verdicts = Array.from({ length: 60 }, (_, seed) =>
      verdict(init, values(init, 'float32', seed).subarray(0, 5000)),
    );
    for (const key of ['meanError', 'stdError'] as const) {
      const squares = verdicts.reduce((total, each) => total + each[key]! ** 2, 0) / verdicts.length;
      // χ² with 60 degrees of freedom is within [0.45, 1.85]·60 but for 1 in 10,000.
      expect(squares, key).toBeGreaterThan(0.45);
      expect(squares, key).toBeLessThan(1.85);
    }
  });

  test('the numbers of a normal', () => {
    const moments = { count: N, nonFinite: 0, kurtosis: 3, min: -1, max: 1 };
    const law = { kind: 'normal', mean: 0, std: 1 } as const;
    const { meanError, stdError } = judge({ ...moments, mean: 0.01, std: 1.01 }, law, 'float32', 'w');
    expect(meanError).toBeCloseTo(0.01 * Math.sqrt(N), 6);
    expect(stdError).toBeCloseTo(0.01 * Math.sqrt(2 * N), 6);
  });
});

describe('a wrong tensor is found', () => {
  const init = { kind: 'normal', std: 0.02 };
  const right = values(init, 'float32');
  test.each([
    ['std 2 % too large', right.map((x) => x * 1.02)],
    ['mean off by a fiftieth of a sigma', right.map((x) => x + 0.0004)],
    ['all zeros', new Float32Array(N)],
    ['uniform of another std', values({ kind: 'uniform', min: -0.02, max: 0.02 }, 'float32')],
  ])('%s', (_, data) => {
    expect(verdict(init, data).plausible).toBe(false);
  });

  test('one value beyond the bounds, a constant that is not, a NaN', () => {
    const uniform = { kind: 'uniform', min: 0, max: 1 };
    expect(verdict(uniform, values(uniform, 'float32').with(3, 1)).plausible).toBe(false);
    expect(verdict({ kind: 'ones' }, new Float32Array(N).fill(1).with(3, 1.0000001)).plausible).toBe(false);
    const law = { kind: 'normal', mean: 0, std: 1 } as const;
    const moments = { count: 3, nonFinite: 1, mean: 0, std: 1, kurtosis: 3, min: 0, max: 0 };
    expect(judge(moments, law, 'float32', 'w').plausible).toBe(false);
  });
});

test('few elements: the mean is judged, the standard deviation is not; none: nothing is', () => {
  const law = { kind: 'normal', mean: 0, std: 1 } as const;
  const few = { count: 10, nonFinite: 0, mean: 0.1, std: 3, kurtosis: 3, min: -1, max: 1 };
  expect(judge(few, law, 'float32', 'w')).toMatchObject({ stdError: null, plausible: true });
  expect(judge({ ...few, mean: 2 }, law, 'float32', 'w').plausible).toBe(false);
  const none = {
    count: 0,
    nonFinite: 0,
    mean: Number.NaN,
    std: Number.NaN,
    kurtosis: 3,
    min: Number.NaN,
    max: Number.NaN,
  };
  expect(judge(none, law, 'float32', 'w')).toMatchObject({ meanError: null, plausible: true });
});

describe('16-bit values of a law narrower than their grid', () => {
  test.each([
    [{ kind: 'uniform', min: 1, max: 1.01 }, 'bfloat16'],
    [{ kind: 'normal', mean: 0, std: 1e-8 }, 'float16'],
    [{ kind: 'normal', mean: 3, std: 0.001 }, 'bfloat16'],
  ] as const)('%j in %s are what the law gives', (init, dtype) => {
    const data = values(init, dtype);
    expect(verdict(init, data, dtype).plausible).toBe(true);
    // In float32 the same numbers would be wrong, and further off they are wrong in any dtype.
    expect(verdict(init, data, 'float32').plausible).toBe(false);
    expect(
      verdict(
        init,
        data.map((x) => x * 3 + 1),
        dtype,
      ).plausible,
    ).toBe(false);
  });
});
