import type { Law } from '../law.js';
import { expectedHint, numberOption, oneOf, withDefault } from '../options.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { checkIsometric, oddMiddleTap, orthogonalParts } from './delta-orthogonal.js';
import { checkUngrouped } from './identity.js';
import { kernelView, whereOf, zerosPart } from './kernel-view.js';

const MIRRORS: readonly LooksLinearMirror[] = ['inputs', 'outputs', 'both'];

/** See {@link looksLinear}. */
export type LooksLinearMirror = 'inputs' | 'outputs' | 'both';

export interface LooksLinearInitializer {
  readonly kind: 'looksLinear';
  readonly gain: number;
  readonly mirror: LooksLinearMirror;
}

/** Options of {@link looksLinear}. */
export interface LooksLinearOptions {
  /** Factor on the matrix, any finite number. Default 1, at which signals keep their length. */
  readonly gain?: number | undefined;
  /** Which axes hold two halves that are mirror images. Default `inputs`, for CReLU. */
  readonly mirror?: LooksLinearMirror | undefined;
}

/** @internal */
export const looksLinearDefinition: Definition<LooksLinearInitializer> = {
  kind: 'looksLinear',
  options: ['gain', 'mirror'],
  parse: ({ gain, mirror }, where) => ({
    kind: 'looksLinear',
    gain: numberOption(withDefault(gain, 1), `${where}.gain`),
    mirror: oneOf(withDefault(mirror, 'inputs'), MIRRORS, `${where}.mirror`),
  }),
  law: ({ gain, mirror }, tensor) => looksLinearLaw(gain, mirror, tensor),
};

/**
 * Weights that make a network of rectifiers linear before training: mirrored halves `[W, −W]` undo a ReLU, as relu(z) −
 * relu(−z) = z. W is a random orthogonal matrix times `gain`, so the whole network is a product of such matrices.
 *
 * `mirror: 'inputs'` (the default) is `[W, −W]`: for a layer after a CReLU, whose output is relu(z) and, behind it on
 * the channel axis, relu(−z). The layer before it needs no mirror. For networks with the plain ReLU, which are made
 * twice as wide, the first layer is `mirror: 'outputs'`, W above −W; hidden layers are `'both'`, which is
 * `[[W, −W], [−W, W]]`; and the last is `'inputs'`. Biases must be 0.
 *
 * Shapes: a matrix, where W has orthonormal rows or columns, whichever are fewer; or a convolution kernel of odd
 * spatial axes, where W, with orthonormal columns, stands at the tap in the middle and all else is 0, as in
 * `deltaOrthogonal`. An axis that holds halves has an even length. The halves are one matrix, equal to the bit but for
 * the sign. `E` axes stack independent weights. No groups: a group would see only one of the halves.
 *
 * Balduzzi, Frean, Leary, Lewis, Ma, McWilliams 2017, "The shattered gradients problem: If resnets are the answer, then
 * what is the question?", arXiv:1702.08591.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number and `mirror` one of those, and when used on a
 * tensor with groups; `INVALID_SHAPE` for an odd mirrored axis, for a kernel that is even or whose W has more inputs
 * than outputs, and without a layout for ranks other than 2 to 5; `INVALID_LAYOUT` for one without `O`.
 */
export function looksLinear(options: LooksLinearOptions = {}): LooksLinearInitializer {
  return make(looksLinearDefinition, options);
}

function looksLinearLaw(gain: number, mirror: LooksLinearMirror, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = kernelView(tensor, 'looksLinear', 1);
  checkUngrouped(tensor, 'looksLinear', 'a group would see only one of the mirrored halves');
  const kernel = view.spatialAxes.length > 0;
  const origin = oddMiddleTap(tensor, 'looksLinear', view);
  const outputs = mirror === 'inputs' ? view.outputs : halfOf(view.outputs, 'outputs', mirror, tensor);
  const inputs = mirror === 'outputs' ? view.inputs : halfOf(view.inputs, 'inputs', mirror, tensor);
  if (kernel) checkIsometric(tensor, 'looksLinear', outputs, inputs, 'kaimingNormal() or orthogonal()');
  if (gain === 0 || elementCount(shape) === 0) return { kind: 'constant', value: 0 };

  const halves = [
    { output: 0, input: 0, sign: 1 },
    { output: 0, input: inputs, sign: -1 },
    { output: outputs, input: 0, sign: -1 },
    { output: outputs, input: inputs, sign: 1 },
  ].filter(({ output, input }) => output < view.outputs && input < view.inputs);
  const parts = halves.flatMap(({ output, input, sign }) => {
    const at = origin.map((place, axis) => {
      if (axis === view.outputAxis) return output;
      return axis === view.inputAxis ? input : place;
    });
    return orthogonalParts(shape, view, at, outputs, inputs, sign * gain);
  });
  return { kind: 'parts', stacked: view.stacked, parts: kernel ? [zerosPart(shape), ...parts] : parts };
}

function halfOf(length: number, axis: string, mirror: string, tensor: TensorInfo): number {
  if (length % 2 === 0) return length / 2;
  const hint = `mirror: "${mirror}" needs two halves, but there are ${length} ${axis}`;
  throw expectedHint(
    'INVALID_SHAPE',
    `an even number of ${axis}`,
    whereOf(tensor, 'looksLinear'),
    tensor.shape,
    hint,
  );
}
