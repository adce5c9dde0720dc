import { add, type DoubleDouble, divide, exp, multiply, productError, sumError } from './double-double.js';
import { log } from './log.js';

/** π/2 as a sum of three float64: 160 bits. */
const HALF_PI_1 = 1.5707963267948966;
const HALF_PI_2 = 6.123233995736766e-17;
const HALF_PI_3 = -1.4973849048591833e-33;

/** 1/n! for n = 0 … 18. */
const INVERSE_FACTORIALS: Float64Array = new Float64Array(19);
for (let n = 0, factorial = 1; n < 19; n++, factorial *= n) INVERSE_FACTORIALS[n] = 1 / factorial;
const [SIN_3, SIN_5, SIN_7, SIN_9, SIN_11, SIN_13, SIN_15, SIN_17] = [3, 5, 7, 9, 11, 13, 15, 17].map(
  (n) => INVERSE_FACTORIALS[n]!,
) as [number, number, number, number, number, number, number, number];
const [COS_4, COS_6, COS_8, COS_10, COS_12, COS_14, COS_16, COS_18] = [4, 6, 8, 10, 12, 14, 16, 18].map(
  (n) => INVERSE_FACTORIALS[n]!,
) as [number, number, number, number, number, number, number, number];

/**
 * Sine (`quarters` 0) or cosine (1) of position·(high + low), a position being a whole number from 0 to 2^53 and the
 * frequency from 0 to 1, to 104 bits: absolute error below 4e-16 up to position 2^40, and where the angle is small also
 * relative to the result.
 */
export function sineOfMultiple(position: number, high: number, low: number, quarters: 0 | 1): number {
  const product = position * high;
  const rest = productError(position, high, product) + position * low;
  // The angle less k quarter turns; the first difference is exact, as its terms are within a factor of 2 (Sterbenz).
  const k = Math.floor(product / HALF_PI_1 + 0.5);
  const first = k * HALF_PI_1;
  const second = k * HALF_PI_2;
  const a = product - first;
  const b = -productError(k, HALF_PI_1, first);
  const c = a + b;
  const d = c - second;
  const small =
    sumError(a, b, c) + sumError(c, -second, d) - productError(k, HALF_PI_2, second) - k * HALF_PI_3 + rest;
  const r = d + small;
  const error = sumError(d, small, r);
  const turns = k + quarters - 4 * Math.floor((k + quarters) / 4);
  const value = turns % 2 === 0 ? sineNear0(r, error) : cosineNear0(r, error);
  return turns < 2 ? value : -value;
}

/** sin(r + error) for |r| ≤ π/4 and an error of at most half a unit in its last place. */
function sineNear0(r: number, error: number): number {
  const z = r * r;
  const tail =
    z * (SIN_5 - z * (SIN_7 - z * (SIN_9 - z * (SIN_11 - z * (SIN_13 - z * (SIN_15 - z * SIN_17)))))); // r^19/19! < 1e-19
  return r + (error * (1 - 0.5 * z) - r * z * (SIN_3 - tail));
}

/** cos(r + error), likewise. */
function cosineNear0(r: number, error: number): number {
  const z = r * r;
  const half = 0.5 * z;
  const rounded = 1 - half;
  const tail =
    z *
    z *
    (COS_4 -
      z * (COS_6 - z * (COS_8 - z * (COS_10 - z * (COS_12 - z * (COS_14 - z * (COS_16 - z * COS_18))))))); // r^20/20! < 1e-20
  return rounded + (1 - rounded - half + (tail - r * error));
}

/** Frequencies are products of one of every 256th and one of the first 256: each takes microseconds to compute. */
const BLOCK = 256;

/** So many of every 256th are kept: those of a million frequencies. */
const MOST_KEPT = 4096;

/** The frequencies maxTimescale^(−k/steps), k = 0, 1, …, each a sum of two float64, to 85 bits. */
export class Frequencies {
  private readonly logarithm: DoubleDouble;
  private readonly steps: number;
  /** The first 256, and every 256th; 0 where not yet computed. */
  private readonly fine: Float64Array;
  private readonly coarse: Float64Array;
  private block = -1;
  private blockHigh = 1;
  private blockLow = 0;
  /** The two parts of the frequency that was selected last. */
  high = 1;
  low = 0;

  /**
   * @param maxTimescale - from 1 to 1e30.
   * @param count - of frequencies that will be asked for, or more.
   */
  constructor(maxTimescale: number, steps: number, count: number) {
    const near = log(maxTimescale);
    const power = exp({ high: near, low: 0 });
    // One step of Newton's method doubles the digits: ln T ≈ y + (T − e^y)/e^y.
    const correction = (maxTimescale - power.high - power.low) / maxTimescale;
    this.logarithm = add({ high: near, low: 0 }, { high: correction, low: 0 });
    this.steps = steps;
    this.fine = new Float64Array(2 * Math.min(count, BLOCK));
    this.coarse = new Float64Array(2 * Math.min(Math.ceil(count / BLOCK), MOST_KEPT));
  }

  /** Sets `high` and `low`. */
  select(k: number): void {
    const fine = k % BLOCK;
    const block = (k - fine) / BLOCK;
    if (block !== this.block) {
      this.keep(this.coarse, block, block * BLOCK);
      this.block = block;
      this.blockHigh = this.high;
      this.blockLow = this.low;
    }
    this.keep(this.fine, fine, fine);
    const { high, low, blockHigh, blockLow } = this;
    const product = high * blockHigh;
    const rest = productError(high, blockHigh, product) + (high * blockLow + low * blockHigh);
    this.high = product + rest;
    this.low = rest - (this.high - product);
  }

  /** Sets `high` and `low` to frequency number `k`, which is number `index` of a table unless that is full. */
  private keep(table: Float64Array, index: number, k: number): void {
    const kept = table[2 * index] ?? 0; // frequencies are > 0
    if (kept > 0) {
      this.high = kept;
      this.low = table[2 * index + 1]!;
      return;
    }
    const { high, low } = this.compute(k);
    this.high = high;
    this.low = low;
    table[2 * index] = high; // beyond its end nothing happens
    table[2 * index + 1] = low;
  }

  private compute(k: number): DoubleDouble {
    if (k === 0) return { high: 1, low: 0 };
    return exp(divide(multiply(this.logarithm, { high: -k, low: 0 }), this.steps));
  }
}
