import { IsometryError } from '../errors.js';
import { checkKeys, numberOption } from '../options.js';
import type { Activation, ActivationFunction } from './activations.js';
import { expectation } from './gaussian.js';
import { type ActivationOptions, atZero, type ResolvedActivation, resolveActivation } from './resolve.js';

/** Options of {@link criticalLine}: exactly one of `q`, `sigmaW` and `sigmaB` says which point of the line. */
export interface CriticalLineOptions extends ActivationOptions {
  /** Variance of the pre-activations at the fixed point, from 0 (the limit for small signals) to 2^40. */
  readonly q?: number | undefined;
  /** Standard deviation of the weights times √fanIn, above 0, at most 1e6. */
  readonly sigmaW?: number | undefined;
  /** Standard deviation of the biases, from 0 to 1e6. */
  readonly sigmaB?: number | undefined;
}

/** A point of the edge of chaos. */
export interface CriticalPoint {
  /** Variance of the pre-activations, the same in each layer. */
  readonly q: number;
  /** Standard deviation of the weights times √fanIn; the gain of an orthogonal matrix. */
  readonly sigmaW: number;
  /** Standard deviation of the biases. */
  readonly sigmaB: number;
}

/** Largest q. */
const LARGEST_Q = 2 ** 40;
/** Largest σ_w and σ_b. */
export const LARGEST_SIGMA = 1e6;

/**
 * The weights and biases with which an infinitely wide network is at the edge of chaos, where neither signals nor
 * gradients grow or vanish with depth: the variance q of pre-activations is a fixed point,
 * q = σ_w² E f(√q z)² + σ_b², and so is the size of gradients, χ = σ_w² E f′(√q z)² = 1, with z ~ N(0, 1).
 *
 * Poole et al. 2016, "Exponential expressivity in deep neural networks through transient chaos", arXiv:1606.05340;
 * Schoenholz et al. 2017, "Deep Information Propagation", arXiv:1611.01232.
 *
 * The line is a curve with one point for each q. Small q make deeper networks trainable (`tanh`: q → 0 is σ_w = 1,
 * σ_b = 0); for `relu` every q gives σ_w = √2, σ_b = 0. Where only σ_w or σ_b is given, the point with the smallest
 * q ≥ 2^-40 is found; σ_b² is known to about 1e-15·q, so that digits are lost where σ_b is tiny.
 *
 * Weights: `normal({ std: sigmaW / Math.sqrt(fanIn) })`, or `orthogonal` or `deltaOrthogonal` with `gain: sigmaW`.
 * Biases: `normal({ std: sigmaB })`.
 *
 * @param activation - a name of {@link ACTIVATIONS}, or f itself, a pure function of one number. Of a name, the
 * result is the same on every platform; of a function it is as reproducible as that, so store it.
 * @param options - one of `q`, `sigmaW`, `sigmaB`; `slope` of `leakyRelu`; `derivative` of a function. Without it f′
 * is taken by differences, and the result has a relative error of about 1e-9.
 * @throws IsometryError `INVALID_OPTION` where the line has no such point (for example σ_b² would be below 0, as for
 * `sigmoid` at q = 1), or for any q; for what `gain` throws it for; `UNKNOWN_OPTION`.
 */
export function criticalLine(
  activation: Activation | ActivationFunction,
  options: CriticalLineOptions,
): CriticalPoint {
  const checked = checkKeys(options, ['q', 'sigmaW', 'sigmaB', 'slope', 'derivative'], 'criticalLine');
  const given = (['q', 'sigmaW', 'sigmaB'] as const).filter((key) => checked[key] !== undefined);
  const [key] = given;
  if (key === undefined || given.length > 1) {
    const received = given.length === 0 ? 'none' : given.join(' and ');
    throw new IsometryError(
      'INVALID_OPTION',
      `expected exactly one of q, sigmaW and sigmaB for the options of criticalLine but received ${received}; ` +
        'the other two follow',
    );
  }
  const resolved = resolveActivation(activation, checked);
  if (key === 'q') return pointAt(resolved, numberOption(checked[key], key, { min: 0, max: LARGEST_Q }));
  const range = key === 'sigmaW' ? { above: 0, max: LARGEST_SIGMA } : { min: 0, max: LARGEST_SIGMA };
  return pointWith(resolved, key, numberOption(checked[key], key, range));
}

/** E f(√q z)² and E f′(√q z)². */
export function secondMoments(
  { f, derivative, tolerance }: ResolvedActivation,
  q: number,
): { signal: number; slope: number } {
  const root = Math.sqrt(q);
  const signal = expectation((z) => f(root * z) * f(root * z));
  const slope = expectation((z) => derivative(root * z) * derivative(root * z), tolerance);
  return { signal, slope };
}

