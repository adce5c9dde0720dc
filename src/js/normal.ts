/**
 * The standard normal by its inverse CDF, one word to one sample. Twin of core/normal.h.
 */
import { F32, F32_BITS, F64, F64_LOW, F64_WORDS, roundDoubtful } from './fma.js';
import { NORMAL_DEGREE, NORMAL_ROWS, NORMAL_TABLE } from './normal-table.js';

/** Six coefficients of a row side by side, constant first. */
const ROW_STRIDE = NORMAL_DEGREE + 1;
const ROWS = new Float64Array(NORMAL_ROWS * ROW_STRIDE);
for (let k = 0; k < ROW_STRIDE; k++) {
  for (let row = 0; row < NORMAL_ROWS; row++) ROWS[row * ROW_STRIDE + k] = NORMAL_TABLE[k]![row]!;
}

/**
 * `Φ⁻¹((word + 1/2)·2^-32)` as a float32, |error| < 6e-7; `word` is read modulo 2^32.
 *
 * Horner's rule in fused multiply-adds. As in `fma32`, a float64 sum misleads only where it looks like a tie; no
 * value on the way is a float32 subnormal.
 */
export function standardNormal(word: number): number {
  F32[0] = (((word << 1) ^ (word >> 31)) | 1) >>> 0; // 2^33 · (tail probability), rounded to 24 bits
  const bits = F32_BITS[0]!;
  const row = ((bits >>> 22) - 254) * ROW_STRIDE;
  const d = (bits & 0x3fffff) * 2 ** -23 - 0.25;
  let z = ROWS[row + NORMAL_DEGREE]!;
  for (let k = NORMAL_DEGREE - 1; k >= 0; k--) {
    const product = z * d;
    const c = ROWS[row + k]!;
    const sum = product + c;
    F64[0] = sum;
    z = (F64_WORDS[F64_LOW]! & 0x1fffffff) === 0x10000000 ? roundDoubtful(product, c, sum) : Math.fround(sum);
  }
  return word < 0 || word > 0x7fffffff ? -z : z;
}

/** The word that stands for `word` in the window of `count` words from `base` on. */
export function truncateWord(word: number, base: number, count: number): number {
  // As in philox.ts: the float64 product less its exact lower half is a whole number of 2^32s to within 2^-21.
  const low = Math.imul(word, count) >>> 0;
  const high = Math.floor(((word >>> 0) * count - low) * 2 ** -32 + 0.5);
  return (base + high) | 0;
}
