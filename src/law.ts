import type { Placement } from './placement.js';
import type { Recipe } from './recipe.js';

/**
 * The probability law that an initializer means for one tensor, in real numbers: before any dtype and before any
 * random word. `lower.ts` turns it into the numbers of a `Primitive` for a dtype.
 *
 * All numbers are finite, except that truncation bounds may be −Infinity below or Infinity above (never both).
 */
export type Law = ElementLaw | QrLaw | PartsLaw;

/** Laws on parts of a tensor. */
export interface PartsLaw {
  readonly kind: 'parts';
  /**
   * Either disjoint and together the whole tensor, or the first is the whole tensor and of independent elements, and the
   * others, which are disjoint, overwrite it. Those of independent elements and masks come first.
   */
  readonly parts: readonly LawPart[];
  /**
   * With how many axes of the tensor, the first ones, stacked matrices are counted: what lies under one index of theirs
   * is made from matrices of its own.
   */
  readonly stacked: number;
}

export interface LawPart {
  readonly law: ElementLaw | MaskLaw | OrthogonalLaw | ComputedLaw;
  /** Where the elements of the law's stream lie. */
  readonly placement: Placement;
  /** Names the stream beside the tensor's name, see `streamId`; left out, it is the tensor's own. */
  readonly role?: string;
}

/**
 * Zeros in what earlier parts have put there: in each column a random subset of `zeros` of its `rows` rows
 * (docs/adr/0009-sparse.md), 0 < zeros < rows. Element e of the stream is in row ⌊e/stride⌋ mod rows of column
 * ⌊e/(stride·rows)⌋·stride + e mod stride.
 */
export interface MaskLaw {
  readonly kind: 'mask';
  readonly rows: number;
  readonly stride: number;
  readonly zeros: number;
}

/**
 * Random matrices Q with orthonormal columns, made of reflections (docs/adr/0008-orthogonal.md), times `gain` ≠ 0.
 * Matrix b's row r of column c is element b·rows·cols + c·rows + r of the stream; rows ≥ cols.
 */
export interface OrthogonalLaw {
  readonly kind: 'orthogonal';
  readonly rows: number;
  readonly cols: number;
  readonly gain: number;
}

/** What JavaScript computes on every backend, times `gain` ≠ 0; element u·size + i of the stream is element i of unit u. */
export interface ComputedLaw {
  readonly kind: 'computed';
  readonly recipe: Recipe;
  readonly gain: number;
}

/** Whole matrices with orthonormal rows or columns, whichever are fewer, by QR, times `gain` ≠ 0; see `orthogonal`. */
export interface QrLaw {
  readonly kind: 'qr';
  readonly gain: number;
  readonly matrices: Matrices;
}

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
