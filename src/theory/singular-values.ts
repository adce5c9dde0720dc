/** Intervals of the quadrature; the error is far below the fluctuations of any matrix that fits into memory. */
const INTERVALS = 4000;

/**
 * For large n, the sum of the largest `fraction`·n singular values of alpha·Z/√n + beta·I over n, Z with independent standard
 * normals: of all of them, their mean. Good to about 1/n.
 *
 * With y = x + alpha²·g, g the limit of the normalized trace of the resolvent at x of [[0, A], [Aᵀ, 0]],
 * y³ − x·y² + (alpha² − beta²)·y + beta²·x = 0, and the density of the singular values at x is 2·Im(y)/(π·alpha²) (the
 * Hermitization of the circular law; Bai, Silverstein 2010, "Spectral analysis of large dimensional random matrices",
 * chapter 11).
 */
export function largestSingularSum(alpha: number, beta: number, fraction: number): number {
  const [a, b] = [alpha * alpha, beta * beta];
  if (a === 0) return Math.abs(beta) * fraction;
  const edge = 2 * Math.abs(alpha) + Math.abs(beta);
  const step = edge / INTERVALS;
  const density = Float64Array.from({ length: INTERVALS }, (_, k) => {
    return (2 * imaginaryRoot((k + 0.5) * step, a, b)) / (Math.PI * a);
  });
  const mass = density.reduce((sum, value) => sum + value, 0);
  let [left, sum] = [fraction, 0];
  for (let k = INTERVALS - 1; k >= 0 && left > 0; k--) {
    const taken = Math.min(left, density[k]! / mass);
    sum += taken * (k + 0.5) * step;
    left -= taken;
  }
  return sum;
}

/** The imaginary part of the complex roots of y³ − x·y² + (a − b)·y + b·x, 0 if all are real. */
function imaginaryRoot(x: number, a: number, b: number): number {
  const value = (y: number): number => ((y - x) * y + a - b) * y + b * x;
  // The product of the roots is −b·x ≤ 0, so one lies at or below 0.
  let [low, high] = [-1 - x - a - b, 0];
  for (let k = 0; k < 80; k++) {
    const middle = (low + high) / 2;
    if (value(middle) > 0) high = middle;
    else low = middle;
  }
  const root = (low + high) / 2;
  // What is left after division by y − root: y² + p·y + q.
  const p = root - x;
  const q = a - b + root * p;
  return Math.sqrt(Math.max(0, q - (p * p) / 4));
}
