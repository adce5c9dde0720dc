/**
 * The loops of blocks of reflections in float32, every product and sum rounded once, as fast as JavaScript has them;
 * for results that are no subnormals. The layout of their operands is described in orthogonal-arithmetic.ts.
 */
import { F64_LOW } from './fma.js';
import { BLOCK } from './orthogonal-arithmetic.js';

// Scratch of this module's own: what is imported is looked up again at every use.
const F64 = new Float64Array(1);
const WORDS = new Int32Array(F64.buffer);
const LOW = F64_LOW;
const DOUBTFUL = Number.NaN;

/**
 * `fma32`, but NaN where that takes a closer look; for results that are not subnormal. `sum` is the exact result rounded
 * to 53 bits: to round that to 24 bits is wrong only where it looks like a tie, its last 29 bits 1000…0. NaN stays NaN
 * to the end of a chain, where the loop returns and leaves the chain to its caller: code that is seldom run, or a call,
 * would cost more than all else in the loop.
 */
function fused(a: number, b: number, c: number): number {
  const sum = a * b + c;
  F64[0] = sum;
  return WORDS[LOW]! << 3 === -0x80000000 ? DOUBTFUL : Math.fround(sum);
}

/**
 * Two reflections by four columns: eight sums that do not wait for each other. From reflection `i` on; returns the first
 * of two that take a closer look, or a number ≥ `count`.
 */
export function dot4(
  v: Float32Array,
  at: number,
  stride: number,
  i: number,
  count: number,
  y: Float64Array,
  from: number,
  rows: number,
  sums: Float64Array,
  to: number,
): number {
  for (; i < count; i += 2) {
    let s00 = 0;
    let s01 = 0;
    let s02 = 0;
    let s03 = 0;
    let s10 = 0;
    let s11 = 0;
    let s12 = 0;
    let s13 = 0;
    const end = from + 4 * rows;
    for (let p = at + i, q = from; q < end; p += stride, q += 4) {
      const v0 = v[p]!;
      const v1 = v[p + 1]!;
      const y0 = y[q]!;
      const y1 = y[q + 1]!;
      const y2 = y[q + 2]!;
      const y3 = y[q + 3]!;
      s00 = fused(v0, y0, s00);
      s01 = fused(v0, y1, s01);
      s02 = fused(v0, y2, s02);
      s03 = fused(v0, y3, s03);
      s10 = fused(v1, y0, s10);
      s11 = fused(v1, y1, s11);
      s12 = fused(v1, y2, s12);
      s13 = fused(v1, y3, s13);
    }
    if (Number.isNaN(s00 + s01 + s02 + s03 + s10 + s11 + s12 + s13)) return i;
    const s = to + 4 * i;
    sums[s] = Math.fround(sums[s]! + s00);
    sums[s + 1] = Math.fround(sums[s + 1]! + s01);
    sums[s + 2] = Math.fround(sums[s + 2]! + s02);
    sums[s + 3] = Math.fround(sums[s + 3]! + s03);
    sums[s + 4] = Math.fround(sums[s + 4]! + s10);
    sums[s + 5] = Math.fround(sums[s + 5]! + s11);
    sums[s + 6] = Math.fround(sums[s + 6]! + s12);
    sums[s + 7] = Math.fround(sums[s + 7]! + s13);
  }
  return i;
}

/**
 * Four reflections by one column. From reflection `i` on; returns the first of four that take a closer look, or of those
 * that are less than four.
 */
export function dotColumn(
  v: Float32Array,
  at: number,
  stride: number,
  i: number,
  count: number,
  y: Float64Array,
  from: number,
  width: number,
  rows: number,
  sums: Float64Array,
  to: number,
): number {
  const end = from + width * rows;
  for (; i + 4 <= count; i += 4) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let p = at + i, q = from; q < end; p += stride, q += width) {
      const x = y[q]!;
      s0 = fused(v[p]!, x, s0);
      s1 = fused(v[p + 1]!, x, s1);
      s2 = fused(v[p + 2]!, x, s2);
      s3 = fused(v[p + 3]!, x, s3);
    }
    if (Number.isNaN(s0 + s1 + s2 + s3)) return i;
    const s = to + width * i;
    sums[s] = Math.fround(sums[s]! + s0);
    sums[s + width] = Math.fround(sums[s + width]! + s1);
    sums[s + 2 * width] = Math.fround(sums[s + 2 * width]! + s2);
    sums[s + 3 * width] = Math.fround(sums[s + 3 * width]! + s3);
  }
  return i;
}

