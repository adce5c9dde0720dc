import { expectedHint, numberOption, oneOf } from './options.js';

/** An activation (or linear layer) that {@link gain} knows. */
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

/** Every name that {@link gain} takes. */
export const GAIN_ACTIVATIONS: readonly GainActivation[] = [...SQUARES.keys()];

/** Largest slope: its square must stay finite. */
export const MAX_SLOPE = 1e150;

/** Slope of a leaky ReLU for negative inputs when none is given, as in PyTorch. */
const DEFAULT_SLOPE = 0.01;

/**
 * The factor by which a layer's weights should be scaled so that signals keep their size through the activation that
 * follows: PyTorch's table (`torch.nn.init.calculate_gain`).
 *
 * | activation | gain |
 * |---|---|
 * | `linear`, `conv1d` … `convTranspose3d`, `sigmoid` | 1 |
 * | `tanh` | 5/3 |
 * | `relu` | √2 (He et al. 2015, arXiv:1502.01852, eq. 10) |
 * | `leakyRelu` | √(2 / (1 + a²)), a the negative slope (the same, eq. 15) |
 * | `selu` | 3/4 |
 *
 * Self-normalizing networks (Klambauer et al. 2017, arXiv:1706.02515) need gain 1 with SELU (`linear`, or
 * `lecunNormal()`); 3/4 is PyTorch's compromise, which gives up self-normalization for steadier gradients.
 *
 * @param activation - a name of the table.
 * @param param - the negative slope a of `leakyRelu`, default 0.01, |a| ≤ 1e150; no other activation takes one.
 * @throws IsometryError `INVALID_OPTION` for an unknown activation (naming the nearest one) or a bad parameter.
 */
export function gain(activation: GainActivation, param?: number): number {
  return Math.sqrt(gainSquared(activation, param));
}

/**
 * The square of {@link gain}, before the square root rounds it.
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
