// Promise: bounds hold in the output dtype. Where the random words are extreme, so are the values.
import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES } from '../../src/dtype.js';
import { philoxBlocks, philoxKeys } from '../../src/js/philox.js';
import { AWKWARD_LAWS, boundsViolations, limits, randomLaws } from './bounds.js';
import { EXTREME_PLACES, placeOf } from './extreme-words.js';
import { Generator } from './generator.js';

describe('no value leaves its bounds', () => {
  it('of awkward laws', () => {
    const { violations, tried } = boundsViolations(new Generator(), AWKWARD_LAWS);
    expect(violations).toEqual([]);
    expect(tried).toBeGreaterThan(3 * AWKWARD_LAWS.length);
  });

  it('of random laws, whatever lies between two values of a dtype', () => {
    const count = 120;
    const { violations, tried, refused } = boundsViolations(new Generator(), randomLaws(count));
    expect(violations).toEqual([]);
    expect(tried + refused).toBe(DTYPE_NAMES.length * count);
    expect(tried).toBeGreaterThan(3 * count);
    expect(refused).toBeGreaterThan(10);
  });

  it('and the laws are as awkward as they seem: ends between values, means out of bounds', () => {
    const laws = [...randomLaws(120)];
    const offGrid = laws.filter((law) => {
      const [min, max] = limits(law);
      return Math.fround(min) !== min && Math.fround(max) !== max;
    });
    expect(offGrid.length).toBeGreaterThan(80);
    const outside = laws.filter((law) => law.kind === 'truncatedNormal' && law.mean < limits(law)[0]);
    expect(outside.length).toBeGreaterThan(10);
  });
});

describe('extreme words', () => {
  it('stand where they are said to', () => {
    const words = new Int32Array(4);
    for (const [k, first] of [0, -1, 0x7fffffff, -0x80000000, 0, 0xff].entries()) {
      const { seed, stream, block } = EXTREME_PLACES[k]!;
      philoxBlocks(philoxKeys(seed), stream, block, 1, words);
      expect(words[0]).toBe(first);
    }
    const { seed, stream, block } = placeOf([1, 2, 3, 4]);
    philoxBlocks(philoxKeys(seed), stream, block, 1, words);
    expect([...words]).toEqual([1, 2, 3, 4]);
    expect(block).toBeLessThan(2 ** 51);
  });

  it('reach the ends: without the clamp a uniform gives its end', () => {
    const unclamped = new Generator({
      primitive: (primitive) =>
        primitive.kind === 'uniform' ? { ...primitive, max: Number.POSITIVE_INFINITY } : primitive,
    });
    const found = (min: number, max: number): string[] =>
      boundsViolations(unclamped, [{ kind: 'uniform', min, max }]).violations.map(
        (text) => text.split(' ').at(-1)!,
      );
    expect(found(0, 1)).toEqual(['float16', 'bfloat16']);
    expect(found(1, 2)).toEqual(['float64', 'float32', 'float16', 'bfloat16']); // 2 less half a step: a tie, to even
  });
});
