// p-values: what the statistical tests share. Checked against published critical values in statistics.test.ts.
import { cdf } from '../../src/quantile/normal-law.js';

/** A sound generator fails one test with at most twice this probability (both tails count). */
export const ALPHA = 1e-6;

/**
 * How extreme the most extreme of several p-values is: at most 2·x likely to come out as small as x when all are
 * uniform (Bonferroni). Near-zero is a bad fit; a p near 1 is one too good to be random, and gives near-zero as well.
 */
export function extremity(ps: readonly number[]): number {
  if (ps.length === 0) throw new Error('a test without p-values cannot fail');
  let extreme = 1;
  for (const p of ps) {
    if (!(p >= 0 && p <= 1)) return 0; // NaN: some value was no number
    extreme = Math.min(extreme, ps.length * Math.min(p, 1 - p));
  }
  return extreme;
}

/** Probability that a standard normal is at least as far from 0 as z. */
export function normalP(z: number): number {
  return 2 * cdf(-Math.abs(z));
}

/** Probability of a chi-square of `df` degrees of freedom at or above `x`. */
export function chiSquareP(x: number, df: number): number {
  return gammaQ(df / 2, x / 2);
}

/** Pearson's chi-square of observed counts against expected ones of the same total. */
export function chiSquare(observed: ArrayLike<number>, expected: (cell: number) => number): number {
  let sum = 0;
  for (let cell = 0; cell < observed.length; cell++) {
    const mean = expected(cell);
    sum += (observed[cell]! - mean) ** 2 / mean;
  }
  return sum;
}

/** Below this expected count the chi-square law is no good approximation (the usual floor is 5). */
export const FEWEST_EXPECTED = 10;

/** p-value of counts in ordered cells, after neighbours with an expected count below 10 are merged. */
export function mergedChiSquareP(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  const [counts, means]: [number[], number[]] = [[], []];
  let [count, mean] = [0, 0];
  for (let cell = 0; cell < observed.length; cell++) {
    count += observed[cell]!;
    mean += expected[cell]!;
    if (mean >= FEWEST_EXPECTED) {
      counts.push(count);
      means.push(mean);
      [count, mean] = [0, 0];
    }
  }
  if (counts.length < 2) throw new Error('too few cells for a chi-square');
  counts[counts.length - 1]! += count;
  means[means.length - 1]! += mean;
  return chiSquareP(
    chiSquare(counts, (cell) => means[cell]!),
    counts.length - 1,
  );
}

/**
 * Greatest distance between the empirical CDF of ascending samples and `law`, which must not fall. Exact, but looks at
 * a stretch of samples only where, going by its ends, a greater distance than the greatest so far is possible.
 */
export function kolmogorovDistance(sorted: ArrayLike<number>, law: (x: number) => number): number {
  const n = sorted.length;
  let worst = 0;
  const at = (i: number): number => {
    const p = law(sorted[i]!);
    if (Number.isNaN(p)) worst = Number.NaN;
    worst = Math.max(worst, p - i / n, (i + 1) / n - p);
    return p;
  };
  // What lies between i and j has law(x) within [from, to].
  const search = (i: number, from: number, j: number, to: number): void => {
    if (j - i < 2 || Math.max(to - (i + 1) / n, j / n - from) <= worst) return;
    const middle = Math.floor((i + j) / 2);
    const p = at(middle);
    search(i, from, middle, p);
    search(middle, p, j, to);
  };
  const first = at(0);
  search(0, first, n - 1, at(n - 1));
  return worst;
}

/** Probability that n samples are at least `distance` off, asymptotically (Stephens 1970 for the correction). */
export function kolmogorovP(distance: number, n: number): number {
  const root = Math.sqrt(n);
  const x = (root + 0.12 + 0.11 / root) * distance;
  let sum = 0;
  if (x < 1) {
    // Jacobi's theta function the other way round, which converges fast here.
    for (let k = 1; k <= 9; k += 2) sum += Math.exp((-k * k * Math.PI * Math.PI) / (8 * x * x));
    return x === 0 ? 1 : 1 - (Math.sqrt(2 * Math.PI) / x) * sum;
  }
  for (let k = 1; k <= 10; k++) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}

/** ln Γ(x) for x > 0: Stirling's series from 10 on, the recurrence below; relative error below 1e-14. */
export function logGamma(x: number): number {
  let product = 1;
  for (; x < 10; x++) product *= x;
  const y = 1 / (x * x);
  const series = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** Regularized upper incomplete gamma function Q(a, x): series below a + 1, Lentz's continued fraction above. */
export function gammaQ(a: number, x: number): number {
  if (!(x > 0)) return x <= 0 ? 1 : Number.NaN;
  if (x === Number.POSITIVE_INFINITY) return 0;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; term > sum * 1e-17; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - scale * sum;
  }
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1, step = 0; Math.abs(step - 1) > 1e-15 && n < 1e6; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    step = c * d;
    fraction *= step;
  }
  return scale * fraction;
}
