// A law in real numbers, as the tests compare samples with it: CDF and standardized moments, by other ways than
// src/lower.ts takes.
import type { ElementLaw } from '../../src/law.js';
import { NormalWindow } from '../../src/quantile/normal-law.js';

type SampledLaw = Exclude<ElementLaw, { kind: 'constant' }>;

/** Panels of Simpson's rule. The moments' integrands are analytic: the error is below 1e-10. */
const PANELS = 4_000;

/** CDF, bounds, and moments of a law. */
export class RealLaw {
  /** No value lies below; −Infinity for none. */
  readonly lower: number;
  /** No value lies above, and for `uniform` none is equal. */
  readonly upper: number;
  readonly endOpen: boolean;
  readonly cdf: (x: number) => number;
  readonly mean: number;
  readonly std: number;
  /** `standardized[k]` = E[((x − mean)/std)^k], k ≤ 8. */
  readonly standardized: readonly number[];

  constructor(law: ElementLaw) {
    if (law.kind === 'constant') throw new Error('a constant has no distribution to test');
    this.endOpen = law.kind === 'uniform';
    if (law.kind === 'uniform') {
      const { min, max } = law;
      [this.lower, this.upper] = [min, max];
      this.cdf = (x) => Math.min(1, Math.max(0, (x - min) / (max - min)));
      this.mean = (min + max) / 2;
      this.std = (max - min) / Math.sqrt(12);
      // E[y^k] of the uniform law on ±√3.
      this.standardized = Array.from({ length: 9 }, (_, k) => (k % 2 === 1 ? 0 : 3 ** (k / 2) / (k + 1)));
      return;
    }
    const { scale, lower, upper } = windowOf(law);
    const window = new NormalWindow(lower, upper);
    const total = window.mass(lower, upper);
    this.lower = law.mean + scale * lower;
    this.upper = law.mean + scale * upper;
    this.cdf = (x) => {
      const z = (x - law.mean) / scale;
      if (z <= lower) return 0;
      return z >= upper ? 1 : window.mass(lower, z) / total;
    };
    const z = momentsOf(window);
    this.mean = law.mean + scale * z.mean;
    this.std = scale * z.std;
    this.standardized = z.standardized;
  }
}

function windowOf(law: Exclude<SampledLaw, { kind: 'uniform' }>): {
  scale: number;
  lower: number;
  upper: number;
} {
  if (law.kind === 'normal') {
    return { scale: law.std, lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  }
  if ('absolute' in law.bounds) {
    const [a, b] = law.bounds.absolute;
    return { scale: law.std, lower: (a - law.mean) / law.std, upper: (b - law.mean) / law.std };
  }
  const [lower, upper] = law.bounds.sigmas;
  const scale = law.rescale ? law.std / momentsOf(new NormalWindow(lower, upper)).std : law.std;
  return { scale, lower, upper };
}

/** Simpson's rule over the part of the window with a density above e^-60 of the densest point's. */
function momentsOf(window: NormalWindow): { mean: number; std: number; standardized: number[] } {
  const { mode } = window;
  const reach = 120 / (Math.abs(mode) + Math.sqrt(mode * mode + 120));
  const a = Math.max(window.lower, mode - reach);
  const b = Math.min(window.upper, mode + reach);
  const h = (b - a) / PANELS;
  const integrate = (f: (x: number) => number): number => {
    let sum = 0;
    for (let i = 0; i <= PANELS; i++) {
      const x = a + h * i;
      const weight = i === 0 || i === PANELS ? 1 : i % 2 === 1 ? 4 : 2;
      sum += weight * Math.exp(-0.5 * (x - mode) * (x + mode)) * f(x);
    }
    return sum;
  };
  const total = integrate(() => 1);
  const mean = mode + integrate((x) => x - mode) / total;
  const std = Math.sqrt(integrate((x) => (x - mean) ** 2) / total);
  const standardized = Array.from({ length: 9 }, (_, k) => integrate((x) => ((x - mean) / std) ** k) / total);
  return { mean, std, standardized };
}
