import type { Law, LawPart, OrthogonalLaw } from '../law.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import {
  type KernelView,
  kernelView,
  middleTap,
  placeMatrices,
  whereOf,
  wrongAxes,
  zerosPart,
} from './kernel-view.js';

export interface DeltaOrthogonalInitializer {
  readonly kind: 'deltaOrthogonal';
  readonly gain: number;
}

/** Options of {@link deltaOrthogonal}. */
export interface DeltaOrthogonalOptions {
  /** Factor on the matrix, any finite number; see `gain`. Default 1. */
  readonly gain?: number | undefined;
}

/** @internal */
export const deltaOrthogonalDefinition: Definition<DeltaOrthogonalInitializer> = {
  kind: 'deltaOrthogonal',
  options: ['gain'],
  parse: ({ gain }, where) => ({
    kind: 'deltaOrthogonal',
    gain: numberOption(withDefault(gain, 1), `${where}.gain`),
  }),
  law: ({ gain }, tensor) => deltaOrthogonalLaw(gain, tensor),
};

/**
 * A convolution kernel that is `gain` times a random matrix with orthonormal columns at the tap in the middle, a row
 * for each output, a column for each input, and 0 at all others. Under `same` or circular padding the convolution keeps
 * the length of each place's vector of channels (times `gain`), so that of the whole signal; stacks of thousands of
 * such layers train.
 *
 * Shapes: three to five axes, or any layout with spatial axes, all of odd length: an even kernel has no middle. Columns
 * can be orthonormal only where there are at least as many outputs as inputs. With g groups, each group has a matrix of
 * its own, (O/g) × I (`IOHW`, transposed: O × (I/g)): a grouped convolution is g convolutions side by side. So has each
 * index of the `E` axes. Matrix number stack·g + group is made as that of `orthogonal` for a dense tensor O × I of the
 * same name, so uniform among all such matrices, and with the same bits on every backend.
 *
 * Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington 2018, "Dynamical isometry and a mean field theory of CNNs: How to
 * train 10,000-layer vanilla convolutional neural networks", arXiv:1806.05393.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number, and when used on a tensor for groups that do
 * not divide its outputs (`IOHW`: inputs); `INVALID_SHAPE` for an even kernel, for more inputs than outputs in a group,
 * and without a layout for other ranks; `INVALID_LAYOUT` for one without `O` or without a spatial axis.
 */
export function deltaOrthogonal(options: DeltaOrthogonalOptions = {}): DeltaOrthogonalInitializer {
  return make(deltaOrthogonalDefinition, options);
}

function deltaOrthogonalLaw(gain: number, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = kernelView(tensor, 'deltaOrthogonal');
  if (view.spatialAxes.length === 0) {
    throw wrongAxes(tensor, 'deltaOrthogonal', 'a kernel with spatial axes', 'for a matrix use orthogonal()');
  }
  const origin = oddMiddleTap(tensor, 'deltaOrthogonal', view);
  const { outputs, inputs, stacked } = view;
  checkIsometric(tensor, 'deltaOrthogonal', outputs, inputs, 'kaimingNormal() or orthogonal()');
  if (gain === 0 || elementCount(shape) === 0) return { kind: 'constant', value: 0 };
  const matrices = orthogonalParts(shape, view, origin, outputs, inputs, gain);
  return { kind: 'parts', stacked, parts: [zerosPart(shape), ...matrices] };
}

/**
 * The place of the tap in the middle.
 * @throws IsometryError `INVALID_SHAPE` for an even kernel, naming the two taps next to its middle.
 */
export function oddMiddleTap(tensor: TensorInfo, kind: string, view: KernelView): number[] {
  const { shape } = tensor;
  const even = view.spatialAxes.find((axis) => shape[axis]! % 2 === 0 && shape[axis]! > 0);
  if (even === undefined) return middleTap(shape, view);
  const length = shape[even]!;
  const hint =
    `a kernel of ${length} on axis ${even} (${view.axes[even]}) has no tap in the middle, only taps ${length / 2 - 1} and ` +
    `${length / 2} beside it: ⌊(k − 1)/2⌋ is what JAX and TensorFlow take, ⌊k/2⌋ what PyTorch's dirac_ does. ` +
    'Use an odd kernel, or orthogonal()';
  throw expectedHint('INVALID_SHAPE', 'odd spatial axes', whereOf(tensor, kind), shape, hint);
}

/**
 * @param instead - initializers to use.
 * @throws IsometryError `INVALID_SHAPE` for more columns than rows.
 */
export function checkIsometric(
  tensor: TensorInfo,
  kind: string,
  outputs: number,
  inputs: number,
  instead: string,
): void {
  if (inputs <= outputs) return;
  const hint =
    `a matrix of ${outputs} × ${inputs} has no orthonormal columns: ${inputs} inputs cannot all keep their length in ` +
    `${outputs} outputs. Use more outputs or fewer inputs, or ${instead}`;
  throw expectedHint(
    'INVALID_SHAPE',
    'at least as many outputs as inputs',
    whereOf(tensor, kind),
    tensor.shape,
    hint,
  );
}

/**
 * A random matrix for each stack and group with its first element at `origin`, times `gain`: with orthonormal rows or
 * columns, whichever are fewer. As of `orthogonal`, Q is the matrix if it has more rows than columns, else its
 * transpose.
 */
export function orthogonalParts(
  shape: readonly number[],
  view: KernelView,
  origin: readonly number[],
  outputs: number,
  inputs: number,
  gain: number,
): LawPart[] {
  const tall = outputs > inputs;
  const [rows, cols] = tall ? [outputs, inputs] : [inputs, outputs];
  const law: OrthogonalLaw = { kind: 'orthogonal', rows, cols, gain };
  const source = { outputs, inputs, outputStep: tall ? 1 : rows, inputStep: tall ? rows : 1 };
  return placeMatrices(shape, view, origin, source).map((placement) => ({ law, placement }));
}
