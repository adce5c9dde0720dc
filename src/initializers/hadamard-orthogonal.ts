import type { IsometryError } from '../errors.js';
import { powerOfTwoFrom, signedHadamardColumn } from '../js/hadamard.js';
import type { Law } from '../law.js';
import { expectedHint, numberOption, withDefault } from '../options.js';
import type { Recipe, RecipeInput } from '../recipe.js';
import { elementCount } from '../shape.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { whereOf } from './kernel-view.js';
import { matrixView, orthogonalPart } from './matrix-view.js';

export interface HadamardOrthogonalInitializer {
  readonly kind: 'hadamardOrthogonal';
  readonly gain: number;
}

/** Options of {@link hadamardOrthogonal}. */
export interface HadamardOrthogonalOptions {
  /** Factor on the matrix, any finite number; see `gain`. Default 1. */
  readonly gain?: number | undefined;
}

/** @internal */
export const hadamardOrthogonalDefinition: Definition<HadamardOrthogonalInitializer> = {
  kind: 'hadamardOrthogonal',
  options: ['gain'],
  parse: ({ gain }, where) => ({
    kind: 'hadamardOrthogonal',
    gain: numberOption(withDefault(gain, 1), `${where}.gain`),
  }),
  law: ({ gain }, tensor) => hadamardLaw(gain, tensor),
};

/**
 * A matrix with orthonormal rows or columns, whichever are fewer, times `gain`, out of random signs instead of random
 * numbers: the first columns of Q = H·D₃·H·D₂·H·D₁ / n^1.5, H a Hadamard matrix of size n, each D a diagonal of
 * independent signs. It costs n·log n per column, where `orthogonal` costs n²; but every backend computes it in
 * JavaScript, and up to thousands of rows `orthogonal` in native code is as fast or faster. **Not** uniform among all
 * orthogonal matrices (Haar's measure): there are only 2^(3n) of them. Elements are whole numbers over n^1.5, nearly
 * normal for large n.
 *
 * The sums are whole numbers below 2^53, hence exact, and multiplied by √(1/n)/n and then by gain in float64, at last
 * rounded to the dtype. So QᵀQ is I up to the rounding of single elements.
 *
 * Shapes as for `orthogonal` (rows: axis `O`, columns: all others as they are stored; `E` axes stack independent
 * matrices), but n, the larger of the two dimensions, is a power of two up to 2^26. Q is the matrix if that has more
 * rows than columns, else its transpose is. Element k of D_j of matrix b is negative where element (3b + j − 1)·n + k
 * of `uniform({ min: -1, max: 1 })` in float32 is, in the stream of the role `signs`.
 *
 * Yu, Suresh, Choromanski, Holtmann-Rice, Kumar 2016, "Orthogonal Random Features", arXiv:1610.09072, as SORF.
 * @throws IsometryError `INVALID_OPTION` unless `gain` is a finite number; when used on a tensor, `INVALID_SHAPE` for
 * another n, and for rank 0 or 1 without a layout, `INVALID_LAYOUT` for one without `O` or with an `E` that does not
 * come first.
 */
export function hadamardOrthogonal(options: HadamardOrthogonalOptions = {}): HadamardOrthogonalInitializer {
  return make(hadamardOrthogonalDefinition, options);
}

/** Sums of ±1 over three transforms reach at most n², so that they are exact; also what one column may take. */
const LARGEST = 2 ** 26;

function hadamardLaw(gain: number, tensor: TensorInfo): Law {
  const { shape } = tensor;
  const view = matrixView(tensor, 'hadamardOrthogonal');
  const n = Math.max(view.outputs, view.others);
  const zeros: Law = { kind: 'constant', value: 0 };
  if (elementCount(shape) === 0) return zeros;
  const next = n > LARGEST ? LARGEST : powerOfTwoFrom(n);
  if (next !== n) throw wrongSize(n, next, tensor);
  if (gain === 0) return zeros;
  elementCount([view.count, 3, n]); // every index of the signs is exact
  const cols = Math.min(view.outputs, view.others);
  const { placement } = orthogonalPart(shape, view, gain);
  const law = { kind: 'computed', recipe: columnRecipe(n, cols), gain } as const;
  return { kind: 'parts', stacked: view.stacked, parts: [{ law, placement }] };
}

/** A unit is a column of a matrix, whose columns are `cols` of n. */
function columnRecipe(n: number, cols: number): Recipe {
  const scale = Math.sqrt(1 / n) / n;
  const law = { kind: 'uniform', min: -1, max: 1 } as const;
  const signsOf = (matrix: number): readonly RecipeInput[] => [
    { law, role: 'signs', dtype: 'float32', offset: matrix * 3 * n, length: 3 * n },
  ];
  // All columns of a matrix have the same.
  let last = { matrix: 0, inputs: signsOf(0) };
  return {
    what: `an orthogonal matrix of ${n} × ${cols} out of signs`,
    size: n,
    std: Math.sqrt(1 / n),
    largest: 1,
    inputs: (unit) => {
      const matrix = Math.floor(unit / cols);
      if (matrix !== last.matrix) last = { matrix, inputs: signsOf(matrix) };
      return last.inputs;
    },
    *make([signs], out, unit) {
      yield* signedHadamardColumn(signs as Float32Array, unit % cols, out);
      for (let k = 0; k < n; k++) out[k] = out[k]! * scale;
    },
  };
}

function wrongSize(n: number, next: number, tensor: TensorInfo): IsometryError {
  const remedy = next < n ? `at most ${LARGEST}` : `${next / 2} or ${next} are the next`;
  const hint = `the larger dimension of the matrix is ${n}, and ${remedy}; any size has orthogonal()`;
  const what = 'a matrix whose larger dimension is a power of two up to 2^26';
  return expectedHint('INVALID_SHAPE', what, whereOf(tensor, 'hadamardOrthogonal'), tensor.shape, hint);
}
