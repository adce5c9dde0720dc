// Fixed-point arithmetic on BigInt with 256 fraction bits, and the normal law in it. Slow and exact enough to serve
// as the reference for every generated table and for the accuracy tests: 77 decimal digits, of which the tail
// probabilities down to 2^-66 keep more than 50.

export const FRACTION_BITS = 256n;
export const ONE = 1n << FRACTION_BITS;
const HALF = ONE >> 1n;

export const mul = (a, b) => (a * b) >> FRACTION_BITS;
export const div = (a, b) => (a << FRACTION_BITS) / b;

/** A double as fixed point, exact for |x| >= 2^-200 or so. */
export function fromNumber(x) {
  if (x === 0) return 0n;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const mantissa = (BigInt((high & 0xfffff) | (exponent ? 0x100000 : 0)) << 32n) | BigInt(view.getUint32(4));
  const shift = FRACTION_BITS + BigInt((exponent || 1) - 1075);
  const value = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return high >>> 31 ? -value : value;
}

/** The nearest double, ties to even. */
export function toNumber(value) {
  if (value === 0n) return 0;
  const magnitude = value < 0n ? -value : value;
  const shift = BigInt(magnitude.toString(2).length - 53);
  let mantissa = shift > 0n ? magnitude >> shift : magnitude << -shift;
  if (shift > 0n) {
    const rest = magnitude - (mantissa << shift);
    const half = 1n << (shift - 1n);
    if (rest > half || (rest === half && mantissa & 1n)) mantissa += 1n;
  }
  const result = Number(mantissa) * 2 ** Number(shift - FRACTION_BITS);
  return value < 0n ? -result : result;
}

export function sqrt(a) {
  const scaled = a << FRACTION_BITS;
  let root = 1n << BigInt((scaled.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + scaled / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export function exp(x) {
  const halvings = 32n;
  const reduced = x >> halvings;
  let term = ONE;
  let sum = ONE;
  for (let i = 1n; term !== 0n && term !== -1n; i++) {
    term = mul(term, reduced) / i;
    sum += term;
  }
  for (let i = 0n; i < halvings; i++) sum = mul(sum, sum);
  return sum;
}

/** Natural logarithm of x > 0: Newton's iteration from the platform's, whose digits it doubles. */
export function log(x) {
  let y = fromNumber(Math.log(toNumber(x)));
  for (let i = 0; i < 4; i++) {
    const power = exp(y);
    y += div(2n * (x - power), x + power);
  }
  return y;
}

function arctanOfInverse(n) {
  let power = ONE / n;
  let sum = power;
  for (let i = 3n, sign = -1n; power !== 0n; i += 2n, sign = -sign) {
    power /= n * n;
    sum += sign * (power / i);
  }
  return sum;
}

/** Machin's formula. */
export const PI = 4n * (4n * arctanOfInverse(5n) - arctanOfInverse(239n));

/** Sine: whole turns taken off, then Taylor's series. */
export function sin(x) {
  const reduced = x % (2n * PI);
  const square = mul(reduced, reduced);
  let term = reduced;
  let sum = reduced;
  for (let n = 2n; term > 1n || term < -1n; n += 2n) {
    term = -mul(term, square) / (n * (n + 1n));
    sum += term;
  }
  return sum;
}

export const cos = (x) => sin(x + PI / 2n);
export const SQRT_2PI = sqrt(2n * PI);

/** Density of N(0, 1). */
export const density = (z) => div(exp(-mul(z, z) / 2n), SQRT_2PI);

/** Φ(z) = 1/2 + φ(z) Σ z^(2k+1) / (1·3·5⋯(2k+1)). */
export function cdf(z) {
  const square = mul(z, z);
  let term = z;
  let sum = z;
  for (let odd = 3n; term > 1n || term < -1n; odd += 2n) {
    term = mul(term, square) / odd;
    sum += term;
  }
  return HALF + mul(density(z), sum);
}

/** Φ^-1(p) for 2^-70 < p <= 1/2, by Halley's iteration from a rational first guess (Abramowitz & Stegun 26.2.23). */
export function inverseCdf(p) {
  if (p === HALF) return 0n;
  if (p > HALF) return -inverseCdf(ONE - p);
  const t = Math.sqrt(-2 * Math.log(toNumber(p)));
  const ratio =
    (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3);
  let z = fromNumber(ratio - t);
  const tolerance = 1n << 128n; // 2^-128
  for (let i = 0; i < 20; i++) {
    const newton = div(cdf(z) - p, density(z));
    const step = div(newton, ONE + mul(z, newton) / 2n);
    z -= step;
    if (step < tolerance && step > -tolerance) return z;
  }
  throw new Error(`the inverse CDF did not converge at ${toNumber(p)}`);
}

/** Mills ratio (1 - Φ(x)) / φ(x) for 0 <= x <= 12. */
export const millsRatio = (x) => div(cdf(-x), density(x));

/**
 * Coefficients (constant first) of the polynomial through f at the given nodes: Newton's divided differences,
 * expanded. Nodes and values are fixed point.
 */
export function interpolate(nodes, values) {
  const n = nodes.length;
  const c = [...values];
  for (let j = 1; j < n; j++) {
    for (let i = n - 1; i >= j; i--) c[i] = div(c[i] - c[i - 1], nodes[i] - nodes[i - j]);
  }
  let polynomial = [c[n - 1]];
  for (let i = n - 2; i >= 0; i--) {
    const next = [0n, ...polynomial];
    for (let k = 0; k < polynomial.length; k++) next[k] -= mul(polynomial[k], nodes[i]);
    next[0] += c[i];
    polynomial = next;
  }
  return polynomial;
}

/** degree + 1 Chebyshev-Lobatto points of [low, high]: both ends are among them. */
export function lobattoNodes(low, high, degree) {
  return Array.from({ length: degree + 1 }, (_, i) => {
    if (i === 0) return fromNumber(low);
    if (i === degree) return fromNumber(high);
    // Any nearby point will do, so the platform's cosine may be off in its last digit; rounding hides even that.
    const unit = Math.round(-Math.cos((Math.PI * i) / degree) * 2 ** 30) / 2 ** 30;
    return fromNumber((low + high) / 2 + (unit * (high - low)) / 2);
  });
}