/** Two rows by four columns. From row `r` on; returns the first of two that take a closer look, or `rows`. */
export function update4(
  v: Float32Array,
  at: number,
  stride: number,
  count: number,
  y: Float64Array,
  from: number,
  r: number,
  rows: number,
  reach: number,
  z: Float64Array,
  of: number,
): number {
  for (; r < rows; r += 2) {
    const q = from + 4 * r;
    let y00 = y[q]!;
    let y01 = y[q + 1]!;
    let y02 = y[q + 2]!;
    let y03 = y[q + 3]!;
    let y10 = y[q + 4]!;
    let y11 = y[q + 5]!;
    let y12 = y[q + 6]!;
    let y13 = y[q + 7]!;
    const end = of + 4 * Math.min(count, reach + r + 1);
    for (let p = at + r * stride, s = of; s < end; p++, s += 4) {
      const v0 = v[p]!;
      const v1 = v[p + stride]!;
      const z0 = z[s]!;
      const z1 = z[s + 1]!;
      const z2 = z[s + 2]!;
      const z3 = z[s + 3]!;
      y00 = fused(v0, z0, y00);
      y01 = fused(v0, z1, y01);
      y02 = fused(v0, z2, y02);
      y03 = fused(v0, z3, y03);
      y10 = fused(v1, z0, y10);
      y11 = fused(v1, z1, y11);
      y12 = fused(v1, z2, y12);
      y13 = fused(v1, z3, y13);
    }
    if (Number.isNaN(y00 + y01 + y02 + y03 + y10 + y11 + y12 + y13)) return r;
    y[q] = y00;
    y[q + 1] = y01;
    y[q + 2] = y02;
    y[q + 3] = y03;
    y[q + 4] = y10;
    y[q + 5] = y11;
    y[q + 6] = y12;
    y[q + 7] = y13;
  }
  return r;
}

/** Four rows by one column. From row `r` on; returns the first of four that take a closer look, or `rows`. */
export function updateColumn(
  v: Float32Array,
  at: number,
  stride: number,
  count: number,
  y: Float64Array,
  from: number,
  width: number,
  r: number,
  rows: number,
  reach: number,
  z: Float64Array,
  of: number,
): number {
  for (; r < rows; r += 4) {
    const q = from + width * r;
    let y0 = y[q]!;
    let y1 = y[q + width]!;
    let y2 = y[q + 2 * width]!;
    let y3 = y[q + 3 * width]!;
    const end = of + width * Math.min(count, reach + r + 3);
    for (let p = at + r * stride, s = of; s < end; p++, s += width) {
      const x = z[s]!;
      y0 = fused(v[p]!, x, y0);
      y1 = fused(v[p + stride]!, x, y1);
      y2 = fused(v[p + 2 * stride]!, x, y2);
      y3 = fused(v[p + 3 * stride]!, x, y3);
    }
    if (Number.isNaN(y0 + y1 + y2 + y3)) return r;
    y[q] = y0;
    y[q + width] = y1;
    y[q + 2 * width] = y2;
    y[q + 3 * width] = y3;
  }
  return r;
}

/**
 * Two rows i and i + 1 of step 2 by four columns, up to the terms of j = i + 2; false if that takes a closer look.
 */
export function solve4(
  u: Float64Array,
  base: number,
  i: number,
  count: number,
  sums: Float64Array,
  to: number,
): boolean {
  const s = to + 4 * i;
  let s00 = sums[s]!;
  let s01 = sums[s + 1]!;
  let s02 = sums[s + 2]!;
  let s03 = sums[s + 3]!;
  let s10 = sums[s + 4]!;
  let s11 = sums[s + 5]!;
  let s12 = sums[s + 6]!;
  let s13 = sums[s + 7]!;
  const end = s + 8;
  for (let p = base + (count - 1) * BLOCK + i, q = to + 4 * (count - 1); q >= end; p -= BLOCK, q -= 4) {
    const u0 = u[p]!;
    const u1 = u[p + 1]!;
    const z0 = sums[q]!;
    const z1 = sums[q + 1]!;
    const z2 = sums[q + 2]!;
    const z3 = sums[q + 3]!;
    s00 = fused(u0, z0, s00);
    s01 = fused(u0, z1, s01);
    s02 = fused(u0, z2, s02);
    s03 = fused(u0, z3, s03);
    s10 = fused(u1, z0, s10);
    s11 = fused(u1, z1, s11);
    s12 = fused(u1, z2, s12);
    s13 = fused(u1, z3, s13);
  }
  if (Number.isNaN(s00 + s01 + s02 + s03 + s10 + s11 + s12 + s13)) return false;
  sums[s] = s00;
  sums[s + 1] = s01;
  sums[s + 2] = s02;
  sums[s + 3] = s03;
  sums[s + 4] = s10;
  sums[s + 5] = s11;
  sums[s + 6] = s12;
  sums[s + 7] = s13;
  return true;
}
