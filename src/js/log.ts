import { F64, F64_HIGH, F64_WORDS } from './fma.js';

const LN2_HIGH = 0.6931471803691238; // 32 bits of ln 2, so that k times it is exact
const LN2_LOW = 1.9082149292705877e-10;

/** 2/n for n = 3, 5, …, 23. */
const COEFFICIENTS: Float64Array = Float64Array.from({ length: 11 }, (_, i) => 2 / (2 * i + 3));

/**
 * The natural logarithm in + − × ÷ and bit patterns only: `Math.log` may differ between engines, and what is computed with
 * it here ends in the weights. Relative error below 4e-16 for finite x > 0, subnormal ones included; −Infinity for 0,
 * NaN below.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return x;
  // x = 2^k·m with √½ ≤ m < √2; subnormal numbers are made normal first.
  const shift = x < 2 ** -1022 ? 54 : 0;
  F64[0] = shift === 0 ? x : x * 2 ** 54;
  const high = F64_WORDS[F64_HIGH]!;
  let k = (high >>> 20) - 1023 - shift;
  F64_WORDS[F64_HIGH] = (high & 0xfffff) | 0x3ff00000;
  let m = F64[0]!;
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.SQRT2 need not have these bits everywhere
  if (m >= 1.4142135623730951) {
    m /= 2;
    k++;
  }
  // With f = m − 1 (exact) and s = f/(2 + f): ln m = 2·artanh s = f − f²/2 + s·(f²/2 + R), R = Σ 2·s^(n−1)/n, n = 3, 5, ….
  const f = m - 1;
  const s = f / (2 + f);
  const square = s * s;
  let sum = 0;
  for (let i = 10; i >= 0; i--) sum = sum * square + COEFFICIENTS[i]!; // 0.1716^24·2/25 < 1e-19
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + square * sum) + k * LN2_LOW) - f);
}
