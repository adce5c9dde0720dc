/**
 * Singular vectors by one-sided Jacobi rotations (Hestenes 1958, "Inversion of matrices by biorthogonalization and
 * related results"), in float64: only `+ − × ÷ sqrt` in a fixed order, so every engine gets the same bits. Jacobi is the
 * most accurate of the ways to a singular value decomposition (Demmel, Veselić 1992), and needs no second matrix.
 */

/** Sweeps over all pairs of columns; ten or so are enough, as convergence is quadratic. */
const MOST_SWEEPS = 60;

/**
 * Rotates the columns of the n × n matrix `a`, column-major, into each other until they are orthogonal to rounding: then
 * they are σ_i·u_i, the left singular vectors of `a` times its singular values, in no order. Yields after some n² operations.
 */
export function* orthogonalizeColumns(a: Float64Array, n: number): Generator<undefined, void> {
  const squares = new Float64Array(n);
  const tolerance = Math.sqrt(n) * 2 ** -53;
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    // Afresh in each sweep, so that the updates' rounding errors do not add up.
    for (let c = 0; c < n; c++) squares[c] = dot(a, c * n, c * n, n);
    let rotated = false;
    for (let p = 0; p < n - 1; p++) {
      if (rotateWithLater(a, squares, p, n, tolerance)) rotated = true;
      yield;
    }
    if (!rotated) return;
  }
}

/**
 * Makes column p orthogonal to each later one in turn. Whether anything was left to do. Not part of the generator: V8 compiles
 * the loops of generators badly.
 */
function rotateWithLater(
  a: Float64Array,
  squares: Float64Array,
  p: number,
  n: number,
  tolerance: number,
): boolean {
  let rotated = false;
  for (let q = p + 1; q < n; q++) {
    const product = dot(a, p * n, q * n, n);
    const limit = tolerance * Math.sqrt(squares[p]!) * Math.sqrt(squares[q]!);
    if (!(Math.abs(product) > limit)) continue;
    rotated = true;
    const zeta = (squares[q]! - squares[p]!) / (2 * product);
    const root = Math.sqrt(1 + zeta * zeta);
    // The smaller of the two angles that make the columns orthogonal.
    const t = zeta >= 0 ? 1 / (zeta + root) : -1 / (root - zeta);
    const c = 1 / Math.sqrt(1 + t * t);
    rotate(a, p * n, q * n, n, c, c * t);
    squares[p] = Math.max(0, squares[p]! - t * product);
    squares[q] = squares[q]! + t * product;
  }
  return rotated;
}

/** The product of two columns: four sums, of every fourth element each, added in the order (0 + 1) + (2 + 3). */
function dot(a: Float64Array, p: number, q: number, n: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 4 <= n; k += 4) {
    s0 += a[p + k]! * a[q + k]!;
    s1 += a[p + k + 1]! * a[q + k + 1]!;
    s2 += a[p + k + 2]! * a[q + k + 2]!;
    s3 += a[p + k + 3]! * a[q + k + 3]!;
  }
  for (; k < n; k++) s0 += a[p + k]! * a[q + k]!;
  return s0 + s1 + (s2 + s3);
}

function rotate(a: Float64Array, p: number, q: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const x = a[p + k]!;
    const y = a[q + k]!;
    a[p + k] = c * x - s * y;
    a[q + k] = s * x + c * y;
  }
}

/** The lengths of the columns of `a`, n × n, and the columns' numbers from the longest to the shortest; of equals the first comes first. */
export function sortedLengths(
  a: Float64Array,
  n: number,
): { readonly lengths: Float64Array; readonly order: readonly number[] } {
  const lengths = Float64Array.from({ length: n }, (_, c) => Math.sqrt(dot(a, c * n, c * n, n)));
  const order = [...lengths.keys()].sort((x, y) => lengths[y]! - lengths[x]! || x - y);
  return { lengths, order };
}
