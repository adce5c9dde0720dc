import { exp } from './exp.js';
import { GAUSS_ABSCISSAS, GAUSS_WEIGHTS, MILLS } from './mills-table.js';

const SQRT_2PI = 2.5066282746310002;

/** Mills ratio `(1 - Φ(x)) / φ(x)` for x ≥ 0; relative error below 5e-16. */
export function millsRatio(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  const y = (x - 4) / (x + 4);
  let value = MILLS[MILLS.length - 1]!;
  for (let k = MILLS.length - 2; k >= 0; k--) value = value * y + MILLS[k]!;
  return value / (x + 1);
}

/** Φ(x); relative error below 1e-14 where it exceeds 1e-300. */
export function cdf(x: number): number {
  if (x === Number.NEGATIVE_INFINITY) return 0;
  const tail = (exp(-0.5 * x * x) * millsRatio(Math.abs(x))) / SQRT_2PI;
  return x < 0 ? tail : 1 - tail;
}

/**
 * The standard normal law on [lower, upper], either of which may be infinite, with densities relative to the densest
 * point, so that windows at 8σ or 8000σ lose nothing to underflow. `lower < upper`.
 */
export class NormalWindow {
  readonly lower: number;
  readonly upper: number;
  /** The densest point: 0, or the end nearest to it. */
  readonly mode: number;

  constructor(lower: number, upper: number) {
    this.lower = lower;
    this.upper = upper;
    this.mode = Math.max(lower, Math.min(upper, 0));
  }

  /** φ(x) / φ(mode). */
  density(x: number): number {
    if (x - x !== 0) return 0; // infinite
    return exp(-0.5 * (x - this.mode) * (x + this.mode));
  }

  /** ∫ φ / φ(mode) from a to b, lower ≤ a ≤ b ≤ upper. */
  mass(a: number, b: number): number {
    if (!(b > a)) return 0;
    const farther = Math.max(Math.abs(a), Math.abs(b));
    if (b - a <= 1 && (b - a) * farther <= 1) return this.narrowMass(a, b);
    if (a >= 0) return this.tail(a) - this.tail(b);
    if (b <= 0) return this.tail(b) - this.tail(a);
    return SQRT_2PI - this.tail(a) - this.tail(b); // around the mode, 0
  }

  /** Mass beyond x, away from 0. */
  private tail(x: number): number {
    const magnitude = Math.abs(x);
    return magnitude === Number.POSITIVE_INFINITY ? 0 : this.density(magnitude) * millsRatio(magnitude);
  }

  /** Gauss-Legendre; the integrand changes by less than a factor e, so ten points are exact to rounding. */
  private narrowMass(a: number, b: number): number {
    return gauss(a, b, (x) => this.density(x));
  }

  /** Mean and standard deviation of the law; relative error of the latter below 1e-13. */
  moments(): { mean: number; std: number } {
    // In t = x − mode, so that a window far out or of a few ulps keeps its width.
    const { mode } = this;
    const density = (t: number): number => exp(-0.5 * t * (t + 2 * mode));
    const reach = 80 / (Math.abs(mode) + Math.sqrt(mode * mode + 80)); // density(±reach) = e^-40
    const a = Math.max(this.lower - mode, -reach);
    const b = Math.min(this.upper - mode, reach);
    const panels = 64;
    let [m0, m1, m2] = [0, 0, 0];
    for (let i = 0; i < panels; i++) {
      const left = a + ((b - a) * i) / panels;
      const right = a + ((b - a) * (i + 1)) / panels;
      m0 += gauss(left, right, density);
      m1 += gauss(left, right, (t) => density(t) * t);
      m2 += gauss(left, right, (t) => density(t) * t * t);
    }
    const shift = m1 / m0;
    return { mean: mode + shift, std: Math.sqrt(m2 / m0 - shift * shift) };
  }
}

function gauss(a: number, b: number, f: (x: number) => number): number {
  const centre = 0.5 * (a + b);
  const half = 0.5 * (b - a);
  let sum = 0;
  for (let i = 0; i < GAUSS_ABSCISSAS.length; i++) {
    const offset = half * GAUSS_ABSCISSAS[i]!;
    sum += GAUSS_WEIGHTS[i]! * (f(centre - offset) + f(centre + offset));
  }
  return half * sum;
}
