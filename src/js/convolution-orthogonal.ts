/**
 * Orthogonal convolution kernels, in float64: products of factors P + (I − P)·z, z a shift along one spatial axis and P
 * a projection, applied one after the other to the taps. Only `+ − ×` in a fixed order, so every engine gets the same
 * bits; no dense matrix P is ever made.
 */

/** Columns of a tap that go through the projection together. */
const GROUP = 4;

/** A projection P of n dimensions: onto the span of `count` orthonormal columns, or onto what is orthogonal to it. */
export interface Projection {
  /** Column-major, n elements each. */
  readonly columns: Float64Array;
  readonly count: number;
  readonly complement: boolean;
}

/**
 * Multiplies a kernel by P + (I − P)·z along one axis. Yields between pieces of work.
 *
 * @param taps - the kernel: taps in row-major order, each a matrix of `outputs` × `inputs`, column-major.
 * @param size - how long each spatial axis is.
 * @param extents - how much of each axis is not zero yet; that of `axis`, which must be shorter than `size`, grows by one.
 */
export function* applyFactor(
  taps: Float64Array,
  { outputs, inputs, size }: { readonly outputs: number; readonly inputs: number; readonly size: number },
  projection: Projection,
  extents: number[],
  axis: number,
): Generator<undefined, void> {
  const matrix = outputs * inputs;
  const stride = size ** (extents.length - 1 - axis) * matrix;
  const rest = new Float64Array(matrix);
  const coefficients = new Float64Array(GROUP * projection.count);
  for (const start of linesAlong(extents, size, axis)) {
    for (let j = extents[axis]! - 1; j >= 0; j--) {
      const tap = start * matrix + j * stride;
      yield* split(taps, tap, rest, outputs, inputs, projection, coefficients);
      // What P leaves out moves on by one place. There is P's part of that place already, or 0.
      for (let k = 0; k < matrix; k++) taps[tap + stride + k] = taps[tap + stride + k]! + rest[k]!;
    }
  }
  extents[axis]!++;
}

/** The first tap of each line along `axis` that has taps other than 0. */
function* linesAlong(extents: readonly number[], size: number, axis: number): Generator<number> {
  const others = extents.map((extent, k) => (k === axis ? 1 : extent));
  const count = others.reduce((product, extent) => product * extent, 1);
  for (let line = 0; line < count; line++) {
    let [left, tap, stride] = [line, 0, 1];
    for (let k = others.length - 1; k >= 0; k--) {
      tap += (left % others[k]!) * stride;
      left = Math.floor(left / others[k]!);
      stride *= size;
    }
    yield tap;
  }
}

/** Replaces the columns X from `taps[at]` on by P·X, and `rest` by X − P·X. */
function* split(
  taps: Float64Array,
  at: number,
  rest: Float64Array,
  n: number,
  columns: number,
  { columns: u, count, complement }: Projection,
  coefficients: Float64Array,
): Generator<undefined, void> {
  rest.fill(0);
  for (let first = 0; first < columns; first += GROUP) {
    const width = Math.min(GROUP, columns - first);
    for (let c = 0; c < count; c++) {
      if (width === GROUP) dotFour(u, c * n, taps, at + first * n, n, coefficients, c * GROUP);
      else
        for (let k = 0; k < width; k++)
          coefficients[c * GROUP + k] = dot(u, c * n, taps, at + (first + k) * n, n);
    }
    yield;
    for (let c = 0; c < count; c++) {
      for (let k = 0; k < width; k++) {
        addMultiple(coefficients[c * GROUP + k]!, u, c * n, rest, (first + k) * n, n);
      }
    }
    yield;
  }
  // Now `rest` is U·Uᵀ·X: P·X itself, or what P leaves out.
  for (let k = 0; k < columns * n; k++) {
    const other = taps[at + k]! - rest[k]!;
    if (complement) taps[at + k] = other;
    else {
      taps[at + k] = rest[k]!;
      rest[k] = other;
    }
  }
}

function dot(u: Float64Array, from: number, x: Float64Array, at: number, n: number): number {
  let sum = 0;
  for (let r = 0; r < n; r++) sum += u[from + r]! * x[at + r]!;
  return sum;
}

/** {@link dot} with four columns in lockstep: every element of u is read once for them all. */
function dotFour(
  u: Float64Array,
  from: number,
  x: Float64Array,
  at: number,
  n: number,
  out: Float64Array,
  to: number,
): void {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  for (let r = 0; r < n; r++) {
    const value = u[from + r]!;
    s0 += value * x[at + r]!;
    s1 += value * x[at + n + r]!;
    s2 += value * x[at + 2 * n + r]!;
    s3 += value * x[at + 3 * n + r]!;
  }
  out[to] = s0;
  out[to + 1] = s1;
  out[to + 2] = s2;
  out[to + 3] = s3;
}

function addMultiple(
  factor: number,
  u: Float64Array,
  from: number,
  y: Float64Array,
  at: number,
  n: number,
): void {
  for (let r = 0; r < n; r++) y[at + r] = y[at + r]! + factor * u[from + r]!;
}
