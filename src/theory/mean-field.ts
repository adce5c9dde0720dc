import { IsometryError } from '../errors.js';
import { checkKeys, numberOption, withDefault } from '../options.js';
import type { Activation, ActivationFunction } from './activations.js';
import { LARGEST_SIGMA, secondMoments } from './critical-line.js';
import { expectation } from './gaussian.js';
import { type ActivationOptions, type ResolvedActivation, resolveActivation } from './resolve.js';

/** Options of {@link meanField}. */
export interface MeanFieldOptions extends ActivationOptions {
  /** Standard deviation of the weights times √fanIn, above 0, at most 1e6. */
  readonly sigmaW: number;
  /** Standard deviation of the biases, from 0 to 1e6. Default 0. */
  readonly sigmaB?: number | undefined;
}

/** What {@link meanField} answers. */
export interface MeanField {
  /** Variance of the pre-activations that layers converge to from variance 1; 0 when signals die out. */
  readonly q: number;
  /** Factor per layer on the squared norm of gradients: below 1 they vanish (order), above 1 they explode (chaos). */
  readonly chi: number;
  /** Layers after which gradients have changed by a factor e: 1 / |ln χ|; infinite at the edge of chaos. */
  readonly depthScale: number;
  /** Layers after which a deviation of the variance from q has shrunk by a factor e. */
  readonly varianceDepthScale: number;
}

/** Where q is 0, expectations are taken for signals as small as this. */
const TINY = 2 ** -60;
/** A variance that shrinks below this without biases goes to 0. */
const VANISHED = 2 ** -40;
/** A variance that grows beyond this has no bound. */
const EXPLODED = 2 ** 40;

/**
 * How signals and gradients fare in a deep, infinitely wide network whose layers have weights of variance σ_w²/fanIn
 * and biases of variance σ_b²: the fixed point q = V(q) = σ_w² E f(√q z)² + σ_b² that variances go to, χ =
 * σ_w² E f′(√q z)², and the depth scales ξ = 1/|ln χ| and ξ_q = 1/|ln V′(q)|, V′(q) = σ_w² E f(√q z) f′(√q z) z / √q.
 *
 * Schoenholz et al. 2017, "Deep Information Propagation", arXiv:1611.01232, find networks trainable up to about
 * six depth scales: where χ < 1, ξ is also that of the correlation between two inputs, ξ_c. Poole et al. 2016,
 * arXiv:1606.05340. It is an estimate to choose by, computed with `Math.log`: not the same to the last place everywhere.
 *
 * @param activation - a name of {@link ACTIVATIONS}, or f itself, a pure function of one number.
 * @throws IsometryError `INVALID_OPTION` when variances grow without bound, and for what `criticalLine` throws it for;
 * `UNKNOWN_OPTION`.
 */
export function meanField(activation: Activation | ActivationFunction, options: MeanFieldOptions): MeanField {
  const checked = checkKeys(options, ['sigmaW', 'sigmaB', 'slope', 'derivative'], 'meanField');
  const sigmaW = numberOption(checked['sigmaW'], 'sigmaW', { above: 0, max: LARGEST_SIGMA });
  const sigmaB = numberOption(withDefault(checked['sigmaB'], 0), 'sigmaB', { min: 0, max: LARGEST_SIGMA });
  const resolved = resolveActivation(activation, checked);
  const q = fixedPoint(resolved, sigmaW * sigmaW, sigmaB * sigmaB);
  const at = q === 0 ? TINY : q;
  const chi = sigmaW * sigmaW * secondMoments(resolved, at).slope;
  const { f, derivative, tolerance } = resolved;
  const root = Math.sqrt(at);
  const response = expectation((z) => f(root * z) * derivative(root * z) * z, tolerance);
  const slope = (sigmaW * sigmaW * response) / root;
  return Object.freeze({ q, chi, depthScale: scaleOf(chi), varianceDepthScale: scaleOf(slope) });
}

/** Layers per factor e. */
function scaleOf(factor: number): number {
  return 1 / Math.abs(Math.log(Math.abs(factor)));
}

/** Where q ← V(q) leads from q = 1, for V that grows with q: the nearest fixed point on the side that V(1) lies. */
function fixedPoint(activation: ResolvedActivation, weight: number, bias: number): number {
  const { f, label } = activation;
  const excess = (q: number): number => {
    const root = Math.sqrt(q);
    const next = weight * expectation((z) => f(root * z) * f(root * z)) + bias;
    return Math.abs(next - q) <= 1e-13 * q ? 0 : next - q;
  };
  const first = Math.sign(excess(1));
  if (first === 0) return 1;
  const vanishes = bias === 0 && f(0) === 0;
  let [inside, outside] = [1, 1];
  do {
    inside = outside;
    outside = first > 0 ? 2 * inside : inside / 2;
    if (outside > EXPLODED) throw explosive(label);
    if (vanishes && outside < VANISHED) return 0;
  } while (Math.sign(excess(outside)) === first);
  for (;;) {
    const middle = Math.sqrt(inside) * Math.sqrt(outside);
    const [low, high] = inside < outside ? [inside, outside] : [outside, inside];
    if (!(middle > low && middle < high)) return outside;
    const sign = Math.sign(excess(middle));
    if (sign === 0) return middle;
    if (sign === first) inside = middle;
    else outside = middle;
  }
}

function explosive(label: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected sigmaW and sigmaB that keep signals finite but with ${label} the variance grows without bound from ` +
      'layer to layer; use a smaller sigmaW',
  );
}
