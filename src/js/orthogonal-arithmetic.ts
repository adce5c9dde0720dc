/**
 * What the loops of blocks of reflections work on, in either precision.
 *
 * V, the reflections of a block, is row-major, `stride` ≥ `count` numbers to a row, an even number. Columns that they
 * are applied to lie side by side in strips: `width` numbers to a row, of which the first `columns` are in use and the
 * others 0. Both have rows of zeros below, up to a multiple of ROWS. Numbers of the working precision are kept in
 * float64 arrays, but for V.
 */

/** Columns of a block of reflections. */
export const BLOCK = 64;

/** Rows of a chunk: one chain of sums. */
export const CHUNK = 256;

/** Rows are padded to a multiple of it. */
export const ROWS = 4;

/** I − ρ·v·vᵀ, v being `diagonal` in the column's own row; and the column's factor d. */
export interface Reflection {
  readonly diagonal: number;
  readonly rho: number;
  readonly sign: number;
}

/**
 * Of a column with `x` in its own row and the sum of squares `s` from there on; `last` is that of the last row. Twin of
 * the same in core/orthogonal.h.
 */
export function reflection(round: (x: number) => number, x: number, s: number, last: boolean): Reflection {
  const sign = x < 0 ? -1 : 1;
  if (last) return { diagonal: 0, rho: 0, sign };
  const diagonal = round(x + sign * Math.sqrt(s));
  const tau = s - x * x + diagonal * diagonal;
  // All of the column may be 0: two float32 normals in a row are, once in 2^50.
  return { diagonal, rho: tau > 0 ? round(2 / tau) : 0, sign: -sign };
}

export interface Arithmetic<V extends Float64Array | Float32Array = Float64Array | Float32Array> {
  /** To the working precision, to nearest even. */
  round(x: number): number;
  /** Columns of a strip of a matrix of `cols` columns. */
  stripWidth(cols: number): number;
  /** Whether `count` elements of U need no special care in `solve`. */
  isOrdinary(u: Float64Array, from: number, count: number): boolean;
  /**
   * One chunk of step 1: adds Σ v_i(r)·y(r) over `rows` rows, from +0 on, to `sums[to + width·i + column]`. V's first row
   * begins at `v[at]`, that of the strip at `y[from]`.
   */
  dot(
    v: V,
    at: number,
    stride: number,
    count: number,
    y: Float64Array,
    from: number,
    width: number,
    columns: number,
    rows: number,
    sums: Float64Array,
    to: number,
  ): void;
  /**
   * Step 2: replaces the sums by −z. U(i, j) is `u[base + BLOCK·j + i]`, 0 for i ≥ j; ρ_j is `rhos[first + j]`.
   * `ordinary` is whether U is.
   */
  solve(
    u: Float64Array,
    base: number,
    ordinary: boolean,
    rhos: Float64Array,
    first: number,
    count: number,
    sums: Float64Array,
    to: number,
    width: number,
    columns: number,
  ): void;
  /**
   * One chunk of step 3, `rows` a multiple of ROWS: adds v_i(r)·z_i to y(r) for each i, z being what `solve` left. The
   * first row is not 0 in the first `reach` reflections, and each further row in one more.
   */
  update(
    v: V,
    at: number,
    stride: number,
    count: number,
    y: Float64Array,
    from: number,
    width: number,
    columns: number,
    rows: number,
    reach: number,
    z: Float64Array,
    of: number,
  ): void;
}
