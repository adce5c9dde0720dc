/**
 * Any law by a table of its inverse CDF, in float64. Twin of core/quantile.h, which says how a table is laid out.
 */
import { F64, F64_HIGH, F64_WORDS, scale64 } from './fma.js';

export const QUANTILE_DEGREE = 11;
export const QUANTILE_SIDE_ROWS: number = 64 * 4 + 1;
const QUANTILE_ROWS = 2 * QUANTILE_SIDE_ROWS;
export const QUANTILE_TABLE_SIZE: number = QUANTILE_ROWS * (QUANTILE_DEGREE + 1);

/** The sample at folded number a = A, on the lower (0) or upper (1) side. */
export function quantileAt(a: number, side: number, table: Float64Array): number {
  F64[0] = a;
  const high = F64_WORDS[F64_HIGH]!;
  const row = (high >>> 18) - 4 * 1023 + side * QUANTILE_SIDE_ROWS;
  F64_WORDS[F64_HIGH] = (high & 0x3ffff) | 0x3ff00000;
  const d = F64[0]! - 1.125;
  const c = row * (QUANTILE_DEGREE + 1);
  let x = table[c + QUANTILE_DEGREE]!;
  for (let k = QUANTILE_DEGREE - 1; k >= 0; k--) x = scale64(x, table[c + k]!, d);
  return x;
}

/** The sample of one word, for dtypes of 32 and 16 bits. */
export function quantile32(word: number, table: Float64Array): number {
  const folded = (((word << 1) ^ (word >> 31)) | 1) >>> 0;
  return quantileAt(folded * 4294967296, word >>> 31, table);
}

/** The sample of two words, for float64: the number high·2^32 + low. */
export function quantile64(high: number, low: number, table: Float64Array): number {
  const flip = high >> 31;
  const foldedLow = low ^ flip;
  const a1 = (((high ^ flip) << 1) | (foldedLow >>> 31)) >>> 0;
  const a0 = ((foldedLow << 1) | 1) >>> 0;
  return quantileAt(a1 * 4294967296 + a0, high >>> 31, table);
}
