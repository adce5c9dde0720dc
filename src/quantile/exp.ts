import { F64, F64_HIGH, F64_LOW, F64_WORDS } from '../js/fma.js';

const LN2_HIGH = 0.6931471803691238; // 32 bits of ln 2, so that k times it is exact
const LN2_LOW = 1.9082149292705877e-10;

/** 1/n! for n = 0 … 14. */
const INVERSE_FACTORIALS: Float64Array = new Float64Array(15);
for (let n = 0, factorial = 1; n < 15; n++, factorial *= n) INVERSE_FACTORIALS[n] = 1 / factorial;

/**
 * e^x in + − × and bit patterns only: `Math.exp` may differ between engines, and what is computed with it here ends
 * in the weights. Relative error below 4e-16 for -708 < x < 709; 0 below that.
 */
export function exp(x: number): number {
  if (!(x > -708)) return x <= -708 ? 0 : x; // NaN stays
  if (x > 709) return Number.POSITIVE_INFINITY;
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.LOG2E need not have these bits everywhere
  const k = Math.floor(x * 1.4426950408889634 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW; // |r| < 0.347, and r^15/15! < 1e-19
  let sum = INVERSE_FACTORIALS[14]!;
  for (let n = 13; n >= 0; n--) sum = sum * r + INVERSE_FACTORIALS[n]!;
  F64_WORDS[F64_LOW] = 0;
  F64_WORDS[F64_HIGH] = (k + 1023) << 20;
  return sum * F64[0]!;
}
