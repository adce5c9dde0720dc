import { expected, IsometryError } from '../errors.js';
import { checkKeys, expectedHint, isPlainObject, oneOf, withDefault } from '../options.js';
import { ACTIVATIONS, type Activation, type ActivationFunction } from './activations.js';
import { expectation } from './gaussian.js';
import { atZero, type ResolvedActivation, resolveActivation } from './resolve.js';
import { GAIN_ACTIVATIONS, type GainActivation, gainSquared } from './torch-gains.js';

/** What a gain makes up for; see {@link gain}. */
export type GainConvention = 'torch' | 'secondMoment' | 'variance' | 'kumar';

/** Options of {@link gain}. */
export interface GainOptions {
  /** Default `torch` for the names of PyTorch's table, `secondMoment` for all others and for functions. */
  readonly convention?: GainConvention | undefined;
  /** Negative slope of `leakyRelu`, |slope| ≤ 1e150. Default 0.01. No other activation has one. */
  readonly slope?: number | undefined;
}

const CONVENTIONS: readonly GainConvention[] = ['torch', 'secondMoment', 'variance', 'kumar'];
/** Every name with a gain in some convention. */
const NAMES: readonly string[] = [...new Set<string>([...GAIN_ACTIVATIONS, ...ACTIVATIONS])];

/**
 * The factor by which a layer's weights should be scaled so that signals keep their size through the activation f that
 * follows: std = gain / √fanIn.
 *
 * | convention | gain | source |
 * |---|---|---|
 * | `torch` | a table, below | `torch.nn.init.calculate_gain` |
 * | `secondMoment` | 1 / √E f(z)², z ~ N(0, 1): keeps E x² | He et al. 2015, arXiv:1502.01852, eq. 10 |
 * | `variance` | 1 / √Var f(z): keeps Var x where means are removed | Brock et al. 2021, arXiv:2101.08692 |
 * | `kumar` | 1 / (\|f′(0)\| √(1 + f(0)²)): f as its tangent at 0 | Kumar 2017, arXiv:1704.08863 |
 *
 * PyTorch's table has 1 for `linear`, `conv1d` … `convTranspose3d` and `sigmoid`, 5/3 for `tanh`, √2 for `relu`,
 * √(2 / (1 + a²)) for `leakyRelu` (a its slope), and 3/4 for `selu`. Those of `linear`, `relu` and `leakyRelu` are
 * second-moment gains; the others are not: 1.5925 would be that of `tanh`, 1.8462 of `sigmoid`, and 1 of `selu`, which
 * self-normalization needs (Klambauer et al. 2017, arXiv:1706.02515).
 *
 * Moments are found by quadrature, to 1e-10 of the gain for smooth functions and 1e-8 for those with kinks or jumps.
 * Of a name, the result is the same to the bit on every platform. Of a function, it is as reproducible as the function:
 * `Math.tanh` and its kin differ in the last place between engines, so compute such a gain once and store the number.
 *
 * @param activation - a name of {@link ACTIVATIONS} or {@link GAIN_ACTIVATIONS}, or f itself, a pure function of one
 * number. A feature of f narrower than 0.02 may be missed.
 * @param options - or, as in PyTorch, only the slope of `leakyRelu`.
 * @throws IsometryError `INVALID_OPTION` for an unknown name (naming the nearest one), a convention that has no gain
 * for the activation, a function whose value is no finite number (naming the x), whose moment is 0 or diverges, or,
 * for `kumar`, which is not differentiable at 0; `UNKNOWN_OPTION`. What the function throws comes through.
 */
export function gain(
  activation: GainActivation | Activation | ActivationFunction,
  options?: GainOptions | number,
): number {
  if (options !== undefined && !isPlainObject(options)) return ofSlope(activation, options);
  const checked = checkKeys(options, ['convention', 'slope'], 'gain');
  const inTable = GAIN_ACTIVATIONS.some((name) => name === activation);
  const preset = inTable ? 'torch' : 'secondMoment';
  const convention = oneOf(withDefault(checked['convention'], preset), CONVENTIONS, 'convention');
  if (convention === 'torch') {
    if (typeof activation === 'function' || (!inTable && ACTIVATIONS.some((name) => name === activation))) {
      const hint = "'torch' is PyTorch's table; 'secondMoment' computes a gain";
      const what = `one of ${GAIN_ACTIVATIONS.join(', ')}`;
      throw expectedHint('INVALID_OPTION', what, 'activation', activation, hint);
    }
    return Math.sqrt(gainSquared(activation, checked['slope']));
  }
  // Unless the caller named a convention, a layer's name would have been right too.
  const names = checked['convention'] === undefined ? NAMES : ACTIVATIONS;
  const resolved = resolveActivation(activation, checked, names);
  if (convention === 'kumar') return kumarGain(resolved);
  return 1 / Math.sqrt(moment(resolved, convention));
}

function ofSlope(activation: unknown, slope: unknown): number {
  if (GAIN_ACTIVATIONS.some((name) => name === activation)) return Math.sqrt(gainSquared(activation, slope));
  if (typeof activation !== 'function') oneOf(activation, NAMES, 'activation');
  throw expected('INVALID_OPTION', 'a plain object', 'the options of gain', slope);
}

/** Below this fraction of the square of the mean, a variance is rounding. */
const NO_VARIANCE = 1e-24;

function moment({ f, label }: ResolvedActivation, convention: 'secondMoment' | 'variance'): number {
  const mean = convention === 'variance' ? expectation(f) : 0;
  const value = expectation((x) => (f(x) - mean) * (f(x) - mean));
  if (value > NO_VARIANCE * mean * mean) return value;
  const what = convention === 'variance' ? 'variance' : 'second moment';
  throw new IsometryError(
    'INVALID_OPTION',
    `expected an activation with a positive ${what} but that of ${label} is 0 or underflows; ` +
      'no gain can make up for an activation that is constant or vanishes',
  );
}

function kumarGain(activation: ResolvedActivation): number {
  const zero = atZero(activation);
  if (zero !== undefined && zero.derivative !== 0) {
    return 1 / (Math.abs(zero.derivative) * Math.sqrt(1 + zero.value * zero.value));
  }
  const why = zero === undefined ? 'is not differentiable there' : 'has the slope 0 there';
  throw new IsometryError(
    'INVALID_OPTION',
    `expected an activation with a slope at 0 for the convention 'kumar' but ${activation.label} ${why}; ` +
      "use 'secondMoment', which is √2 for relu",
  );
}
