import { expected, IsometryError } from '../errors.js';
import { expectedHint, numberOption, oneOf } from '../options.js';
import {
  ACTIVATIONS,
  type Activation,
  type ActivationFunction,
  MAX_SLOPE,
  type Pointwise,
  pointwise,
} from './activations.js';
import { differentiate, isDifferentiableAtZero } from './derivative.js';
import { QUADRATURE_TOLERANCE } from './gaussian.js';

/** An activation that was given by name or as a function: f and f′, checked wherever they are evaluated. */
export interface ResolvedActivation extends Pointwise {
  /** As messages call it. */
  readonly label: string;
  /** Whether it was given as a function, of which nothing else is known. */
  readonly isGiven: boolean;
  /** What quadrature of f′ can reach: differences are not exact to rounding. */
  readonly tolerance: number;
}

/** What describes an activation beyond its name or function. */
export interface ActivationOptions {
  /** Negative slope of `leakyRelu`, |slope| ≤ 1e150. Default 0.01. No other activation has one. */
  readonly slope?: number | undefined;
  /** f′ of an activation that is given as a function, as a function of x, not of f(x). Default: by differences. */
  readonly derivative?: ActivationFunction | undefined;
}

/**
 * f and f′ of an activation.
 * @param options - with `slope` and `derivative`, unchecked.
 * @param names - what a message lists for an unknown name.
 * @throws IsometryError `INVALID_OPTION` for an unknown name (naming the nearest), a slope that is none or not
 * wanted, a derivative that is none, not wanted, or evidently not that of the function.
 */
export function resolveActivation(
  activation: unknown,
  options: Readonly<Record<string, unknown>>,
  names: readonly string[] = ACTIVATIONS,
): ResolvedActivation {
  const { slope, derivative } = options;
  if (slope !== undefined && activation !== 'leakyRelu') {
    throw expectedHint('INVALID_OPTION', 'no value', 'slope', slope, 'only leakyRelu has a slope');
  }
  if (typeof activation === 'function') return ofFunction(activation as ActivationFunction, derivative);
  const name = oneOf(activation, names, 'activation') as Activation;
  if (derivative !== undefined) {
    const hint = `the derivative of ${name} is known`;
    throw expectedHint('INVALID_OPTION', 'no value', 'derivative', derivative, hint);
  }
  const negative =
    slope === undefined ? undefined : numberOption(slope, 'slope', { min: -MAX_SLOPE, max: MAX_SLOPE });
  return { ...pointwise(name, negative), label: name, isGiven: false, tolerance: QUADRATURE_TOLERANCE };
}

/** What differences leave of a derivative, next to kinks. */
const DIFFERENCES_TOLERANCE = 1e-9;

function ofFunction(activation: ActivationFunction, derivative: unknown): ResolvedActivation {
  const label = 'the activation';
  const f = checked(activation, label);
  if (derivative === undefined) {
    return {
      f,
      derivative: (x) => differentiate(f, x),
      label,
      isGiven: true,
      tolerance: DIFFERENCES_TOLERANCE,
    };
  }
  if (typeof derivative !== 'function') {
    throw expected('INVALID_OPTION', 'a function of x', 'derivative', derivative);
  }
  const given = checked(derivative as ActivationFunction, 'the derivative');
  compareDerivative(f, given);
  return { f, derivative: given, label, isGiven: true, tolerance: QUADRATURE_TOLERANCE };
}

/** `f`, but whatever is no finite number is an error that names the x. */
function checked(f: ActivationFunction, label: string): ActivationFunction {
  return (x) => {
    const y: unknown = f(x);
    if (typeof y !== 'number' || !Number.isFinite(y)) {
      const hint = 'it must be defined for every x, and not overflow for large ones';
      throw expectedHint('INVALID_OPTION', 'a finite number', `${label} at x = ${x}`, y, hint);
    }
    return y;
  };
}

/** Places without a meaning, so that no kink is there; a kink within one of them is not a mistake yet. */
const PLACES = [-2.41, -1.13, -0.37, 0.37, 1.13, 2.41];

/** Catches what is written in terms of f(x), or belongs to another function. */
function compareDerivative(f: ActivationFunction, derivative: ActivationFunction): void {
  const wrong = PLACES.filter((x) => {
    const [given, measured] = [derivative(x), differentiate(f, x)];
    return Math.abs(given - measured) > 1e-6 + 1e-3 * Math.max(Math.abs(given), Math.abs(measured));
  });
  const [x] = wrong;
  if (x === undefined || wrong.length < 2) return;
  throw new IsometryError(
    'INVALID_OPTION',
    `expected the derivative of the activation for derivative but at x = ${x} it is ${derivative(x)}, where the ` +
      `activation's slope is ${differentiate(f, x)}; it must be a function of x, not of the activation's output`,
  );
}

/**
 * f(0) and f′(0); `undefined` when f has no derivative at 0.
 * @throws IsometryError `INVALID_OPTION` when f is not defined there.
 */
export function atZero(activation: ResolvedActivation): { value: number; derivative: number } | undefined {
  const value = activation.f(0);
  if (activation.kinkAtZero) return undefined;
  if (activation.isGiven && !isDifferentiableAtZero(activation.f)) return undefined;
  return { value, derivative: activation.derivative(0) };
}
