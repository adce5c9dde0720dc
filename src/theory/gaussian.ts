import { IsometryError } from '../errors.js';
import { exp } from '../quantile/exp.js';
import { GAUSS_ABSCISSAS, GAUSS_WEIGHTS } from '../quantile/mills-table.js';

const SQRT_2PI = 2.5066282746310002;

/** Beyond this e^(−z²/2) underflows. */
const FARTHEST = 37.5;
/** The law is followed out to here at least; what lies beyond has the probability 2e-19. */
const NEAREST = 9;
/** Width of a panel before it is divided. */
const PANEL = 0.25;
/** Panels at 0 become narrower by powers of four, so that features on any scale are met: f(√q·z) with a large q. */
const FINEST = 2 ** -26;
/** Panels that one expectation may take, 10 evaluations each: about a second. */
const MOST_PANELS = 200_000;
/** The same for derivatives by differences, which take up to 200 evaluations of the function each. */
const MOST_PANELS_OF_DIFFERENCES = 10_000;

/**
 * A function in float32 arithmetic never agrees with itself to float64's precision. In panels narrower than this
 * (`NARROW`) a change by this fraction of the panel (`NOISE`) is taken for rounding: an error of 1e-9 in all, at most,
 * next to a kink.
 */
const NARROW = 2 ** -10;
const NOISE = 1e-6;

/** Error of {@link expectation} relative to E|g|, at most, for functions that are exact to rounding. */
export const QUADRATURE_TOLERANCE = 1e-13;

/**
 * E g(z) for z ~ N(0, 1), by the 10-point Gauss-Legendre rule on panels that are halved until a panel and its halves
 * agree: kinks and jumps at any place cost a few dozen panels each. Features of g that are narrower than 0.02 and not
 * at 0 may be missed.
 *
 * @param g - called in the same order with the same arguments on every platform; its errors come through.
 * @param tolerance - of the sum of all errors, relative to E|g|.
 * @returns the expectation; 0 when g is 0 everywhere.
 * @throws IsometryError `INVALID_OPTION` when g overflows, the expectation diverges, or g is too irregular.
 */
export function expectation(g: (z: number) => number, tolerance: number = QUADRATURE_TOLERANCE): number {
  const integrator = new Integrator(g, tolerance);
  return integrator.run() / SQRT_2PI;
}

class Integrator {
  readonly #g: (z: number) => number;
  readonly #tolerance: number;
  #panelsLeft: number;
  /** ∫|g| over the panels so far, roughly. */
  #scale = 0;

  constructor(g: (z: number) => number, tolerance: number) {
    this.#g = g;
    this.#tolerance = tolerance;
    this.#panelsLeft = tolerance > QUADRATURE_TOLERANCE ? MOST_PANELS_OF_DIFFERENCES : MOST_PANELS;
  }

  run(): number {
    // The panels first, for their scale, then their division.
    const panels: (readonly [number, number, number])[] = [];
    let last = 0;
    let left = 0;
    for (let right = FINEST; ; left = right, right = right < PANEL ? 4 * right : right + PANEL) {
      const before = this.#scale;
      panels.push([left, right, this.#panel(left, right, true)]);
      panels.push([-right, -left, this.#panel(-right, -left, true)]);
      last = this.#scale - before;
      if (right >= FARTHEST || (right >= NEAREST && this.#scale > 0 && last <= 1e-18 * this.#scale)) break;
    }
    if (last > 1e-12 * this.#scale) throw divergent('grows too fast');
    // From the outside in: small contributions first.
    let sum = 0;
    for (const [a, b, whole] of panels.reverse()) sum += this.#refine(a, b, whole);
    return sum;
  }

  /** The integral from a to b, given the estimate of one panel. */
  #refine(a: number, b: number, whole: number): number {
    const stack: [number, number, number][] = [[a, b, whole]];
    let sum = 0;
    for (;;) {
      const top = stack.pop();
      if (top === undefined) return sum;
      const [low, high, estimate] = top;
      const middle = 0.5 * (low + high);
      const [lower, upper] = [this.#panel(low, middle, false), this.#panel(middle, high, false)];
      const change = Math.abs(lower + upper - estimate);
      if (this.#isExact(change, high - low, lower, upper) || high - low <= 1e-15 * Math.abs(middle)) {
        sum += lower + upper;
      } else {
        stack.push([low, middle, lower], [middle, high, upper]);
      }
    }
  }

  /** Whether the halves are good enough. The change by halving exceeds their error by far. */
  #isExact(change: number, width: number, lower: number, upper: number): boolean {
    // A hundred panels may err.
    if (change <= 0.01 * this.#tolerance * this.#scale) return true;
    return width <= NARROW && change <= NOISE * (Math.abs(lower) + Math.abs(upper));
  }

  #panel(a: number, b: number, first: boolean): number {
    if (this.#panelsLeft-- <= 0) throw irregular(a);
    const centre = 0.5 * (a + b);
    const half = 0.5 * (b - a);
    let sum = 0;
    let absolute = 0;
    for (let i = 0; i < GAUSS_ABSCISSAS.length; i++) {
      const offset = half * GAUSS_ABSCISSAS[i]!;
      const [lower, upper] = [this.#weighted(centre - offset), this.#weighted(centre + offset)];
      sum += GAUSS_WEIGHTS[i]! * (lower + upper);
      absolute += GAUSS_WEIGHTS[i]! * (Math.abs(lower) + Math.abs(upper));
    }
    if (first) this.#scale += half * absolute;
    return half * sum;
  }

  #weighted(z: number): number {
    const value = this.#g(z) * exp(-0.5 * z * z);
    if (!Number.isFinite(value)) throw divergent(`overflows at ${z} standard deviations of its input`);
    return value;
  }
}

function divergent(what: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected an activation whose second moment under the normal law is finite but its square ${what}; ` +
      'scale its argument down, or use one that grows more slowly than e^(x²/4)',
  );
}

function irregular(z: number): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected an activation that can be integrated but it is too irregular near ${z} standard deviations of its ` +
      'input; use a pure function of x with at most a few kinks and jumps',
  );
}
