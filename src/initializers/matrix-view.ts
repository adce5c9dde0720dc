import { expected, showName } from '../errors.js';
import type { LawPart, OrthogonalLaw } from '../law.js';
import { parseLayout } from '../layout.js';
import { expectedHint } from '../options.js';
import type { PlacedAxis } from '../placement.js';
import { elementCount } from '../shape.js';
import type { TensorInfo } from './definition.js';

/**
 * A tensor as a stack of matrices with a row for each output (axis `O`) and a column for each index of all other axes
 * together, in the order in which they are stored.
 */
export interface MatrixView {
  /** How many axes stack matrices: those of `E`, which come first. */
  readonly stacked: number;
  /** How many matrices. */
  readonly count: number;
  readonly outputAxis: number;
  /** The axes of the columns, outermost first. */
  readonly otherAxes: readonly number[];
  readonly outputs: number;
  /** Columns. */
  readonly others: number;
}

/**
 * @param kind - of the initializer, for messages.
 * @throws IsometryError `INVALID_SHAPE` for rank 0 or 1 without a layout, `INVALID_LAYOUT` for one without `O` or with an
 * `E` that does not come first.
 */
export function matrixView({ name, shape, layout }: TensorInfo, kind: string): MatrixView {
  const where = `${kind} tensor ${showName(name)}`;
  if (layout === undefined && shape.length < 2) {
    const hint = 'a bias or scale is no matrix: use zeros() or ones(), or name its axes, as in layout: "O"';
    throw expectedHint('INVALID_SHAPE', 'a shape of rank 2 or more or a layout', where, shape, hint);
  }
  const axes = layout === undefined ? `O${'I'.repeat(shape.length - 1)}` : parseLayout(layout, shape.length);
  const stacked = axes.length - axes.replace(/^E+/, '').length;
  const outputAxis = axes.indexOf('O');
  if (outputAxis < 0) throw expected('INVALID_LAYOUT', 'a layout with an axis O', where, layout);
  if (axes.lastIndexOf('E') >= stacked) {
    throw expected('INVALID_LAYOUT', 'a layout whose axes E come first', where, layout);
  }
  const otherAxes = shape.map((_, axis) => axis).filter((axis) => axis >= stacked && axis !== outputAxis);
  return {
    stacked,
    count: elementCount(shape.slice(0, stacked)),
    outputAxis,
    otherAxes,
    outputs: shape[outputAxis]!,
    others: elementCount(otherAxes.map((axis) => shape[axis]!)),
  };
}

/** The axes of a placement that moves tensor axes as they are stored, given the distance of the innermost in the stream. */
export function stridedAxes(
  shape: readonly number[],
  axes: readonly number[],
  innermost: number,
): PlacedAxis[] {
  const placed: PlacedAxis[] = [];
  let source = innermost;
  for (const axis of [...axes].reverse()) {
    placed.unshift({ extent: shape[axis]!, source, steps: new Map([[axis, 1]]) });
    source *= shape[axis]!;
  }
  return placed;
}

/**
 * Orthogonal matrices all over a tensor. Q is the matrix if it has more rows than columns, else its transpose is: so the
 * rows of a square tensor, too, can be computed one without the other.
 */
export function orthogonalPart(shape: readonly number[], view: MatrixView, gain: number): LawPart {
  const { outputs, others, stacked, outputAxis, otherAxes } = view;
  const tall = outputs > others;
  const [rows, cols] = tall ? [outputs, others] : [others, outputs];
  const law: OrthogonalLaw = { kind: 'orthogonal', rows, cols, gain };
  const matrixAxes = [...Array(stacked).keys()];
  const axes = [
    ...stridedAxes(shape, matrixAxes, rows * cols),
    ...stridedAxes(shape, [outputAxis], tall ? 1 : rows),
    ...stridedAxes(shape, otherAxes, tall ? rows : 1),
  ];
  return { law, placement: { sourceOffset: 0, origin: shape.map(() => 0), axes } };
}
