/** Steps of {@link differentiate}: from this many times max(1, |x|) down, by halves, to this many times |x|. */
const FIRST_STEP = 2 ** -4;
const LAST_STEP = 2 ** -34;

/**
 * f′(x) by central differences of sixth order, with the step halved until two results agree or rounding takes over:
 * near a kink or jump the step becomes shorter than the distance d to it. Relative error about 1e-11 where f is smooth
 * on a scale of max(1, |x|)/100; about 1e-15/d near kinks.
 */
export function differentiate(f: (x: number) => number, x: number): number {
  const value = Math.abs(f(x));
  let step = FIRST_STEP * Math.max(1, Math.abs(x));
  let previous = central(f, x, step);
  let best = previous;
  let smallest = Number.POSITIVE_INFINITY;
  while (step > LAST_STEP * Math.abs(x) && step > Number.MIN_VALUE) {
    step /= 2;
    const current = central(f, x, step);
    const change = Math.abs(current - previous);
    // That of f's values, and of x ± step. Without it short steps would win whose noise happens to agree.
    const rounding = (2 ** -53 * (value + Math.abs(x * current))) / step;
    if (change + rounding < smallest) {
      smallest = change + rounding;
      best = current;
    }
    if (change <= 1e-12 * Math.abs(current) || rounding > smallest) break;
    previous = current;
  }
  return best;
}

/** Error h⁶·f⁗‴/140 for a smooth f. */
function central(f: (x: number) => number, x: number, h: number): number {
  const first = f(x + h) - f(x - h);
  const second = f(x + 2 * h) - f(x - 2 * h);
  const third = f(x + 3 * h) - f(x - 3 * h);
  return (45 * first - 9 * second + third) / (60 * h);
}

/** Relative difference between slopes at 0 that is taken for rounding. */
const SAME_SLOPE = 1e-6;

/**
 * Whether f has a derivative at 0: whether differences of second order on either side, within 2^-12 and 2^-13 of it,
 * agree. A kink shows between the sides, a jump between the distances.
 */
export function isDifferentiableAtZero(f: (x: number) => number): boolean {
  const value = f(0);
  const slope = (step: number): number => (4 * f(step) - f(2 * step) - 3 * value) / (2 * step);
  const slopes = [-1, 1, -0.5, 0.5].map((step) => slope(step * 2 ** -13));
  const [smallest, largest] = [Math.min(...slopes), Math.max(...slopes)];
  // The differences of values near f(0) have lost 2^13 of their precision of 2^-53.
  return largest - smallest <= SAME_SLOPE * Math.max(-smallest, largest) + 1e-10 * Math.abs(value);
}
