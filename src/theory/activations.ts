import { exp } from '../quantile/exp.js';
import { cdf } from '../quantile/normal-law.js';
import { cos, erf, expm1, log1p, sigmoid, sin, tanh } from './elementary.js';

/** A function of one number that is applied to each element of a layer's output. */
export type ActivationFunction = (x: number) => number;

/** An activation whose function isometry knows. */
export type Activation =
  | 'linear'
  | 'relu'
  | 'leakyRelu'
  | 'tanh'
  | 'sigmoid'
  | 'selu'
  | 'elu'
  | 'celu'
  | 'silu'
  | 'swish'
  | 'gelu'
  | 'geluTanh'
  | 'mish'
  | 'softplus'
  | 'softsign'
  | 'hardtanh'
  | 'relu6'
  | 'hardswish'
  | 'relu2'
  | 'erf'
  | 'sin';

/** An activation and its derivative, in real numbers; where f has a kink, f′ is one of the slopes. */
export interface Pointwise {
  readonly f: ActivationFunction;
  readonly derivative: ActivationFunction;
  /** Whether the slopes on both sides of 0 differ. */
  readonly kinkAtZero?: boolean;
}

/** Largest slope: its square must stay finite. */
export const MAX_SLOPE = 1e150;

/** Slope of a leaky ReLU for negative inputs when none is given, as in PyTorch. */
export const DEFAULT_SLOPE = 0.01;

// Klambauer et al. 2017, arXiv:1706.02515, as PyTorch and Keras have them.
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;
const SQRT_2_BY_PI = 0.7978845608028654;
const TWO_BY_SQRT_PI = 1.1283791670955126;
const SQRT_2PI = 2.5066282746310002;

const leakyRelu = (slope: number): Pointwise => ({
  f: (x) => (x > 0 ? x : slope * x),
  derivative: (x) => (x > 0 ? 1 : slope),
  kinkAtZero: slope !== 1,
});

const elu: Pointwise = {
  f: (x) => (x > 0 ? x : expm1(x)),
  derivative: (x) => (x > 0 ? 1 : exp(x)),
};

/** Hendrycks and Gimpel 2016, arXiv:1606.08415; also x·σ(x), there "SiLU". */
const silu: Pointwise = {
  f: (x) => x * sigmoid(x),
  derivative: (x) => sigmoid(x) + x * sigmoid(x) * sigmoid(-x),
};

/** tanh(√(2/π)(x + 0.044715 x³)) = 2σ(2·…) − 1. */
const geluTanhGate = (x: number): number => 2 * SQRT_2_BY_PI * (x + 0.044715 * x * x * x);

/** tanh(softplus x) = n/(n + 2) with n = e^x(e^x + 2); 1 to rounding from x = 20 on. */
const mishN = (x: number): number => {
  const e = exp(Math.min(x, 20));
  return e * (e + 2);
};

const TABLE: ReadonlyMap<Activation, Pointwise> = new Map<Activation, Pointwise>([
  ['linear', { f: (x) => x, derivative: () => 1 }],
  ['relu', leakyRelu(0)],
  ['leakyRelu', leakyRelu(DEFAULT_SLOPE)],
  ['tanh', { f: tanh, derivative: (x) => 4 * sigmoid(2 * x) * sigmoid(-2 * x) }],
  ['sigmoid', { f: sigmoid, derivative: (x) => sigmoid(x) * sigmoid(-x) }],
  [
    'selu',
    {
      f: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x)),
      derivative: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exp(x)),
      kinkAtZero: true,
    },
  ],
  ['elu', elu],
  ['celu', elu], // with α = 1 they are one
  ['silu', silu],
  ['swish', silu],
  ['gelu', { f: (x) => x * cdf(x), derivative: (x) => cdf(x) + (x * exp(-0.5 * x * x)) / SQRT_2PI }],
  [
    'geluTanh',
    {
      f: (x) => x * sigmoid(geluTanhGate(x)),
      derivative: (x) => {
        const gate = geluTanhGate(x);
        const slope = 2 * SQRT_2_BY_PI * (1 + 3 * 0.044715 * x * x);
        return sigmoid(gate) + x * slope * sigmoid(gate) * sigmoid(-gate);
      },
    },
  ],
  [
    'mish',
    {
      f: (x) => (x * mishN(x)) / (mishN(x) + 2),
      derivative: (x) => {
        const n = mishN(x);
        const e = exp(Math.min(x, 20));
        return n / (n + 2) + ((x * 4 * e) / (n + 2)) * ((e + 1) / (n + 2));
      },
    },
  ],
  ['softplus', { f: (x) => Math.max(x, 0) + log1p(exp(-Math.abs(x))), derivative: sigmoid }],
  [
    'softsign',
    {
      f: (x) => x / (1 + Math.abs(x)),
      derivative: (x) => 1 / ((1 + Math.abs(x)) * (1 + Math.abs(x))),
    },
  ],
  ['hardtanh', { f: (x) => Math.max(-1, Math.min(1, x)), derivative: (x) => (x > -1 && x < 1 ? 1 : 0) }],
  [
    'relu6',
    {
      f: (x) => Math.max(0, Math.min(6, x)),
      derivative: (x) => (x > 0 && x < 6 ? 1 : 0),
      kinkAtZero: true,
    },
  ],
  [
    'hardswish',
    {
      f: (x) => (x * Math.max(0, Math.min(6, x + 3))) / 6,
      derivative: (x) => (x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6),
    },
  ],
  ['relu2', { f: (x) => (x > 0 ? x * x : 0), derivative: (x) => (x > 0 ? 2 * x : 0) }],
  ['erf', { f: erf, derivative: (x) => TWO_BY_SQRT_PI * exp(-x * x) }],
  ['sin', { f: sin, derivative: cos }],
]);

/** The activations whose functions isometry knows: what `gain`, `criticalLine` and `meanField` take by name. */
export const ACTIVATIONS: readonly Activation[] = [...TABLE.keys()];

/**
 * The function and derivative of an activation.
 * @param slope - of `leakyRelu` below 0; of no meaning to others.
 */
export function pointwise(name: Activation, slope?: number): Pointwise {
  return name === 'leakyRelu' && slope !== undefined ? leakyRelu(slope) : TABLE.get(name)!;
}
