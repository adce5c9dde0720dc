import { hadamardRow, hadamardSum, powerOfTwoFrom } from '../js/hadamard.js';
import type { Law, LawPart } from '../law.js';
import type { Recipe } from '../recipe.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { diagonalLaw } from './identity.js';
import { kernelView, middleTap, placeMatrices, zerosPart } from './kernel-view.js';

export interface ZeroInitializer {
  readonly kind: 'zero';
}

/** @internal */
export const zeroDefinition: Definition<ZeroInitializer> = {
  kind: 'zero',
  options: [],
  parse: () => ({ kind: 'zero' }),
  law: (_, tensor) => zeroLaw(tensor),
};

/**
 * ZerO: weights without randomness, of zeros and ones but for a factor. **Not** `zeros()`. A matrix O × I is the
 * identity where it has at most as many rows as columns: 1 on the main diagonal, 0 elsewhere. Else, where channels are
 * added, it is the top left part of a Hadamard matrix, ±1/√p with p the least power of two ≥ O: element (o, i) is
 * negative where o and i, counted from 0, have an odd number of binary digits 1 in common. That lets all outputs
 * differ, which zeros would not. Its columns are orthogonal, of length 1, where O is a power of two, else shorter and
 * not all orthogonal. The seed and the name have no effect; 1/√p is computed in float64 and rounded once.
 *
 * Shapes: a matrix, or a kernel with spatial axes, which has that matrix at the tap in the middle (⌊k/2⌋, counted from
 * 0, on each axis of length k) and zeros elsewhere. With groups each group's (O/g) × I matrix is made so. `E` axes
 * stack weights that are all the same.
 *
 * Zhao, Schäfer, Anandkumar 2021, "ZerO Initialization: Initializing Neural Networks with only Zeros and Ones",
 * arXiv:2110.12661, Algorithms 1 and 2, with the factor as in the authors' code. There residual branches end in zeros.
 * @throws IsometryError when used on a tensor: `INVALID_SHAPE` without a layout for ranks other than 2 to 5,
 * `INVALID_LAYOUT` for one without `O`, `INVALID_OPTION` for groups that do not divide the outputs (`IOHW`: the
 * inputs).
 */
export function zero(options?: Readonly<Record<string, never>>): ZeroInitializer {
  return make(zeroDefinition, options);
}

function zeroLaw(tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = kernelView(tensor, 'zero');
  const { outputs, inputs, stacked, spatialAxes, outputAxis, inputAxis } = view;
  const origin = middleTap(shape, view);
  if (outputs <= inputs || elementCount(shape) === 0) return diagonalLaw(1, shape, view, origin);
  const scale = Math.sqrt(1 / powerOfTwoFrom(outputs));
  // By rows or columns, so that windows of the tensor hold whole ones.
  const byRows = inputAxis === undefined || outputAxis < inputAxis;
  const source = { outputs, inputs, outputStep: byRows ? inputs : 1, inputStep: byRows ? 1 : outputs };
  const recipe = byRows ? hadamardRecipe(outputs, inputs) : hadamardRecipe(inputs, outputs);
  // A Hadamard matrix's first column is ones.
  const law: LawPart['law'] =
    inputs === 1 ? { kind: 'constant', value: scale } : { kind: 'computed', recipe, gain: scale };
  const matrices = placeMatrices(shape, view, origin, source).map((placement) => ({ law, placement }));
  const taps = spatialAxes.reduce((product, axis) => product * shape[axis]!, 1);
  if (taps === 1 && law.kind === 'constant') return law;
  return { kind: 'parts', stacked, parts: taps > 1 ? [zerosPart(shape), ...matrices] : matrices };
}

/** The first `rows` rows of a Hadamard matrix, again and again; a unit is the first `cols` elements of one. */
function hadamardRecipe(rows: number, cols: number): Recipe {
  const mean = hadamardSum(rows, cols, powerOfTwoFrom(Math.max(rows, cols))) / (rows * cols);
  return {
    what: `a part of ${rows} × ${cols} of a Hadamard matrix`,
    size: cols,
    mean,
    // All elements are ±1.
    std: Math.sqrt(Math.max(0, 1 - mean * mean)),
    largest: 1,
    inputs: () => [],
    make: (_inputs, out, unit) => hadamardRow(unit % rows, out),
  };
}
