/**
 * The probability law that an initializer means for one tensor, in real numbers: before any dtype and before any
 * random word. `lower.ts` turns it into the numbers of a `Primitive` for a dtype.
 *
 * All numbers are finite, except that truncation bounds may be −Infinity below or Infinity above (never both).
 */
export type Law =
  | ElementLaw
  /** Whole matrices with orthonormal rows or columns, whichever are fewer, times `gain` ≠ 0; see `orthogonal`. */
  | {
      readonly kind: 'orthogonal';
      readonly method: 'qr';
      readonly gain: number;
      readonly matrices: Matrices;
    };

/**
 * How a tensor is a stack of matrices: it is stored as [count, before, outputs, after], row-major, and each matrix has
 * the rows `outputs` and the columns (before, after), in this order.
 */
export interface Matrices {
  readonly count: number;
  readonly before: number;
  readonly outputs: number;
  readonly after: number;
}

/** A law of independent elements. */
export type ElementLaw =
  /** Every element is `value`. */
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform on [min, max), min < max. */
  | { readonly kind: 'uniform'; readonly min: number; readonly max: number }
  /** Normal; std > 0. */
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  /**
   * `mean + s·z` with z standard normal given that it lies within the bounds; std > 0. Bounds are either numbers
   * of sigmas, lower ≤ z ≤ upper, or absolute, lower ≤ mean + s·z ≤ upper; lower < upper.
   * `s` is `std`, or with `rescale` (only with bounds in sigmas) `std` divided by the standard deviation of the
   * truncated z, so that the elements' standard deviation is `std`.
   */
  | {
      readonly kind: 'truncatedNormal';
      readonly mean: number;
      readonly std: number;
      readonly bounds:
        | { readonly sigmas: readonly [number, number] }
        | { readonly absolute: readonly [number, number] };
      readonly rescale: boolean;
    };
