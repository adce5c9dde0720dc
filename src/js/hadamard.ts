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

/** Elements between two yields, as long as blocks are not larger: some milliseconds. */
const PIECE = 2 ** 20;

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
  // Sums of whole numbers are exact, so that any order will do: two doublings at a time.
  let half = 1;
  for (; 4 * half <= length; half *= 4) {
    const piece = Math.max(PIECE, 4 * half);
    for (let first = 0; first < length; first += piece) {
      blocks(values, first, Math.min(length, first + piece), half);
      if (length > PIECE) yield;
    }
  }
  if (2 * half === length) halves(values, half);
}

/** {@link quarters} of the blocks of four quarters from `first` to `end`. */
function blocks(values: Float64Array, first: number, end: number, quarter: number): void {
  for (let block = first; block < end; block += 4 * quarter)
    quarters(values, block, block + quarter, quarter);
}

/** Sums and differences of the elements from `first` to `end` with those one, two and three quarters of a block on. */
function quarters(values: Float64Array, first: number, end: number, quarter: number): void {
  for (let k = first; k < end; k++) {
    const a = values[k]!;
    const b = values[k + quarter]!;
    const c = values[k + 2 * quarter]!;
    const d = values[k + 3 * quarter]!;
    const left = a + b;
    const right = c + d;
    const leftTurned = a - b;
    const rightTurned = c - d;
    values[k] = left + right;
    values[k + quarter] = leftTurned + rightTurned;
    values[k + 2 * quarter] = left - right;
    values[k + 3 * quarter] = leftTurned - rightTurned;
  }
}

function halves(values: Float64Array, half: number): void {
  for (let k = 0; k < half; k++) {
    const x = values[k]!;
    const y = values[k + half]!;
    values[k] = x + y;
    values[k + half] = x - y;
  }
}

/**
 * Column `column` of H·D₃·H·D₂·H·D₁, in `out` of length n, a power of two. `signs` are 3n numbers; the diagonals'
 * elements are −1 where they are negative, else 1, D₁ first. Yields between pieces.
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