/** σ_w² and σ_b², which may be below 0, at q. */
function variancesAt(activation: ResolvedActivation, q: number): { sigmaW: number; sigmaB: number } {
  if (q === 0) return variancesAtZero(activation);
  const { signal, slope } = secondMoments(activation, q);
  if (!(slope > 0 && 1 / slope <= LARGEST_SIGMA * LARGEST_SIGMA)) throw flat(activation.label, q);
  const rest = q - signal / slope;
  // What is left of two equal numbers is rounding: σ_b = 0 for relu.
  const noise = activation.tolerance * (q + signal / slope);
  return { sigmaW: 1 / slope, sigmaB: Math.abs(rest) <= noise ? 0 : rest };
}

/** The limit of small q. */
function variancesAtZero(activation: ResolvedActivation): { sigmaW: number; sigmaB: number } {
  const zero = atZero(activation);
  if (zero === undefined) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a number above 0 for q with ${activation.label}, which is not differentiable at 0, but received 0`,
    );
  }
  const slope = zero.derivative * zero.derivative;
  if (!(slope > 0)) throw flat(activation.label, 0);
  return { sigmaW: 1 / slope, sigmaB: 0 - (zero.value * zero.value) / slope };
}

function pointAt(activation: ResolvedActivation, q: number): CriticalPoint {
  const { sigmaW, sigmaB } = variancesAt(activation, q);
  if (!(sigmaB >= 0)) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a point of the edge of chaos of ${activation.label} but at q = ${q}, where σ_w² = ${sigmaW}, σ_b² ` +
        `would have to be ${sigmaB}; try another q, larger ones first`,
    );
  }
  return Object.freeze({ q, sigmaW: Math.sqrt(sigmaW), sigmaB: Math.sqrt(sigmaB) });
}

/** q is looked for from here to there by powers of four, and then between the two where the sign changes. */
const [FIRST_Q, LAST_Q] = [2 ** -40, 2 ** 20];

function pointWith(activation: ResolvedActivation, key: 'sigmaW' | 'sigmaB', sigma: number): CriticalPoint {
  const target = sigma * sigma;
  const limit = smallSignals(activation);
  if (limit !== undefined && Math.abs(limit[key] - target) <= 1e-15 * target) return pointAt(activation, 0);
  const excess = (q: number): number => variancesAt(activation, q)[key] - target;
  let before: readonly [number, number] | undefined;
  let zeros = 0;
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let q = FIRST_Q; q <= LAST_Q; q *= 4) {
    const value = excess(q);
    [lowest, highest] = [Math.min(lowest, value + target), Math.max(highest, value + target)];
    // σ_b² is a difference of numbers as large as q.
    if (Math.abs(value) <= 10 * activation.tolerance * (key === 'sigmaB' ? q : target)) zeros++;
    else if (before === undefined || value > 0 === before[1] > 0) before = [q, value];
    else return Object.freeze({ ...pointAt(activation, findZero(excess, before, [q, value])), [key]: sigma });
  }
  const asked = `${key} = ${sigma}`;
  const { label } = activation;
  const square = `${key === 'sigmaW' ? 'σ_w²' : 'σ_b²'} from ${lowest} to ${highest}`;
  throw new IsometryError(
    'INVALID_OPTION',
    zeros > 0
      ? `expected q for the options of criticalLine but received ${asked}, which the edge of chaos of ${label} has ` +
          'for a range of q or in the limit of small q; choose q'
      : `expected a ${key} that the edge of chaos of ${label} has but received ${asked}; ` +
          `for q from ${FIRST_Q} to ${LAST_Q} it has ${square}`,
  );
}

/** The limit of small q, where it is a point of the line. */
function smallSignals(activation: ResolvedActivation): { sigmaW: number; sigmaB: number } | undefined {
  const zero = atZero(activation);
  return zero !== undefined && zero.value === 0 && zero.derivative !== 0
    ? variancesAtZero(activation)
    : undefined;
}

/** A zero of `excess` between two places where its signs differ, by the Illinois form of the rule of false position. */
function findZero(
  excess: (q: number) => number,
  first: readonly [number, number],
  second: readonly [number, number],
): number {
  let [a, left] = first;
  let [b, right] = second;
  for (let step = 0; step < 100 && Math.abs(b - a) > 1e-15 * Math.abs(b); step++) {
    const q = b - (right * (b - a)) / (right - left);
    const value = excess(q);
    if (value === 0 || q === a || q === b) return q;
    if (value > 0 === right > 0) left /= 2;
    else [a, left] = [b, right];
    [b, right] = [q, value];
  }
  return b;
}

function flat(label: string, q: number): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `expected an activation whose slope lets signals through but that of ${label} is 0, or nearly, at q = ${q}; ` +
      'no weights make up for it',
  );
}
