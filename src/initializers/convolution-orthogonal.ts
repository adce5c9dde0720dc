import { applyFactor } from '../js/convolution-orthogonal.js';
import type { ComputedLaw, Law } from '../law.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import type { PlacedAxis, Placement } from '../placement.js';
import type { Recipe } from '../recipe.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { checkIsometric } from './delta-orthogonal.js';
import { type KernelView, kernelView, whereOf, wrongAxes } from './kernel-view.js';
import { stridedAxes } from './matrix-view.js';

const KIND = 'convolutionOrthogonal';

export interface ConvolutionOrthogonalInitializer {
  readonly kind: typeof KIND;
  readonly gain: number;
}

/** Options of {@link convolutionOrthogonal}. */
export interface ConvolutionOrthogonalOptions {
  /** Factor on the kernel, any finite number; see `gain`. Default 1. */
  readonly gain?: number | undefined;
}

/** @internal */
export const convolutionOrthogonalDefinition: Definition<ConvolutionOrthogonalInitializer> = {
  kind: KIND,
  options: ['gain'],
  parse: ({ gain }, where) => ({ kind: KIND, gain: numberOption(withDefault(gain, 1), `${where}.gain`) }),
  law: ({ gain }, tensor) => convolutionOrthogonalLaw(gain, tensor),
};

/**
 * A convolution kernel that keeps the length of every signal (times `gain`) and mixes its places: with circular padding
 * and stride 1 the convolution is an exact isometry; with zero padding there is a loss at the border. All taps are in use,
 * unlike `deltaOrthogonal`'s. TensorFlow's `ConvolutionOrthogonal1D` to `3D`, of the same law.
 *
 * With z_a the shift by one place along spatial axis a, and k the length of all of them, the kernel is the polynomial
 *
 *     ∏_{s = k−2 … 0} ∏_{a = last … first} (P_{s,a} + (I − P_{s,a})·z_a) · V
 *
 * in which the coefficient of z₁^{j₁}·z₂^{j₂}⋯ is the O × I matrix at tap (j₁, j₂, …), axes in the order in which they are
 * stored. V is O × I with orthonormal columns, made as by `orthogonal`: stream of the role `base`, matrix number u
 * being that of kernel u. P_{s,a} is the projection onto the span of random orthonormal vectors; their number r is that of
 * heads in O throws of a coin. Throw t of factor f = s·(number of axes) + a of kernel u is heads where element
 * ((u·F + f)·O + t) of `uniform({ min: -1, max: 1 })` in float32, role `coins`, is ≥ 0, F being the number of factors. The
 * vectors are the first r columns of Q, O × O, matrix number u·F + f of the role `projections`; for r > O/2 P is I
 * minus the projection onto the first O − r columns. All in float64, rounded to the dtype at the end.
 *
 * Shapes: three to five axes, or any layout with spatial axes, all of the same length, even or odd, and no more inputs than
 * outputs. Each group, and each index of the `E` axes, has a kernel of its own; kernel u = stack·groups + group.
 *
 * It is made as a whole, for any slice, in JavaScript: 64 channels of 3 × 3 take some 50 milliseconds, 256 a second or two, and
 * time grows with O²·I.
 *
 * Xiao, Bahri, Sohl-Dickstein, Schoenholz, Pennington 2018, arXiv:1806.05393, algorithms 1 to 3; Kautsky, Turcajová 1994,
 * "A matrix approach to discrete wavelets".
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number, and when used on a tensor for groups that do not
 * divide its outputs (`IOHW`: inputs); `INVALID_SHAPE` for spatial axes of different lengths, for more inputs than outputs in
 * a group, and without a layout for other ranks; `INVALID_LAYOUT` for one without `O` or without a spatial axis;
 * `OUT_OF_MEMORY` or `TOO_LARGE`, when filled, for a kernel that does not fit into memory.
 */
export function convolutionOrthogonal(
  options: ConvolutionOrthogonalOptions = {},
): ConvolutionOrthogonalInitializer {
  return make(convolutionOrthogonalDefinition, options);
}

