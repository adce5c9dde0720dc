import { expected } from '../errors.js';
import type { Law } from '../law.js';
import { parseGroups } from '../layout.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { diagonalLaw } from './identity.js';
import { kernelView, middleTap, whereOf, wrongAxes } from './kernel-view.js';

export interface DiracInitializer {
  readonly kind: 'dirac';
  readonly groups?: number;
}

/** Options of {@link dirac}. */
export interface DiracOptions {
  /** Groups of the convolution. Default those of the tensor: the option `groups` of `fill`, or a plan's. */
  readonly groups?: number | undefined;
}

/** @internal */
export const diracDefinition: Definition<DiracInitializer> = {
  kind: 'dirac',
  options: ['groups'],
  parse: ({ groups }, where) => ({
    kind: 'dirac',
    ...(groups === undefined ? {} : { groups: parseGroups(groups, `${where}.groups`) }),
  }),
  law: ({ groups }, tensor) => diracLaw(groups, tensor),
};

/**
 * A convolution kernel that changes nothing: 1 where output k meets input k at the middle tap, in each group, and 0
 * elsewhere. Nothing is random.
 *
 * The middle is tap ⌊k/2⌋ (counted from 0) on each spatial axis of length k, as for `torch.nn.init.dirac_`, which it
 * equals bit for bit. So the convolution passes its inputs on where the padding is ⌊k/2⌋ before the first element, also
 * for even k.
 *
 * Shapes: three to five axes, or any layout with spatial axes. With g groups, O outputs and I inputs of each group
 * (what is stored), each group has min(O/g, I) ones; a transposed convolution (`IOHW`) has min(O, I/g). `E` axes stack
 * kernels that are all the same.
 * @throws IsometryError `INVALID_OPTION` unless `groups` is a whole number ≥ 1; when used on a tensor, also unless it
 * divides the outputs (for `IOHW` the inputs) and is no other than the tensor's own; `INVALID_SHAPE` without a layout
 * for other ranks; `INVALID_LAYOUT` for one without `O` or without a spatial axis.
 */
export function dirac(options: DiracOptions = {}): DiracInitializer {
  return make(diracDefinition, options);
}

function diracLaw(groups: number | undefined, tensor: TensorInfo): Law {
  if (groups !== undefined && tensor.groups !== undefined && groups !== tensor.groups) {
    const where = `groups of ${whereOf(tensor, 'dirac')}`;
    throw expected('INVALID_OPTION', `${tensor.groups}, as the tensor has,`, where, groups);
  }
  const view = kernelView(tensor, 'dirac', groups ?? tensor.groups);
  if (view.spatialAxes.length === 0) {
    throw wrongAxes(tensor, 'dirac', 'a kernel with spatial axes', 'for a matrix use identity()');
  }
  return diagonalLaw(1, tensor.shape, view, middleTap(tensor.shape, view));
}
