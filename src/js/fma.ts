/**
 * float32 fused multiply-add in float64 arithmetic, and float64 bits. Twin of core/fma.h.
 */

/** Scratch for looking at the bits of a float64; `F64_LOW` and `F64_HIGH` index its two words. */
export const F64: Float64Array = new Float64Array(1);
export const F64_WORDS: Uint32Array = new Uint32Array(F64.buffer);
export const F64_LOW: number = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;
export const F64_HIGH: number = 1 - F64_LOW;

/** Scratch for looking at the bits of a float32. */
export const F32: Float32Array = new Float32Array(1);
export const F32_BITS: Uint32Array = new Uint32Array(F32.buffer);

const SMALLEST_NORMAL = 2 ** -126;

/**
 * `a·b + c` of float32 values, rounded once to float32, to nearest even.
 *
 * The product of two 24-bit numbers is exact in float64, so `sum` is the exact result rounded to 53 bits. Rounding
 * that to 24 bits is wrong only if `sum` looks like a tie, its last 29 bits 1000…0, without being one.
 */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  F64[0] = sum;
  // One comparison, not two: the sign is random, and a branch on it would be mispredicted half of the time.
  if ((F64_WORDS[F64_LOW]! & 0x1fffffff) !== 0x10000000 && Math.abs(sum) >= SMALLEST_NORMAL) {
    return Math.fround(sum);
  }
  return roundDoubtful(product, c, sum);
}

/**
 * float32 nearest to `product + c` where `sum` may mislead: a tie, or a float32 subnormal. Rounding the sum to odd
 * makes the second rounding innocent (Boldo and Melquiond 2008: 53 ≥ 24 + 2 bits).
 */
function roundDoubtful(product: number, c: number, sum: number): number {
  const part = sum - product;
  const error = product - (sum - part) + (c - part); // Knuth's TwoSum
  if (error !== 0 && sum - sum === 0) {
    F64[0] = sum;
    const low = F64_WORDS[F64_LOW]!;
    if ((low & 1) === 0) {
      // Even: step to the odd neighbour on the side of the error.
      if (error > 0 === sum > 0) F64_WORDS[F64_LOW] = low + 1;
      else {
        F64_WORDS[F64_LOW] = low - 1; // 0 wraps to 2^32 - 1
        if (low === 0) F64_WORDS[F64_HIGH]! -= 1;
      }
      return Math.fround(F64[0]!);
    }
  }
  return Math.fround(sum);
}

/** `x·scale + shift` in float64, two roundings. */
export function scale64(x: number, shift: number, scale: number): number {
  return x * scale + shift;
}