function convolutionOrthogonalLaw(gain: number, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = kernelView(tensor, KIND);
  const { outputs, inputs, spatialAxes, stacked } = view;
  if (spatialAxes.length === 0) {
    throw wrongAxes(tensor, KIND, 'a kernel with spatial axes', 'for a matrix use orthogonal()');
  }
  const size = shape[spatialAxes[0]!]!;
  if (spatialAxes.some((axis) => shape[axis] !== size)) {
    const hint =
      'use a kernel of the same length along all its axes, or deltaOrthogonal(), which takes any odd ones';
    throw expectedHint('INVALID_SHAPE', 'spatial axes of equal length', whereOf(tensor, KIND), shape, hint);
  }
  checkIsometric(tensor, KIND, outputs, inputs, 'orthogonal()');
  if (gain === 0 || elementCount(shape) === 0) return { kind: 'constant', value: 0 };
  const law: ComputedLaw = { kind: 'computed', recipe: kernelRecipe(view, size), gain };
  return {
    kind: 'parts',
    stacked,
    parts: placeKernels(shape, view).map((placement) => ({ law, placement })),
  };
}

/**
 * Where the kernels lie: one of a group after the other in the stream, each tap by tap and, in a tap, input by input. As many
 * placements as there are groups, or places in a group, whichever are fewer.
 */
function placeKernels(shape: readonly number[], view: KernelView): Placement[] {
  const { outputs, inputs, groups, groupAxis, outputAxis, inputAxis, stackAxes, spatialAxes } = view;
  const matrix = outputs * inputs;
  const kernel = elementCount([...spatialAxes.map((axis) => shape[axis]!), matrix]);
  const axisOf = (axis: number, extent: number, source: number): PlacedAxis => ({
    extent,
    source,
    steps: new Map([[axis, 1]]),
  });
  const output = axisOf(outputAxis, outputs, 1);
  const input = inputAxis === undefined ? [] : [axisOf(inputAxis, inputs, outputs)];
  const [within, others] = groupAxis === outputAxis ? [output, input] : [input[0]!, [output]];
  const fixed = [
    ...stridedAxes(shape, stackAxes, groups * kernel),
    ...stridedAxes(shape, spatialAxes, matrix),
    ...others,
  ];
  const at = (place: number): number[] => shape.map((_, axis) => (axis === groupAxis ? place : 0));
  if (groups <= within.extent) {
    return Array.from({ length: groups }, (_, group) => ({
      sourceOffset: group * kernel,
      origin: at(group * within.extent),
      axes: [...fixed, within],
    }));
  }
  const across = { extent: groups, source: kernel, steps: new Map([[groupAxis, within.extent]]) };
  return Array.from({ length: within.extent }, (_, index) => ({
    sourceOffset: index * within.source,
    origin: at(index),
    axes: [...fixed, across],
  }));
}

/** Tap by tap, each column-major. */
function kernelRecipe({ outputs, inputs, spatialAxes }: KernelView, size: number): Recipe {
  const axes = spatialAxes.length;
  const factors = axes * (size - 1);
  const matrix = outputs * inputs;
  const square = outputs * outputs;
  const half = outputs * Math.floor(outputs / 2);
  const elements = size ** axes * matrix;
  return {
    what: `an orthogonal kernel of ${size} taps along ${axes === 1 ? 'its axis' : 'each axis'} and ${outputs} × ${inputs} channels`,
    size: elements,
    // A column, which is 1 long, has an element for each output at each tap.
    std: Math.sqrt(inputs / elements),
    largest: 1,
    inputs: (unit) => [
      orthogonalInput('base', outputs, inputs, unit * matrix, matrix),
      {
        law: { kind: 'uniform', min: -1, max: 1 },
        role: 'coins',
        dtype: 'float32',
        offset: unit * factors * outputs,
        length: factors * outputs,
      },
      ...Array.from({ length: factors }, (_, f) =>
        orthogonalInput('projections', outputs, outputs, (unit * factors + f) * square, half),
      ),
    ],
    *make([base, coins, ...projections], out) {
      out.set(base!);
      const extents = new Array<number>(axes).fill(1);
      for (const [f, columns] of projections.entries()) {
        const heads = coins!.subarray(f * outputs, (f + 1) * outputs).filter((coin) => coin >= 0).length;
        const complement = 2 * heads > outputs;
        const projection = {
          columns: columns as Float64Array,
          count: complement ? outputs - heads : heads,
          complement,
        };
        yield* applyFactor(out, { outputs, inputs, size }, projection, extents, f % axes);
      }
      // Rounding may have taken an element of ±1 beyond it.
      for (let k = 0; k < elements; k++) out[k] = Math.min(1, Math.max(-1, out[k]!));
    },
  };
}

function orthogonalInput(role: string, rows: number, cols: number, offset: number, length: number) {
  const law = { kind: 'orthogonal', rows, cols, gain: 1 } as const;
  return { law, role, dtype: 'float64', offset, length } as const;
}
