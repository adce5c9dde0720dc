/**
 * The loops of blocks of reflections in float32 for whatever numbers, by `fma32` and slow: for what the loops of
 * orthogonal-fused.ts leave.
 */
import { fma32 } from './fma.js';
import { BLOCK } from './orthogonal-arithmetic.js';

/** Any reflections by one column, whatever the numbers. */
export function dotExact(
  v: Float32Array,
  at: number,
  stride: number,
  count: number,
  y: Float64Array,
  from: number,
  width: number,
  rows: number,
  sums: Float64Array,
  to: number,
): void {
  const end = from + width * rows;
  for (let i = 0, s = to; i < count; i++, s += width) {
    let sum = 0;
    for (let p = at + i, q = from; q < end; p += stride, q += width) sum = fma32(v[p]!, y[q]!, sum);
    sums[s] = Math.fround(sums[s]! + sum);
  }
}

/** Any rows by one column, of the reflections whose z lies before `end`, whatever the numbers. */
export function updateExact(
  v: Float32Array,
  at: number,
  stride: number,
  y: Float64Array,
  from: number,
  width: number,
  rows: number,
  z: Float64Array,
  of: number,
  end: number,
): void {
  for (let r = 0, q = from; r < rows; r++, q += width) {
    let sum = y[q]!;
    for (let p = at + r * stride, s = of; s < end; p++, s += width) sum = fma32(v[p]!, z[s]!, sum);
    y[q] = sum;
  }
}

/** Row i of step 2 by one column, from the term of j = `from` − 1 on, whatever the numbers. */
export function solveExact(
  u: Float64Array,
  base: number,
  rho: number,
  i: number,
  from: number,
  sums: Float64Array,
  to: number,
  width: number,
): void {
  let sum = sums[to + width * i]!;
  for (let j = from - 1; j > i; j--) sum = fma32(u[base + BLOCK * j + i]!, sums[to + width * j]!, sum);
  // Negated, so that what is left are sums.
  sums[to + width * i] = -Math.fround(sum * rho);
}
