// Promise: a 16-bit weight is the round-to-nearest-even of the 32-bit weight of the same seed, then clamped.
import { describe, expect, it } from 'vitest';
import type { ElementLaw } from '../../src/law.js';
import { AWKWARD_LAWS, randomLaws } from './bounds.js';
import { Generator } from './generator.js';
import { GRIDS, nearestRank, rankBelow, rankBounds, truncatedRank, upperEdge, valueAt } from './grid.js';
import { roundingViolations } from './rounding.js';
import { NORMAL, TRUNCATED, UNIT } from './suite.js';

const normal = (mean: number, std: number): ElementLaw => ({ kind: 'normal', mean, std });
const constant = (value: number): ElementLaw => ({ kind: 'constant', value });

const LAWS: readonly ElementLaw[] = [
  UNIT,
  NORMAL,
  TRUNCATED,
  normal(0, 1),
  normal(1e-3, 1e-7),
  normal(0, 1e-7), // float16: subnormals
  normal(0, 1e-39), // bfloat16: subnormals
  normal(30000, 4000),
  normal(0, 1e37),
  constant(0),
  constant(0.1),
  constant(-1 / 3),
  constant(65504),
  constant(1 + 2 ** -8), // a tie of bfloat16
  constant(1 + 2 ** -11), // a tie of float16
  constant(1 + 2 ** -11 + 2 ** -30), // a tie of float16 once it is float32
  constant(2 ** -25),
];

describe('a 16-bit weight is the rounded 32-bit weight', () => {
  it('of every kind of law', () => {
    const { violations, tried, refused } = roundingViolations(new Generator(), LAWS, 2 ** 15);
    expect(violations).toEqual([]);
    expect([tried, refused]).toEqual([2 * LAWS.length - 1, 1]); // 1e37 overflows float16
  });

  it('of awkward bounds', () => {
    const { violations, tried } = roundingViolations(new Generator(), AWKWARD_LAWS, 4096);
    expect(violations).toEqual([]);
    expect(tried).toBeGreaterThan(AWKWARD_LAWS.length);
  });

  it('of random bounds', () => {
    const { violations, tried } = roundingViolations(new Generator(), randomLaws(60), 256);
    expect(violations).toEqual([]);
    expect(tried).toBeGreaterThan(60);
  });
});

describe.each(['float16', 'bfloat16'] as const)('the reference for %s', (dtype) => {
  const last = GRIDS[dtype].length - 1;

  it('has every value once, in order, up to Infinity', () => {
    const values = [...GRIDS[dtype]];
    expect(values.filter((value, rank) => rank > 0 && !(value > values[rank - 1]!))).toEqual([]);
    expect(valueAt(dtype, last)).toBe(Number.POSITIVE_INFINITY);
    expect(valueAt(dtype, -last)).toBe(Number.NEGATIVE_INFINITY);
    expect(valueAt(dtype, last - 1)).toBe(dtype === 'float16' ? 65504 : 3.3895313892515355e38);
  });

  it('rounds values to themselves, ties to even, the largest tie to Infinity', () => {
    const wrong: number[] = [];
    for (let rank = -last + 1; rank < last; rank++) {
      const edge = upperEdge(dtype, rank);
      const hair = Math.abs(edge) * 1e-9;
      const ranks = [
        nearestRank(dtype, valueAt(dtype, rank)),
        rankBelow(dtype, valueAt(dtype, rank)),
        nearestRank(dtype, edge - hair),
        nearestRank(dtype, edge + hair) - 1,
      ];
      if (ranks.some((found) => found !== rank) || nearestRank(dtype, edge) % 2 !== 0) wrong.push(rank);
    }
    expect(wrong).toEqual([]);
    expect(nearestRank(dtype, upperEdge(dtype, last - 1))).toBe(last);
  });

  it('takes the same value for a float32 without a search', () => {
    const wrong: number[] = [];
    for (let k = 0; k < 20_000; k++) {
      const x = Math.fround((k % 2 === 0 ? 1 : -1) * (1 + k / 33333) * 2 ** ((k % 31) - 15));
      const low = rankBelow(dtype, x);
      const up = valueAt(dtype, low + 1) - x < x - valueAt(dtype, low);
      if (nearestRank(dtype, x) !== (up ? low + 1 : low) && x !== upperEdge(dtype, low)) wrong.push(x);
      if (truncatedRank(dtype, x) !== (x < 0 && valueAt(dtype, low) !== x ? low + 1 : low)) wrong.push(x);
    }
    expect(wrong).toEqual([]);
  });

  it('bounds from inside', () => {
    const bounds = (lower: number, upper: number, endOpen: boolean): number[] =>
      rankBounds(dtype, { lower, upper, endOpen }).map((rank) => valueAt(dtype, rank));
    const step = dtype === 'float16' ? 2 ** -10 : 2 ** -7;
    expect(bounds(1, 2, false)).toEqual([1, 2]);
    expect(bounds(1, 2, true)).toEqual([1, 2 - step]);
    expect(bounds(1 + step / 9, 2 + step / 9, true)).toEqual([1 + step, 2]);
    expect(bounds(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, false)[1]).toBe(GRIDS[dtype][last - 1]);
  });
});
