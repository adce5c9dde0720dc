// What is known of random orthogonal matrices of Haar's distribution, as tests with p-values.
import { kolmogorovDistance, kolmogorovP, normalP } from './statistics.js';

/** n × n matrices one after the other; whether row- or column-major makes no difference to what is tested. */
export interface Matrices {
  readonly n: number;
  readonly data: Float64Array | Float32Array;
}

/** p-value of a sample's mean against its law's mean and standard deviation. */
function meanP(values: ArrayLike<number>, mean: number, std: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return normalP(((sum / values.length - mean) / std) * Math.sqrt(values.length));
}

/** p-value of samples of a continuous law. */
function lawP(values: Float64Array, law: (x: number) => number): number {
  return kolmogorovP(kolmogorovDistance(values.sort(), law), values.length);
}

/** Some number of each matrix. */
function ofEach({ n, data }: Matrices, number: (q: Float64Array | Float32Array) => number): Float64Array {
  const size = n * n;
  return Float64Array.from({ length: data.length / size }, (_, b) =>
    number(data.subarray(b * size, (b + 1) * size)),
  );
}

function trace(q: ArrayLike<number>, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += q[i * n + i]!;
  return sum;
}

function traceOfSquare(q: ArrayLike<number>, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) sum += q[i * n + j]! * q[j * n + i]!;
  return sum;
}

/** By elimination; 1 or −1 for an orthogonal matrix, whatever the rounding. */
export function determinant(q: ArrayLike<number>, n: number): number {
  const a = Float64Array.from(q);
  let product = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i * n + k]!) > Math.abs(a[pivot * n + k]!)) pivot = i;
    if (pivot !== k) {
      product = -product;
      for (let j = 0; j < n; j++)
        [a[k * n + j], a[pivot * n + j]] = [a[pivot * n + j]!, a[k * n + j]!] as const;
    }
    product *= a[k * n + k]!;
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k]! / a[k * n + k]!;
      for (let j = k; j < n; j++) a[i * n + j]! -= factor * a[k * n + j]!;
    }
  }
  return Math.round(product);
}

/**
 * Distribution of |t|, t one coordinate of a uniform point of the unit sphere in n dimensions, hence of any element or
 * uᵀQw of unit vectors: t² ~ Beta(1/2, (n − 1)/2), so t has density (1 − t²)^m, m = (n − 3)/2, times a constant.
 */
export function sphereLaw(n: number): (t: number) => number {
  // ∫₀ᵗ (1 − s²)^m ds, in steps of one from m = −1/2 or 0: (2m + 1)·I(m) = t·(1 − t²)^m + 2m·I(m − 1).
  const integral = (t: number): number => {
    let m = n % 2 === 0 ? -0.5 : 0;
    let value = n % 2 === 0 ? Math.asin(t) : t;
    while (m < (n - 3) / 2) {
      m++;
      value = (t * (1 - t * t) ** m + 2 * m * value) / (2 * m + 1);
    }
    return value;
  };
  const whole = integral(1);
  return (t) => integral(Math.min(1, t)) / whole;
}

/** Eigenvalues of a symmetric matrix, ascending: Jacobi's method. */
export function eigenvalues(a: Float64Array, n: number): Float64Array {
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) off += a[i * n + j]! ** 2;
    if (off < 1e-24) break;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (a[p * n + q] === 0) continue;
        const theta = (a[q * n + q]! - a[p * n + p]!) / (2 * a[p * n + q]!);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k * n + p]!, a[k * n + q]!];
          a[k * n + p] = c * x - s * y;
          a[k * n + q] = s * x + c * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p * n + k]!, a[q * n + k]!];
          a[p * n + k] = c * x - s * y;
          a[q * n + k] = s * x + c * y;
        }
      }
    }
  }
  return Float64Array.from({ length: n }, (_, i) => a[i * n + i]!).sort();
}

/** Eigenvalues are the slowest of all; of so many the matrices are enough. */
const MOST_EIGENVALUES = 50_000;

/**
 * One phase θ in (0, π) of each matrix of determinant `sign` with eigenvalues e^{±iθ}, each phase as likely as the
 * others; those of one matrix repel each other, so they are not to be pooled.
 */
