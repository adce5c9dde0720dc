/**
 * The standard normal by its inverse CDF, one word to one sample. Twin of core/normal.h.
 */
import { F32, F32_BITS, F64, F64_LOW, F64_WORDS, roundDoubtful } from './fma.js';
import { NORMAL_DEGREE, NORMAL_ROWS, NORMAL_TABLE } from './normal-table.js';
import { multiplyHigh } from './philox.js';

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

/** The float64 sums of one Horner evaluation, to be looked at together. */
const SUMS = new Float64Array(NORMAL_DEGREE);
const SUM_WORDS = new Uint32Array(SUMS.buffer);

/**
 * `standardNormal` of `count` words from `words[from]` on, to `out[0 … count - 1]`. The same values, faster: sums are
 * taken to be no ties, and a word for which one of them looks like a tie (one in 10^8) is done again with care.
 */
export function standardNormals(words: Int32Array, from: number, count: number, out: Float32Array): void {
  // In locals, and without a call in the loop: twice the speed.
  const [single, bitsOf, rows, sums, sumWords, low] = [F32, F32_BITS, ROWS, SUMS, SUM_WORDS, F64_LOW];
  for (let i = 0; i < count; i++) {
    const word = words[from + i]!;
    single[0] = (((word << 1) ^ (word >> 31)) | 1) >>> 0;
    const bits = bitsOf[0]!;
    const row = ((bits >>> 22) - 254) * ROW_STRIDE;
    const d = (bits & 0x3fffff) * 2 ** -23 - 0.25;
    const s4 = rows[row + 5]! * d + rows[row + 4]!;
    const s3 = Math.fround(s4) * d + rows[row + 3]!;
    const s2 = Math.fround(s3) * d + rows[row + 2]!;
    const s1 = Math.fround(s2) * d + rows[row + 1]!;
    const s0 = Math.fround(s1) * d + rows[row]!;
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
    sums[4] = s4;
    if (
      (sumWords[low]! & 0x1fffffff) === 0x10000000 ||
      (sumWords[low + 2]! & 0x1fffffff) === 0x10000000 ||
      (sumWords[low + 4]! & 0x1fffffff) === 0x10000000 ||
      (sumWords[low + 6]! & 0x1fffffff) === 0x10000000 ||
      (sumWords[low + 8]! & 0x1fffffff) === 0x10000000
    ) {
      out[i] = standardNormal(word);
    } else {
      out[i] = s0 * (1 + 2 * (word >> 31)); // by a factor of ±1: a branch would be mispredicted half of the time
    }
  }
}

/** The word that stands for `word` in the window of `count` words from `base` on. */
export function truncateWord(word: number, base: number, count: number): number {
  return (base + multiplyHigh(word, count & 0xffff, count >>> 16)) | 0;
}
