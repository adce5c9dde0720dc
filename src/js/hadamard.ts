/**
 * Hadamard matrices in Sylvester's order: H(r, c) is +1 where r and c have an even number of binary digits 1 in common,
 * else −1. Only sums and differences, so exact as long as numbers stay below 2^53.
 */

/** The least power of two that is not smaller than `least` ≥ 1. */
export function powerOfTwoFrom(least: number): number {
  let power = 1;
  while (power < least) power *= 2;
  return power;
}

/** Additions between two yields: a few milliseconds. */
const PIECE = 2 ** 21;

/**
 * The first elements of row `row` ≥ 0, as many as `out` has. Each doubling repeats them or turns their signs. Yields
 * between pieces.
 */
export function* hadamardRow(row: number, out: Float64Array): Generator<undefined, void> {
  if (out.length > 0) out[0] = 1;
  for (let length = 1, digits = row; length < out.length; length *= 2, digits = Math.floor(digits / 2)) {
    const sign = digits % 2 === 0 ? 1 : -1;
    const end = Math.min(out.length, 2 * length);
    for (let k = length; k < end; k++) out[k] = sign * out[k - length]!;
    if (length >= PIECE) yield;
  }
}

/** The sum of the elements of the first `rows` rows and `cols` columns of the matrix of `size`, a power of two. */
export function hadamardSum(rows: number, cols: number, size: number): number {
  if (rows === 0 || cols === 0) return 0;
  // All rows, or all columns, but the first cancel.
  if (rows === size || cols === size) return size;
  const half = size / 2;
  const [top, bottom] = [Math.min(rows, half), Math.max(0, rows - half)];
  const [left, right] = [Math.min(cols, half), Math.max(0, cols - half)];
  return (
    hadamardSum(top, left, half) +
    hadamardSum(top, right, half) +
    hadamardSum(bottom, left, half) -
    hadamardSum(bottom, right, half)
  );
}

/** `values` ← H·`values`, whose length is a power of two: the fast Walsh–Hadamard transform. Yields between pieces. */
export function* walshHadamard(values: Float64Array): Generator<undefined, void> {
  const { length } = values;
  for (let half = 1, since = 0; half < length; half *= 2) {
    for (let block = 0; block < length; block += 2 * half) {
      for (let first = block; first < block + half; first += PIECE) {
        const end = Math.min(block + half, first + PIECE);
        for (let a = first, b = first + half; a < end; a++, b++) {
          const [x, y] = [values[a]!, values[b]!];
          values[a] = x + y;
          values[b] = x - y;
        }
        since += end - first;
        if (since >= PIECE) {
          since = 0;
          yield;
        }
      }
    }
  }
}

/**
 * Column `column` of H·D₃·H·D₂·H·D₁, in `out` of length n, a power of two. `signs` are 3n numbers; the diagonals' elements
 * are −1 where they are negative, else 1, D₁ first. Yields between pieces.
 */
export function* signedHadamardColumn(
  signs: Float32Array,
  column: number,
  out: Float64Array,
): Generator<undefined, void> {
  const n = out.length;
  yield* hadamardRow(column, out); // H is symmetric
  if (signs[column]! < 0) turnSigns(out);
  multiplySigns(out, signs.subarray(n, 2 * n));
  yield* walshHadamard(out);
  multiplySigns(out, signs.subarray(2 * n));
  yield* walshHadamard(out);
}

function turnSigns(values: Float64Array): void {
  for (let k = 0; k < values.length; k++) values[k] = -values[k]!;
}

function multiplySigns(values: Float64Array, signs: Float32Array): void {
  for (let k = 0; k < values.length; k++) if (signs[k]! < 0) values[k] = -values[k]!;
}
