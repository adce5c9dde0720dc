// What an initializer gives for a tensor is distributed as its law says: the whole way from name and shape to elements.
import { afterAll, describe, expect, it } from 'vitest';
import { fillSync } from '../../src/fill.js';
import { lawOf } from '../../src/initializers/index.js';
import type { ElementLaw } from '../../src/law.js';
import { elementCount } from '../../src/shape.js';
import { CASES, type DistributionCase } from './cases.js';
import type { HalfDType } from './grid.js';
import { exactCells, kolmogorovSmirnov, moments } from './marginal.js';
import { ALPHA, extremity, kolmogorovDistance, kolmogorovP } from './statistics.js';
import { N } from './suite.js';

const all: number[] = [];

function accept(ps: number[]): void {
  all.push(...ps);
  expect(extremity(ps), `p = ${ps.join(', ')}`).toBeGreaterThan(ALPHA);
}

function law({ name, shape, initializer, layout, groups }: DistributionCase): ElementLaw {
  return lawOf(initializer, { name, shape, layout, groups });
}

function options(test: DistributionCase): { layout?: string; groups?: number } {
  return {
    ...(test.layout === undefined ? {} : { layout: test.layout }),
    ...(test.groups === undefined ? {} : { groups: test.groups }),
  };
}

const SEEDED = CASES.map((test, seed) => ({ ...test, seed }));

describe('float32', () => {
  it('has a case for each of the 32 seeds, with at least 2^20 elements', () => {
    expect(CASES.length).toBe(32);
    for (const { shape } of CASES) expect(elementCount(shape)).toBeGreaterThanOrEqual(N);
  });

  it.each(SEEDED)('seed $seed: $name', (test) => {
    const { data } = fillSync(test.name, test.shape, test.initializer, { seed: test.seed, ...options(test) });
    accept(kolmogorovSmirnov(data, law(test)));
    accept(moments(data, law(test)));
  });
});

// The laws without fans are enough: the rest is the same numbers on another scale.
const FLAT = SEEDED.filter(({ seed }) => seed < 16);

describe('float64', () => {
  it.each(FLAT)('seed $seed: $name', (test) => {
    const { data } = fillSync(test.name, test.shape, test.initializer, { seed: test.seed, dtype: 'float64' });
    accept(kolmogorovSmirnov(data, law(test)));
    accept(moments(data, law(test)));
  });
});

describe.each<HalfDType>(['bfloat16', 'float16'])('%s, every value by its exact probability', (dtype) => {
  it.each([...FLAT, ...SEEDED.filter(({ name }) => /^(glorotUniform|heNormal, conv)/.test(name))])(
    'seed $seed: $name',
    (test) => {
      const { data } = fillSync(test.name, test.shape, test.initializer, {
        seed: test.seed,
        dtype,
        ...options(test),
      });
      accept(exactCells(data, law(test), dtype));
    },
  );
});

describe('all p-values together', () => {
  it('are uniform themselves', () => {
    const sorted = Float64Array.from(all).sort();
    expect(sorted.length).toBeGreaterThan(100);
    expect(
      kolmogorovP(
        kolmogorovDistance(sorted, (p) => p),
        sorted.length,
      ),
    ).toBeGreaterThan(1e-3);
  });

  afterAll(() => {
    const [least, most] = [Math.min(...all), Math.max(...all)];
    console.log(
      `${all.length} p-values from ${least.toExponential(1)} to 1 - ${(1 - most).toExponential(1)}`,
    );
  });
});
