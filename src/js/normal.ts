/**
 * The standard normal by its inverse CDF, one word to one sample. Twin of core/normal.h.
 */
import { NORMAL_DEGREE, NORMAL_ROWS, NORMAL_TABLE } from './normal-table.js';
import { multiplyHigh } from './philox.js';

// Scratch of this module's own: what is imported is looked up again at every use.
const F32 = new Float32Array(1);
const F32_BITS = new Uint32Array(F32.buffer);

/** Six coefficients of a row side by side, constant first. */
const ROW_STRIDE = NORMAL_DEGREE + 1;
const ROWS = new Float64Array(NORMAL_ROWS * ROW_STRIDE);
for (let k = 0; k < ROW_STRIDE; k++) {
  for (let row = 0; row < NORMAL_ROWS; row++) ROWS[row * ROW_STRIDE + k] = NORMAL_TABLE[k]![row]!;
}

/**
 * `Φ⁻¹((word + 1/2)·2^-32)` as a float32, |error| < 6e-7; `word` is read modulo 2^32.
 *
 * Horner's rule in fused multiply-adds. Here each is a float64 sum rounded to float32: with the coefficients of this
 * table no sum needs more than 53 bits, so nothing is rounded twice. The table's generator refuses to make another.
 */
export function standardNormal(word: number): number {
  F32[0] = (((word << 1) ^ (word >> 31)) | 1) >>> 0; // 2^33 · (tail probability), rounded to 24 bits
  const bits = F32_BITS[0]!;
  const row = ((bits >>> 22) - 254) * ROW_STRIDE;
  const d = (bits & 0x3fffff) * 2 ** -23 - 0.25;
  let z = Math.fround(ROWS[row + 5]! * d + ROWS[row + 4]!);
  z = Math.fround(z * d + ROWS[row + 3]!);
  z = Math.fround(z * d + ROWS[row + 2]!);
  z = Math.fround(z * d + ROWS[row + 1]!);
  z = Math.fround(z * d + ROWS[row]!);
  return z * (1 + 2 * ((word | 0) >> 31)); // times ±1: a branch would be mispredicted half of the time
}

/** `standardNormal` of `count` words from `words[from]` on, to `out[0 … count - 1]`. */
export function standardNormals(words: Int32Array, from: number, count: number, out: Float32Array): void {
  for (let i = 0; i < count; i++) out[i] = standardNormal(words[from + i]!);
}

/** The word that stands for `word` in the window of `count` words from `base` on. */
export function truncateWord(word: number, base: number, count: number): number {
  return (base + multiplyHigh(word, count & 0xffff, count >>> 16)) | 0;
}
