import { describe, expect, it } from 'vitest';
import { Frequencies, sineOfMultiple } from '../../../src/js/sinusoid.js';
import * as precise from '../../../tools/high-precision.mjs';

describe('sineOfMultiple', () => {
  it('is right to 4e-16 up to position 2^40, and near the zeros to as many digits', () => {
    const positions = [0, 1, 2, 3, 22, 355, 710, 1499, 65_535, 1e6 + 3, 2 ** 31 - 1, 2 ** 40 - 87];
    for (const position of positions) {
      for (const [high, low] of [
        [1, 0],
        [0.9786, 3.1e-17],
        [1e-4, -4e-21],
        [1 / 3, 1.85e-17],
      ] as const) {
        const angle = BigInt(position) * (precise.fromNumber(high) + precise.fromNumber(low));
        for (const [quarters, of] of [
          [0, precise.sin],
          [1, precise.cos],
        ] as const) {
          const truth = precise.toNumber(of(angle));
          const found = sineOfMultiple(position, high, low, quarters);
          expect(Math.abs(found - truth), `${quarters} of ${position}·${high}`).toBeLessThanOrEqual(
            4e-16 * Math.abs(truth),
          );
        }
      }
    }
  });

  it('starts with +0 and 1', () => {
    expect(Object.is(sineOfMultiple(0, 1, 0, 0), 0)).toBe(true);
    expect(sineOfMultiple(0, 1, 0, 1)).toBe(1);
  });
});

describe('Frequencies', () => {
  it('are powers of the timescale, to 85 bits', () => {
    for (const [timescale, steps] of [
      [10_000, 639],
      [10_000, 2],
      [2, 7],
      [1e30, 100],
      [1.000001, 3],
    ] as const) {
      const found = new Frequencies(timescale, steps, steps + 1);
      const ln = precise.log(precise.fromNumber(timescale));
      for (const k of [steps, 0, 1, Math.floor(steps / 2)]) {
        found.select(k);
        const truth = precise.exp((-ln * BigInt(k)) / BigInt(steps));
        const error = precise.fromNumber(found.high) + precise.fromNumber(found.low) - truth;
        expect(Math.abs(precise.toNumber(precise.div(error, truth)))).toBeLessThan(2 ** -85);
      }
    }
  });

  it('are the same whatever was asked for before, and where there are more than are kept', () => {
    const [once, often] = [
      new Frequencies(10_000, 2 ** 31, 2 ** 31),
      new Frequencies(10_000, 2 ** 31, 2 ** 31),
    ];
    for (const k of [7, 300, 2 ** 20 + 3, 2 ** 20 + 300, 2 ** 31 - 1, 7, 2 ** 20 + 3]) {
      const alone = new Frequencies(10_000, 2 ** 31, 2 ** 31);
      for (const found of [alone, often, once]) found.select(k);
      once.select(k);
      expect([often.high, often.low]).toEqual([alone.high, alone.low]);
      expect([once.high, once.low]).toEqual([alone.high, alone.low]);
    }
  });
});
