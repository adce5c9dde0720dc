import type { Law } from '../law.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import { placedElements } from '../placement.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import {
  type KernelView,
  kernelView,
  middleTap,
  placeDiagonals,
  whereOf,
  wrongAxes,
  zerosPart,
} from './kernel-view.js';

export interface IdentityInitializer {
  readonly kind: 'identity';
  readonly gain: number;
}

/** Options of {@link identity}. */
export interface IdentityOptions {
  /** What stands on the diagonal, any finite number. Default 1. */
  readonly gain?: number | undefined;
}

/** @internal */
export const identityDefinition: Definition<IdentityInitializer> = {
  kind: 'identity',
  options: ['gain'],
  parse: ({ gain }, where) => ({
    kind: 'identity',
    gain: numberOption(withDefault(gain, 1), `${where}.gain`),
  }),
  law: ({ gain }, tensor) => identityLaw(gain, tensor),
};

/**
 * `gain` on the main diagonal of a matrix, 0 elsewhere: output k is input k, as far as there are both. Nothing is
 * random.
 *
 * Shapes: two axes, and axes `E` anywhere, whose matrices are all the same. Need not be square: O × I with min(O, I)
 * elements that are not 0, as `torch.nn.init.eye_` and Keras's `Identity`. Kernels with spatial axes take {@link
 * dirac}.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number, and when used on a tensor with groups;
 * `INVALID_SHAPE` without a layout for any rank but 2, `INVALID_LAYOUT` for one without `O` or with spatial axes.
 */
export function identity(options: IdentityOptions = {}): IdentityInitializer {
  return make(identityDefinition, options);
}

function identityLaw(gain: number, tensor: TensorInfo): Law {
  const view = kernelView(tensor, 'identity', 1);
  if (view.spatialAxes.length > 0) {
    const hint = 'for a kernel use dirac(); for stacked matrices name the axes, as in layout: "EOI"';
    throw wrongAxes(tensor, 'identity', 'a matrix without spatial axes', hint);
  }
  checkUngrouped(tensor, 'identity', 'dirac() has an identity for each group');
  return diagonalLaw(gain, tensor.shape, view, middleTap(tensor.shape, view));
}

/** @throws IsometryError `INVALID_OPTION` where there are groups. */
export function checkUngrouped(tensor: TensorInfo, kind: string, hint: string): void {
  if ((tensor.groups ?? 1) === 1) return;
  throw expectedHint('INVALID_OPTION', '1', `groups of ${whereOf(tensor, kind)}`, tensor.groups, hint);
}

/** A value on the diagonals at a tap, and zeros around. */
export function diagonalLaw(
  value: number,
  shape: readonly number[],
  view: KernelView,
  origin: readonly number[],
): Law {
  const total = elementCount(shape);
  if (value === 0 || total === 0) return { kind: 'constant', value: 0 };
  const law = { kind: 'constant', value } as const;
  const diagonals = placeDiagonals(shape, view, origin).map((placement) => ({ law, placement }));
  const covered = diagonals.reduce((sum, { placement }) => sum + placedElements(placement), 0);
  if (covered === total) return law;
  return { kind: 'parts', stacked: 0, parts: [zerosPart(shape), ...diagonals] };
}
