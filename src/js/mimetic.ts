/** The factors of a matrix near a multiple of the identity. */
import { orthogonalizeColumns, sortedLengths } from './svd.js';

/** Below this a singular value counts as 0: its vectors would be noise. The matrix is about 1 large. */
const SMALLEST = 2 ** -400;

/**
 * Writes one factor of the best approximation of rank `rank` to the d × d matrix A = alpha·Z/√d + beta·I, by its singular
 * value decomposition U·Σ·Vᵀ: the columns of U·√Σ, or of V·√Σ, for the largest singular values, one after the other.
 *
 * @param z - row-major, becomes A.
 * @param signs - column j of both factors is negated where `signs[j]` < 0.
 * @param out - `rank` × d elements.
 */
export function* factorOf(
  z: Float64Array,
  signs: ArrayLike<number>,
  {
    d,
    rank,
    alpha,
    beta,
    side,
  }: { d: number; rank: number; alpha: number; beta: number; side: 'left' | 'right' },
  out: Float64Array,
): Generator<undefined, void> {
  const scale = alpha / Math.sqrt(d);
  const columns = new Float64Array(d * d);
  for (let r = 0; r < d; r++) {
    for (let c = 0; c < d; c++) {
      const element = scale * z[r * d + c]! + (r === c ? beta : 0);
      z[r * d + c] = element;
      columns[c * d + r] = element;
    }
  }
  yield* orthogonalizeColumns(columns, d);
  const { lengths, order } = sortedLengths(columns, d);
  for (let j = 0; j < rank; j++) {
    const [from, sigma] = [order[j]! * d, lengths[order[j]!]!];
    if (sigma < SMALLEST) break;
    const root = signs[j]! < 0 ? -Math.sqrt(sigma) : Math.sqrt(sigma);
    const to = out.subarray(j * d, (j + 1) * d);
    if (side === 'left') for (let r = 0; r < d; r++) to[r] = columns[from + r]! / root;
    else {
      // Aᵀ·σu = σ²·v.
      for (let r = 0; r < d; r++) {
        const factor = columns[from + r]!;
        for (let c = 0; c < d; c++) to[c] = to[c]! + factor * z[r * d + c]!;
      }
      for (let c = 0; c < d; c++) to[c] = to[c]! / (sigma * root);
    }
    yield;
  }
}
