import type { DType } from './dtype.js';
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
export type Primitive = ElementPrimitive | MatrixPrimitive;

/**
 * Stacked matrices with orthonormal columns or rows: the only job of its request, on the whole tensor. Unlike the
 * others it is not an element's index alone that decides its value, and backends agree to rounding only.
 */
export interface MatrixPrimitive {
  readonly kind: 'orthogonal';
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

export type PrimitiveKind = ElementPrimitive['kind'];

/** One primitive on one region. */
export interface Job {
  readonly primitive: Primitive;
  /** 64-bit stream id, see stream.ts. */
  readonly stream: bigint;
  readonly region: Region;
}

/**
 * All work for one output of `length` elements: the jobs in order, later ones overwriting earlier ones.
 * Together they cover the output, so what a backend finds in the target never matters.
 */
export interface FillRequest {
  readonly seed: bigint;
  readonly dtype: DType;
  readonly length: number;
  readonly jobs: readonly Job[];
}
