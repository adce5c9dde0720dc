import { exp } from '../quantile/exp.js';
import { millsRatio } from '../quantile/normal-law.js';

/*
 * Elementary functions in + − × ÷ and bit patterns only. `Math.tanh` and its kin may differ in the last place between
 * engines, and a gain that is computed with them ends in the weights.
 */

const LN2_HIGH = 0.6931471803691238; // 32 bits of ln 2, so that small multiples of it are exact
const LN2_LOW = 1.9082149292705877e-10;
const SQRT_PI = 1.772453850905516;
// biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.SQRT2 need not have these bits everywhere
const SQRT_2 = 1.4142135623730951;

/** e^x − 1; relative error below 1e-15, also where x is near 0. */
export function expm1(x: number): number {
  if (!(x > -0.5 && x < 0.5)) return exp(x) - 1;
  let sum = 1;
  for (let n = 16; n >= 2; n--) sum = 1 + (x * sum) / n; // Horner's rule; 0.5^16/17! < 1e-19
  return x * sum;
}

/** Hyperbolic tangent; relative error below 2e-15. */
export function tanh(x: number): number {
  if (x > 22) return 1; // 1 − tanh 22 < 2e-19
  if (x < -22) return -1;
  const e = expm1(2 * x);
  return e / (e + 2);
}

/** 1 / (1 + e^−x), the logistic function; relative error below 2e-15 where it exceeds 1e-300. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + exp(-x));
  const e = exp(x);
  return e / (1 + e);
}

/** ln(1 + x) for 0 ≤ x ≤ 1; relative error below 1e-15. */
export function log1p(x: number): number {
  // 1 + x = 2^k·(1 + r)/(1 − r) with |r| < 0.1716, and ln of that is k·ln 2 + 2·artanh r.
  const k = x > 0.4142135623730951 ? 1 : 0;
  const r = k === 1 ? (x - 1) / (x + 3) : x / (x + 2);
  const square = r * r;
  let sum = 0;
  for (let n = 23; n >= 1; n -= 2) sum = sum * square + 1 / n; // r^25/25 < 1e-19·r
  return k * LN2_HIGH + (k * LN2_LOW + 2 * r * sum);
}

/** The error function, 2/√π ∫ e^(−t²) dt from 0 to x; relative error below 2e-15. */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 2.5) {
    // erfc x = 2·(1 − Φ(x√2)), and 1 − Φ = φ·M.
    const tail = (exp(-x * x) * millsRatio(magnitude * SQRT_2) * SQRT_2) / SQRT_PI;
    return x > 0 ? 1 - tail : tail - 1;
  }
  // e^(x²)·erf x = 2/√π Σ 2^n x^(2n+1)/(2n+1)!!, whose terms are all of one sign.
  let term = x;
  let sum = x;
  for (let n = 1; n <= 60; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 * exp(-x * x) * sum) / SQRT_PI;
}

const HALF_PI = 1.5707963267948966;
/** π/2 in three parts; the first two have 33 bits, so that up to 2^20 times them is exact. */
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487959506e-21;

/** Sine; absolute error below 1e-15 for |x| ≤ 1e6. */
export function sin(x: number): number {
  const quarter = Math.floor(x / HALF_PI + 0.5);
  return quadrant(quarter, reduce(x, quarter));
}

/** Cosine; absolute error below 1e-15 for |x| ≤ 1e6. */
export function cos(x: number): number {
  const quarter = Math.floor(x / HALF_PI + 0.5);
  return quadrant(quarter + 1, reduce(x, quarter));
}

/** x − quarter·π/2, within ±π/4. */
function reduce(x: number, quarter: number): number {
  return x - quarter * HALF_PI_1 - quarter * HALF_PI_2 - quarter * HALF_PI_3;
}

/** sin(r + quarter·π/2) by Taylor's series for |r| ≤ π/4: the next term is below 1e-18. */
function quadrant(quarter: number, r: number): number {
  const square = r * r;
  const turns = quarter - 4 * Math.floor(quarter / 4);
  let sum = 1;
  if (turns % 2 === 0) {
    for (let n = 16; n >= 2; n -= 2) sum = 1 - (sum * square) / (n * (n + 1));
    sum *= r;
  } else {
    for (let n = 18; n >= 2; n -= 2) sum = 1 - (sum * square) / (n * (n - 1));
  }
  return turns < 2 ? sum : -sum;
}
