import { expectedHint, numberOption, oneOf } from '../options.js';
import { DEFAULT_SLOPE, MAX_SLOPE } from './activations.js';

/** An activation (or linear layer) of PyTorch's table of gains: what `kaimingNormal` takes as `nonlinearity`. */
export type GainActivation =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/** Squares of the gains: what a variance is multiplied by, and exact where the gain itself is irrational. */
const SQUARES: ReadonlyMap<GainActivation, number | ((slope: number) => number)> = new Map<
  GainActivation,
  number | ((slope: number) => number)
>([
  ['linear', 1],
  ['conv1d', 1],
  ['conv2d', 1],
  ['conv3d', 1],
  ['convTranspose1d', 1],
  ['convTranspose2d', 1],
  ['convTranspose3d', 1],
  ['sigmoid', 1],
  ['tanh', 25 / 9],
  ['relu', 2],
  ['leakyRelu', (slope: number) => 2 / (1 + slope * slope)],
  ['selu', 9 / 16],
]);

/** Every name of PyTorch's table of gains. */
export const GAIN_ACTIVATIONS: readonly GainActivation[] = [...SQUARES.keys()];

/**
 * The square of a gain of PyTorch's table, before the square root rounds it.
 * @param activation - a name of the table.
 * @param param - the negative slope of `leakyRelu`, default 0.01, |a| ≤ 1e150; no other activation takes one.
 * @throws IsometryError `INVALID_OPTION` for an unknown activation (naming the nearest one) or a bad parameter.
 * @internal
 */
export function gainSquared(activation: unknown, param?: unknown): number {
  const name = oneOf(activation, GAIN_ACTIVATIONS, 'activation');
  const square = SQUARES.get(name)!;
  if (typeof square === 'function') {
    const slope = param === undefined ? DEFAULT_SLOPE : param;
    return square(numberOption(slope, 'the slope of leakyRelu', { min: -MAX_SLOPE, max: MAX_SLOPE }));
  }
  if (param !== undefined) {
    throw expectedHint(
      'INVALID_OPTION',
      'no parameter',
      name,
      param,
      'only leakyRelu takes one, its negative slope',
    );
  }
  return square;
}
