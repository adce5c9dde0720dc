import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES, type DType, dtypeInfo } from '../../src/dtype.js';
import { belowTo, ceilTo, floorTo, roundTo } from '../../src/dtype-grid.js';
import { GRIDS } from '../stats/grid.js';

const INF = Number.POSITIVE_INFINITY;

/** All values of a 16-bit dtype, −Infinity to Infinity, one zero, in order. */
function valuesOf(dtype: 'float16' | 'bfloat16'): number[] {
  const positive = [...GRIDS[dtype]].slice(1);
  return [...positive.map((x) => -x).reverse(), 0, ...positive];
}

describe.each(['float16', 'bfloat16'] as const)('all of %s', (dtype) => {
  const values = valuesOf(dtype);

  it('stays where it is, and below is the value before', () => {
    const wrong = values.filter(
      (x, k) =>
        roundTo(dtype, x) !== x ||
        ceilTo(dtype, x) !== x ||
        floorTo(dtype, x) !== x ||
        (k > 0 && belowTo(dtype, x) !== values[k - 1]),
    );
    expect(wrong).toEqual([]);
  });

  it('bounds what lies between two of them', () => {
    const wrong: number[] = [];
    for (let k = 1; k < values.length - 2; k++) {
      const [low, high] = [values[k]!, values[k + 1]!];
      for (const part of [1e-9, 0.25, 0.5, 0.75, 1 - 1e-9]) {
        const x = low + (high - low) * part;
        if (ceilTo(dtype, x) !== high || floorTo(dtype, x) !== low || belowTo(dtype, x) !== low)
          wrong.push(x);
        // Which of the two it is half way, js/round.test.ts says.
        const nearest = part === 0.5 ? [low, high] : part < 0.5 ? [low] : [high];
        if (!nearest.includes(roundTo(dtype, x))) wrong.push(x);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('is bounded beyond its ends', () => {
    const { max } = dtypeInfo(dtype);
    const beyond = max * 1.5;
    expect(ceilTo(dtype, beyond)).toBe(INF);
    expect(floorTo(dtype, beyond)).toBe(max);
    expect(belowTo(dtype, beyond)).toBe(max);
    expect(ceilTo(dtype, -beyond)).toBe(-max);
    expect(floorTo(dtype, -beyond)).toBe(-INF);
    expect(ceilTo(dtype, max * 1.0001)).toBe(INF); // nearer to the largest value
  });
});

describe('float32', () => {
  // Values with all their neighbours known: powers of 2, the subnormals' end, the largest.
  it.each([
    [1, 2 ** -24, 2 ** -23],
    [2 ** -126, 2 ** -149, 2 ** -149],
    [2 ** -149, 2 ** -149, 2 ** -149],
    [3.4028234663852886e38, 2 ** 104, INF],
    [16777216, 1, 2],
  ])('around %d', (x, down, up) => {
    expect(ceilTo('float32', x)).toBe(x);
    expect(floorTo('float32', x)).toBe(x);
    expect(belowTo('float32', x)).toBe(x - down);
    expect(belowTo('float32', -x)).toBe(-(x + up));
    const above = x * (1 + 2 ** -50);
    expect(ceilTo('float32', above)).toBe(x + up);
    expect(floorTo('float32', above)).toBe(x);
    expect(belowTo('float32', above)).toBe(x);
    const under = x * (1 - 2 ** -50);
    expect(ceilTo('float32', under)).toBe(x);
    expect(floorTo('float32', under)).toBe(x - down);
    expect(ceilTo('float32', -under)).toBe(-(x - down) + 0);
  });
});

describe('float64', () => {
  it.each([
    [1, 2 ** -53],
    [2 ** -1022, 2 ** -1074],
    [2 ** -1074, 2 ** -1074],
    [Number.MAX_VALUE, 2 ** 971],
    // The low word of the pattern is 0: stepping borrows from the high one.
    [2 ** -1022 * (1 + 2 ** -20), 2 ** -1074],
    [1 + 2 ** -20, 2 ** -52],
  ])('around %d', (x, down) => {
    expect(roundTo('float64', x)).toBe(x);
    expect(ceilTo('float64', x)).toBe(x);
    expect(floorTo('float64', -x)).toBe(-x);
    expect(belowTo('float64', x)).toBe(x - down);
    expect(-belowTo('float64', -(x - down))).toBe(x);
  });
});

describe('zero', () => {
  it.each(DTYPE_NAMES)('of %s is never negative, and lies between the smallest values', (dtype: DType) => {
    const smallest = { float64: 2 ** -1074, float32: 2 ** -149, float16: 2 ** -24, bfloat16: 2 ** -133 }[
      dtype
    ];
    expect(belowTo(dtype, 0)).toBe(-smallest);
    expect(belowTo(dtype, smallest)).toBe(0);
    expect(belowTo(dtype, -0)).toBe(-smallest);
    for (const zero of [0, -0]) {
      expect(Object.is(ceilTo(dtype, zero), 0)).toBe(true);
      expect(Object.is(floorTo(dtype, zero), 0)).toBe(true);
    }
    if (dtype === 'float64') return;
    expect(ceilTo(dtype, 1e-60)).toBe(smallest);
    expect(Object.is(ceilTo(dtype, -1e-60), 0)).toBe(true);
    expect(Object.is(floorTo(dtype, 1e-60), 0)).toBe(true);
    expect(floorTo(dtype, -1e-60)).toBe(-smallest);
    expect(Object.is(belowTo(dtype, 1e-60), 0)).toBe(true);
  });

  it.each(DTYPE_NAMES)('is as far from the infinities of %s as can be', (dtype: DType) => {
    expect([ceilTo(dtype, INF), floorTo(dtype, INF), belowTo(dtype, INF)]).toEqual([
      INF,
      INF,
      dtypeInfo(dtype).max,
    ]);
    expect([ceilTo(dtype, -INF), floorTo(dtype, -INF)]).toEqual([-INF, -INF]);
  });
});

describe('roundTo', () => {
  it('goes to 16 bits through float32, as a tensor does: a tie there is a tie here', () => {
    expect(roundTo('float16', 1 + 2 ** -11 + 2 ** -30)).toBe(1); // nearer to 1 + 2^-10, but not as a float32
    expect(roundTo('bfloat16', 1 + 2 ** -8 + 2 ** -40)).toBe(1);
    expect(roundTo('bfloat16', 1 + 3 * 2 ** -8)).toBe(1 + 2 ** -6);
    expect(roundTo('float16', 65519.99)).toBe(65504);
    expect(roundTo('float16', 65520)).toBe(INF);
    expect(roundTo('float32', 3.4028235677973366e38)).toBe(INF);
  });
});
