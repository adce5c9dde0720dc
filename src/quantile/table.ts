import { QUANTILE_DEGREE, QUANTILE_SIDE_ROWS, QUANTILE_TABLE_SIZE } from '../js/quantile.js';
import { NormalWindow } from './normal-law.js';

const COEFFICIENTS = QUANTILE_DEGREE + 1;

/** Chebyshev-Lobatto points of [-1/8, 1/8], ascending. Any nearby points would do; these are part of the stream. */
const NODES: readonly number[] = [
  -0.125, -0.119937, -0.105157, -0.0818575, -0.0519269, -0.0177894, 0.0177894, 0.0519269, 0.0818575, 0.105157,
  0.119937, 0.125,
];

const cache = new Map<string, Float64Array>();
const CACHE_LIMIT = 32; // 48 KiB each

/**
 * The table of the inverse CDF of N(0, 1) truncated to [lower, upper] (see core/quantile.h for its layout), made with
 * + − × ÷ sqrt alone so that every engine makes the same one. Takes some 10 ms; the latest ones are kept.
 * The caller must not change it.
 */
export function quantileTable(lower: number, upper: number): Float64Array {
  const key = `${lower} ${upper}`;
  let table = cache.get(key);
  if (table === undefined) {
    table = new Float64Array(QUANTILE_TABLE_SIZE);
    const upperSide = QUANTILE_SIDE_ROWS * COEFFICIENTS;
    fillSide(table.subarray(0, upperSide), new NormalWindow(lower, upper), 1);
    fillSide(table.subarray(upperSide), new NormalWindow(-upper, -lower), -1);
    if (cache.size >= CACHE_LIMIT) cache.delete(cache.keys().next().value!);
  } else {
    cache.delete(key); // to the end: the map keeps the order of use
  }
  cache.set(key, table);
  return table;
}

/** One side: the points with the mass f, 2^-65 ≤ f ≤ 1/2, of the window below them, times `sign`. */
function fillSide(side: Float64Array, window: NormalWindow, sign: number): void {
  const total = window.mass(window.lower, window.upper);
  const values = new Float64Array(COEFFICIENTS);
  let high = highestPoint(window);
  const median = pointOfMass(window, 0.5 * total, lowestPoint(window), high);
  side[(QUANTILE_SIDE_ROWS - 1) * COEFFICIENTS] = sign * median;
  high = median;
  for (let row = QUANTILE_SIDE_ROWS - 2; row >= 0; row--) {
    const octave = 2 ** ((row >> 2) - 65);
    const centre = 1.125 + (row & 3) / 4;
    for (let i = COEFFICIENTS - 1; i >= 0; i--) {
      const fraction = (centre + NODES[i]!) * octave;
      // The first node of a row is the last one of the row before: the points come in falling order.
      high = pointOfMass(window, fraction * total, lowestPoint(window), high);
      values[i] = sign * high;
    }
    interpolate(values, side.subarray(row * COEFFICIENTS, (row + 1) * COEFFICIENTS));
  }
}

/** No point of mass ≥ 2^-66 of the window's lies below. */
function lowestPoint(window: NormalWindow): number {
  const end = Math.min(window.upper, 0);
  return Math.max(window.lower, end - 50 / Math.max(5, -end));
}

/** No median lies above. */
function highestPoint(window: NormalWindow): number {
  const start = Math.max(window.lower, 0);
  return Math.min(window.upper, start + 50 / Math.max(5, start));
}

/**
 * The x with `window.mass(lower, x) = mass`, in [low, high]: Newton's iteration from the upper end, which is the
 * solution for a slightly larger mass, with bisection where it would leave the bracket.
 */
function pointOfMass(window: NormalWindow, mass: number, low: number, high: number): number {
  let x = high;
  for (let i = 0; i < 100; i++) {
    const excess = window.mass(window.lower, x) - mass;
    const newton = x - excess / window.density(x);
    if (newton === x) return x;
    if (excess > 0) high = x;
    else low = x;
    const next = newton > low && newton < high ? newton : low + 0.5 * (high - low);
    const step = Math.abs(next - x);
    x = next;
    if (step <= 1e-16 * Math.abs(x) || !(low < x && x < high)) return x;
  }
  return x;
}

/** Coefficients, constant first, of the polynomial through (NODES, values): divided differences about the middle. */
function interpolate(values: Float64Array, out: Float64Array): void {
  const base = values[COEFFICIENTS >> 1]!; // off, so that what is rounded is small
  const c = values.map((value) => value - base);
  for (let j = 1; j < COEFFICIENTS; j++) {
    for (let i = COEFFICIENTS - 1; i >= j; i--) c[i] = (c[i]! - c[i - 1]!) / (NODES[i]! - NODES[i - j]!);
  }
  out.fill(0);
  for (let i = COEFFICIENTS - 1; i >= 0; i--) {
    for (let k = COEFFICIENTS - 1; k > 0; k--) out[k] = out[k - 1]! - NODES[i]! * out[k]!;
    out[0] = c[i]! - NODES[i]! * out[0]!;
  }
  out[0] = out[0]! + base;
}
