import { expected, type IsometryError, showName } from '../errors.js';
import type { LawPart } from '../law.js';
import { axisLetters, checkGroups, parseGroups, sharedAxis } from '../layout.js';
import { expectedHint } from '../options.js';
import { type PlacedAxis, type Placement, wholePlacement } from '../placement.js';
import { elementCount } from '../shape.js';
import type { TensorInfo } from './definition.js';
import { stridedAxes } from './matrix-view.js';

/**
 * A weight as stacks (axes `E`, wherever they are) of groups of kernels: at each tap (a place on the spatial axes, of
 * which a dense layer has none) a matrix with a row for each output and a column for each input of one group.
 */
export interface KernelView {
  /** The layout's letters. */
  readonly axes: string;
  /** How many axes `E` come first. */
  readonly stacked: number;
  readonly stackAxes: readonly number[];
  /** How many stacks. */
  readonly count: number;
  readonly spatialAxes: readonly number[];
  readonly outputAxis: number;
  /** Undefined where the layout has no `I`: each output has one input. */
  readonly inputAxis: number | undefined;
  /** Of one group. */
  readonly outputs: number;
  readonly inputs: number;
  readonly groups: number;
  /** The axis that has all groups' parts one after the other. */
  readonly groupAxis: number;
}

/** What messages call a tensor. */
export function whereOf({ name }: TensorInfo, kind: string): string {
  return `${kind} tensor ${showName(name)}`;
}

/** An error about a tensor's axes: about its layout if it has one, else about its shape. */
export function wrongAxes(tensor: TensorInfo, kind: string, what: string, hint: string): IsometryError {
  const { shape, layout } = tensor;
  const where = whereOf(tensor, kind);
  return layout === undefined
    ? expectedHint('INVALID_SHAPE', what, where, shape, hint)
    : expectedHint('INVALID_LAYOUT', what, where, layout, hint);
}

/**
 * @param groups - of the layer; by default those of the tensor, or else 1.
 * @throws IsometryError `INVALID_SHAPE` without a layout for ranks other than 2 to 5, `INVALID_LAYOUT` for one without
 * `O`, `INVALID_OPTION` for groups that do not divide the axis, `TOO_LARGE`.
 */
export function kernelView(
  tensor: TensorInfo,
  kind: string,
  groups: number | undefined = tensor.groups,
): KernelView {
  const { shape, layout } = tensor;
  const axes = axisLetters(shape, layout);
  if (axes === undefined) {
    const hint =
      shape.length < 2
        ? 'a bias or scale is no kernel: use zeros() or ones()'
        : 'name its axes, as in layout: "EOIDHW"';
    throw expectedHint(
      'INVALID_SHAPE',
      'a shape of rank 2 to 5 or a layout',
      whereOf(tensor, kind),
      shape,
      hint,
    );
  }
  const outputAxis = axes.indexOf('O');
  if (outputAxis < 0) {
    throw expected('INVALID_LAYOUT', 'a layout with an axis O', whereOf(tensor, kind), layout);
  }
  elementCount(shape);
  const inputAxis = axes.includes('I') ? axes.indexOf('I') : undefined;
  const groupAxis = axes.indexOf(sharedAxis(axes));
  const count = parseGroups(groups ?? 1);
  checkGroups(count, shape[groupAxis]!, axes);
  const every = [...shape.keys()];
  const stackAxes = every.filter((axis) => axes[axis] === 'E');
  const outputs = shape[outputAxis]!;
  const inputs = inputAxis === undefined ? 1 : shape[inputAxis]!;
  return {
    axes,
    stacked: axes.length - axes.replace(/^E+/, '').length,
    stackAxes,
    count: elementCount(stackAxes.map((axis) => shape[axis]!)),
    spatialAxes: every.filter((axis) => !'OIE'.includes(axes[axis]!)),
    outputAxis,
    inputAxis,
    outputs: groupAxis === outputAxis ? outputs / count : outputs,
    inputs: groupAxis === outputAxis ? inputs : inputs / count,
    groups: count,
    groupAxis,
  };
}