export function phases({ n, data }: Matrices, sign: 1 | -1): Float64Array {
  const found: number[] = [];
  const pairs = pairsOf(n, sign);
  const count = Math.min(data.length / (n * n), MOST_EIGENVALUES / n);
  for (let b = 0; pairs > 0 && b < count; b++) {
    const q = data.subarray(b * n * n, (b + 1) * n * n);
    if (determinant(q, n) !== sign) continue;
    // cos θ, twice for each pair, and real eigenvalues: 1 for odd n and determinant, −1 for odd n and determinant −1, both
    // for even n and determinant −1.
    const half = Float64Array.from(q, (x, at) => (x + q[(at % n) * n + Math.floor(at / n)]!) / 2);
    const cosines = eigenvalues(half, n);
    const first = sign === -1 ? 1 : 0;
    const pick = (Math.imul(b + 1, 0x9e3779b1) >>> 0) % pairs;
    const cosine = (cosines[first + 2 * pick]! + cosines[first + 2 * pick + 1]!) / 2;
    found.push(Math.acos(Math.max(-1, Math.min(1, cosine))));
  }
  return Float64Array.from(found);
}

function pairsOf(n: number, sign: 1 | -1): number {
  return n % 2 === 0 && sign === -1 ? n / 2 - 1 : Math.floor(n / 2);
}

/**
 * Distribution of such a phase: the mean density of eigenphases of a determinant, from the kernels of Katz and Sarnak
 * 1999 ("Random matrices, Frobenius eigenvalues, and monodromy", 5.4), integrated term by term. With N pairs:
 * θ/π + Σ_{k=1}^{n/2−1} ±sin(2kθ)/k / (2πN) for even n, θ/π ∓ Σ_{k=1}^{N} sin((2k−1)θ)/(2k−1) / (πN) for odd n.
 */
export function phaseLaw(n: number, sign: 1 | -1): (theta: number) => number {
  const pairs = pairsOf(n, sign);
  return (theta) => {
    let sum = 0;
    if (n % 2 === 0) {
      for (let k = 1; k < n / 2; k++) sum += (sign * Math.sin(2 * k * theta)) / k;
      return theta / Math.PI + sum / (2 * Math.PI * pairs);
    }
    for (let k = 1; k < n; k += 2) sum += (sign * Math.sin(k * theta)) / k;
    return theta / Math.PI - sum / (Math.PI * pairs);
  };
}

/** Unit vectors that no coordinate is 0 in, and no two alike. */
function direction(n: number, step: number): number[] {
  const u = Array.from({ length: n }, (_, i) => 1 + step * i);
  const length = Math.sqrt(u.reduce((sum, x) => sum + x * x, 0));
  return u.map((x) => x / length);
}

/**
 * The tests, each giving p-values. The trace t of a matrix of O(n) has E t = 0, E t² = 1, E t⁴ = 3, so Var t² = 2, and
 * that of its square is 1 on average, with variance 2 (Diaconis and Shahshahani 1994; for n ≥ 2).
 */
export const HAAR_TESTS: ReadonlyMap<string, (matrices: Matrices) => number[]> = new Map([
  [
    'trace',
    (m: Matrices) => [
      meanP(
        ofEach(m, (q) => trace(q, m.n)),
        0,
        1,
      ),
    ],
  ],
  [
    'squared trace',
    (m: Matrices) => [
      meanP(
        ofEach(m, (q) => trace(q, m.n) ** 2),
        1,
        Math.SQRT2,
      ),
    ],
  ],
  [
    'trace of the square',
    (m: Matrices) => [
      meanP(
        ofEach(m, (q) => traceOfSquare(q, m.n)),
        1,
        Math.SQRT2,
      ),
    ],
  ],
  [
    'determinant',
    (m: Matrices) => [
      meanP(
        ofEach(m, (q) => determinant(q, m.n)),
        0,
        1,
      ),
    ],
  ],
  [
    'sign of the first element',
    (m: Matrices) => [
      meanP(
        ofEach(m, (q) => (q[0]! < 0 ? -1 : 1)),
        0,
        1,
      ),
    ],
  ],
  [
    'squared elements',
    (m: Matrices) =>
      Array.from({ length: m.n * m.n }, (_, k) =>
        lawP(
          ofEach(m, (q) => Math.abs(q[k]!)),
          sphereLaw(m.n),
        ),
      ),
  ],
  [
    'bilinear form',
    (m: Matrices) => {
      const [u, w] = [direction(m.n, 1), direction(m.n, 3)];
      const form = (q: ArrayLike<number>): number => {
        let sum = 0;
        for (let i = 0; i < m.n; i++) for (let j = 0; j < m.n; j++) sum += u[i]! * q[i * m.n + j]! * w[j]!;
        return Math.abs(sum);
      };
      return [lawP(ofEach(m, form), sphereLaw(m.n))];
    },
  ],
  [
    'eigenvalue phases',
    (m: Matrices) =>
      ([1, -1] as const)
        .filter((sign) => pairsOf(m.n, sign) > 0)
        .map((sign) => {
          const found = phases(m, sign);
          // As many matrices of one determinant as of the other.
          return found.length === 0 ? 0 : lawP(found, phaseLaw(m.n, sign));
        }),
  ],
]);
