import type { DType, TensorArray } from './dtype.js';
import type { Matrices } from './law.js';

/**
 * A rectangular, strided part of a tensor. Axis 0 is outermost. `source*` count elements in the tensor's random
 * stream (which element's value), `target*` count elements of the output (where it goes). Offsets and strides are
 * whole numbers ≥ 0, all indices < 2^53; every extent is ≥ 1 (an empty region is no job at all).
 */
export interface Region {
  readonly shape: readonly number[];
  readonly sourceOffset: number;
  readonly sourceStrides: readonly number[];
  readonly targetOffset: number;
  readonly targetStrides: readonly number[];
}

/** What a backend can compute. */
export type Primitive =
  | ElementPrimitive
  | MaskPrimitive
  | OrthogonalPrimitive
  | ComputedPrimitive
  | QrPrimitive;

/**
 * Random matrices Q with orthonormal columns, by the reflections of docs/adr/0008-orthogonal.md; rows ≥ cols. The
 * source index b·rows·cols + c·rows + r is row r of column c of matrix b. A source stride is never 0.
 */
export interface OrthogonalPrimitive {
  readonly kind: 'orthogonal';
  readonly rows: number;
  readonly cols: number;
  /** Of the working precision; not 0. */
  readonly gain: number;
  /** The working precision: float64 for float64 tensors, else float32. */
  readonly precision: 'float64' | 'float32';
  /** The standard normal of `precision`. */
  readonly normal: ElementPrimitive;
}

/** What JavaScript computes on every backend: source index u·size + i is element i of unit u. See `Recipe`. */
export interface ComputedPrimitive {
  readonly kind: 'computed';
  readonly size: number;
  /** Not 0. */
  readonly gain: number;
  readonly what: string;
  /** The same array where units have their inputs in common. */
  inputs(unit: number): readonly ComputedInput[];
  /** Elements [from, to) are wanted. */
  make(
    inputs: readonly TensorArray[],
    out: Float64Array,
    unit: number,
    from: number,
    to: number,
  ): Generator<undefined, void>;
}

/** Elements [offset, offset + length) of a stream. */
export interface ComputedInput {
  readonly primitive: ElementPrimitive | OrthogonalPrimitive;
  readonly stream: bigint;
  readonly dtype: 'float64' | 'float32';
  readonly offset: number;
  readonly length: number;
}

/**
 * Stacked matrices with orthonormal columns or rows by QR: the only job of its request, on the whole tensor. Unlike the
 * others it is not an element's index alone that decides its value, and backends agree to rounding only.
 */
export interface QrPrimitive {
  readonly kind: 'qr';
  /** Rounded to no dtype; not 0. */
  readonly gain: number;
  readonly matrices: Matrices;
  /** The standard normal of `precision`. */
  readonly normal: ElementPrimitive;
  /** Of the factorization: float64 for float64 tensors, else float32 (in JavaScript float64 for all). */
  readonly precision: 'float64' | 'float32';
}

/**
 * The laws of independent elements that a backend can draw. All parameters are final: rounded for the dtype, with `min` and `max` the
 * smallest and largest value of the dtype that may appear in the output (±Infinity where nothing is bounded).
 */
export type ElementPrimitive =
  /** Every element is `value`, already rounded to the dtype. */
  | { readonly kind: 'constant'; readonly value: number }
  /** `low + range·u`, u uniform in [0, 1), clamped into [min, max]. */
  | {
      readonly kind: 'uniform';
      readonly low: number;
      readonly range: number;
      readonly min: number;
      readonly max: number;
    }
  /** `mean + std·z`, z standard normal (32- and 16-bit dtypes only; float64 takes `quantile`). */
  | { readonly kind: 'normal'; readonly mean: number; readonly std: number }
  /**
   * `mean + std·z`, z drawn from the `count` < 2^32 words from `base` on, clamped into [min, max] (32- and 16-bit
   * dtypes only).
   */
  | {
      readonly kind: 'truncatedNormal';
      readonly mean: number;
      readonly std: number;
      readonly base: number;
      readonly count: number;
      readonly min: number;
      readonly max: number;
    }
  /**
   * `mean + std·x`, x read from a two-sided table of an inverse CDF (core/quantile.h), clamped into [min, max];
   * arithmetic in float64.
   */
  | {
      readonly kind: 'quantile';
      readonly mean: number;
      readonly std: number;
      readonly table: Float64Array;
      readonly min: number;
      readonly max: number;
    };

/** +0 in a random subset of each column; the other elements stay as they are. See `MaskLaw`. */
export interface MaskPrimitive {
  readonly kind: 'mask';
  readonly rows: number;
  readonly stride: number;
  readonly zeros: number;
}

export type PrimitiveKind = (ElementPrimitive | MaskPrimitive)['kind'];

/** One primitive on one region. */
export interface Job {
  readonly primitive: Primitive;
  /** 64-bit stream id, see stream.ts. */
  readonly stream: bigint;
  readonly region: Region;
}

/**
 * All work for one output of `length` elements: the jobs in order, later ones overwriting earlier ones. Those of
 * independent elements come first.
 * Together they cover the output, so what a backend finds in the target never matters.
 */
export interface FillRequest {
  readonly seed: bigint;
  readonly dtype: DType;
  readonly length: number;
  readonly jobs: readonly Job[];
  /**
   * Elements of the output that are best computed at once, because any part of them costs nearly as much as all; a
   * multiple of it starts the next such unit. Left out where any window is as good as another.
   */
  readonly unit?: number;
}

/** The orthogonal jobs of a request that have their matrices in common. */
export interface OrthogonalRequest {
  readonly seed: bigint;
  readonly dtype: DType;
  /** Elements of the output. */
  readonly length: number;
  readonly stream: bigint;
  readonly rows: number;
  readonly cols: number;
  readonly precision: 'float64' | 'float32';
  readonly normal: ElementPrimitive;
  readonly parts: readonly { readonly gain: number; readonly region: Region }[];
}
