// The values of a 16-bit dtype and rounding to them by looking for the nearest: slow, and by another way than
// src/js/round.ts.
import type { DType } from '../../src/dtype.js';
import { toFloat32 } from '../../src/tensor.js';

export type HalfDType = Extract<DType, 'float16' | 'bfloat16'>;

/** Values by bit pattern, from 0 up to Infinity. */
export const GRIDS: Readonly<Record<HalfDType, Float32Array>> = {
  float16: toFloat32(
    Uint16Array.from({ length: 0x7c01 }, (_, bits) => bits),
    'float16',
  ),
  bfloat16: toFloat32(
    Uint16Array.from({ length: 0x7f81 }, (_, bits) => bits),
    'bfloat16',
  ),
};

/** −pattern for values below 0, pattern for others: whole numbers in the order of the values. */
export function rankOf(bits: number): number {
  return bits & 0x8000 ? -(bits & 0x7fff) : bits;
}

/** The value at a rank. */
export function valueAt(dtype: HalfDType, rank: number): number {
  const magnitude = GRIDS[dtype][Math.abs(rank)]!;
  return rank < 0 ? -magnitude : magnitude;
}

/** Rank of the largest value ≤ x, for finite x. */
export function rankBelow(dtype: HalfDType, x: number): number {
  const last = GRIDS[dtype].length - 1;
  let [low, high] = [-last, last]; // value(low) ≤ x < value(high)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (valueAt(dtype, middle) <= x) low = middle;
    else high = middle;
  }
  return low;
}

const F32 = new Float32Array(1);
const F32_BITS = new Uint32Array(F32.buffer);

/** Rank of a finite float32 with the digits cut off that the dtype does not have. */
export function truncatedRank(dtype: HalfDType, x: number): number {
  F32[0] = Math.abs(x);
  const bits = F32_BITS[0]!;
  const last = GRIDS[dtype].length - 2;
  let magnitude = bits >>> 16;
  // float16's exponents are biased by 15, float32's by 127; below 2^-14 its values are multiples of 2^-24.
  if (dtype === 'float16') {
    magnitude = F32[0] < 2 ** -14 ? Math.floor(F32[0] * 2 ** 24) : (bits >>> 13) - ((127 - 15) << 10);
  }
  return Math.sign(x) * Math.min(last, magnitude);
}

/** Rank of the value nearest to x, of two equally near ones the even pattern. */
export function nearestRank(dtype: HalfDType, x: number): number {
  let low: number;
  if (Math.fround(x) === x) {
    low = truncatedRank(dtype, x); // a float32: no need to search
    if (valueAt(dtype, low) > x) low--;
  } else low = rankBelow(dtype, x);
  const edge = upperEdge(dtype, low);
  if (x !== edge) return x < edge ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** Where rounding turns from the value at a rank to the next: halfway (Infinity counts as one step further). */
export function upperEdge(dtype: HalfDType, rank: number): number {
  const last = GRIDS[dtype].length - 1;
  if (rank === last - 1) return valueAt(dtype, rank) * 1.5 - valueAt(dtype, rank - 1) / 2;
  if (rank === -last) return -upperEdge(dtype, last - 1);
  return (valueAt(dtype, rank) + valueAt(dtype, rank + 1)) / 2;
}

/** Ranks of the smallest and the largest value that a law with these bounds may give. */
export function rankBounds(
  dtype: HalfDType,
  law: { lower: number; upper: number; endOpen: boolean },
): readonly [number, number] {
  const last = GRIDS[dtype].length - 2;
  const floor = Number.isFinite(law.lower) ? rankBelow(dtype, law.lower) : -last - 1;
  const first = valueAt(dtype, floor) < law.lower || floor < -last ? floor + 1 : floor;
  const top = Number.isFinite(law.upper) ? rankBelow(dtype, law.upper) : last;
  return [first, law.endOpen && valueAt(dtype, top) === law.upper ? top - 1 : Math.min(top, last)];
}