/** The place ⌊k/2⌋ on each spatial axis of length k, else 0: where the tap in the middle is. */
export function middleTap(shape: readonly number[], { spatialAxes }: KernelView): number[] {
  return shape.map((extent, axis) => (spatialAxes.includes(axis) ? Math.floor(extent / 2) : 0));
}

/** The stream of a matrix: element (o, i) is number o·outputStep + i·inputStep; all its elements, without a gap. */
export interface MatrixSource {
  readonly outputs: number;
  readonly inputs: number;
  readonly outputStep: number;
  readonly inputStep: number;
}

/**
 * Where matrices lie at the tap `origin` when each stack and in it each group has one of its own, in this order in the
 * stream; with `origin` moved along the outputs or inputs, that far from the matrices' first row and column.
 *
 * There are as many placements as a group has outputs or as there are groups, whichever are fewer (for groups of
 * inputs, transposed convolutions, likewise): at most about √outputs.
 */
export function placeMatrices(
  shape: readonly number[],
  view: KernelView,
  origin: readonly number[],
  { outputs, inputs, outputStep, inputStep }: MatrixSource,
): Placement[] {
  const { stackAxes, groups, groupAxis, outputAxis, inputAxis } = view;
  const size = outputs * inputs;
  const stacks = stridedAxes(shape, stackAxes, groups * size);
  const output = axisOf(outputAxis, outputs, outputStep);
  const input = inputAxis === undefined ? [] : [axisOf(inputAxis, inputs, inputStep)];
  if (groups === 1) {
    return [{ sourceOffset: 0, origin, axes: [...stacks, output, ...input] }];
  }
  const byOutputs = groupAxis === outputAxis;
  const [extent, step] = byOutputs ? [outputs, outputStep] : [inputs, inputStep];
  const others = byOutputs ? input : [output];
  const moved = (by: number): number[] => origin.map((at, axis) => (axis === groupAxis ? at + by : at));
  if (groups <= extent) {
    const within = axisOf(groupAxis, extent, step);
    return Array.from({ length: groups }, (_, group) => ({
      sourceOffset: group * size,
      origin: moved(group * extent),
      axes: [...stacks, within, ...others],
    }));
  }
  const across: PlacedAxis = { extent: groups, source: size, steps: new Map([[groupAxis, extent]]) };
  return Array.from({ length: extent }, (_, index) => ({
    sourceOffset: index * step,
    origin: moved(index),
    axes: [...stacks, across, ...others],
  }));
}

function axisOf(axis: number, extent: number, source: number): PlacedAxis {
  return { extent, source, steps: new Map([[axis, 1]]) };
}

/**
 * The main diagonals of the matrices that {@link placeMatrices} places: as many elements as a matrix has rows or
 * columns, whichever are fewer.
 */
export function placeDiagonals(
  shape: readonly number[],
  view: KernelView,
  origin: readonly number[],
): Placement[] {
  const { stackAxes, outputs, inputs, groups, groupAxis, outputAxis, inputAxis } = view;
  const stacks = stridedAxes(shape, stackAxes, 1);
  const length = Math.min(outputs, inputs);
  const ends = inputAxis === undefined ? [outputAxis] : [outputAxis, inputAxis];
  const within = groupAxis === outputAxis ? outputs : inputs;
  const diagonal = { extent: length, source: 1, steps: new Map(ends.map((axis) => [axis, 1])) };
  const across = { extent: groups, source: 1, steps: new Map([[groupAxis, within]]) };
  const at = (index: number, group: number): number[] =>
    origin.map(
      (start, axis) => start + (ends.includes(axis) ? index : 0) + (axis === groupAxis ? group * within : 0),
    );
  if (groups <= length) {
    return Array.from({ length: groups }, (_, group) => ({
      sourceOffset: 0,
      origin: at(0, group),
      axes: [...stacks, diagonal],
    }));
  }
  return Array.from({ length }, (_, index) => ({
    sourceOffset: 0,
    origin: at(index, 0),
    axes: [...stacks, across],
  }));
}

/** Zeros all over, before what is not zero. */
export function zerosPart(shape: readonly number[]): LawPart {
  return { law: { kind: 'constant', value: 0 }, placement: wholePlacement(shape) };
}
