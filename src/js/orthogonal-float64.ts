/**
 * The loops of blocks of reflections in float64, products and sums rounded one by one. Twin of cpu/orthogonal-inl.h; the
 * layout of their operands is described in orthogonal-arithmetic.ts.
 */
import { type Arithmetic, BLOCK } from './orthogonal-arithmetic.js';

/** Two reflections by four columns: eight sums that do not wait for each other. */
function dot4(
  v: Float64Array,
  at: number,
  stride: number,
  count: number,
  y: Float64Array,
  from: number,
  rows: number,
  sums: Float64Array,
  to: number,
): void {
  for (let i = 0; i < count; i += 2) {
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
      s00 += v0 * y0;
      s01 += v0 * y1;
      s02 += v0 * y2;
      s03 += v0 * y3;
      s10 += v1 * y0;
      s11 += v1 * y1;
      s12 += v1 * y2;
      s13 += v1 * y3;
    }
    const s = to + 4 * i;
    sums[s]! += s00;
    sums[s + 1]! += s01;
    sums[s + 2]! += s02;
    sums[s + 3]! += s03;
    sums[s + 4]! += s10;
    sums[s + 5]! += s11;
    sums[s + 6]! += s12;
    sums[s + 7]! += s13;
  }
}

/** Two rows by four columns. */
function update4(
  v: Float64Array,
  at: number,
  stride: number,
  count: number,
  y: Float64Array,
  from: number,
  rows: number,
  reach: number,
  z: Float64Array,
  of: number,
): void {
  for (let r = 0; r < rows; r += 2) {
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
      y00 += v0 * z0;
      y01 += v0 * z1;
      y02 += v0 * z2;
      y03 += v0 * z3;
      y10 += v1 * z0;
      y11 += v1 * z1;
      y12 += v1 * z2;
      y13 += v1 * z3;
    }
    y[q] = y00;
    y[q + 1] = y01;
    y[q + 2] = y02;
    y[q + 3] = y03;
    y[q + 4] = y10;
    y[q + 5] = y11;
    y[q + 6] = y12;
    y[q + 7] = y13;
  }
}

/** Strips have four columns always. */
export const float64Arithmetic: Arithmetic<Float64Array> = {
  round: (x) => x,

  stripWidth: () => 4,

  isOrdinary: () => true,

  dot(v, at, stride, count, y, from, _width, _columns, rows, sums, to) {
    dot4(v, at, stride, count, y, from, rows, sums, to);
  },

  solve(u, base, _ordinary, rhos, first, count, sums, to, width, columns) {
    for (let j = count - 1; j >= 0; j--) {
      const rho = rhos[first + j]!;
      const column = base + j * BLOCK;
      for (let s = to + width * j; s < to + width * j + columns; s++) {
        // Negated, so that what is left are sums.
        const z = -(sums[s]! * rho);
        sums[s] = z;
        for (let i = 0, a = s - width * j; i < j; i++, a += width) sums[a]! += u[column + i]! * z;
      }
    }
  },

  update(v, at, stride, count, y, from, _width, _columns, rows, reach, z, of) {
    update4(v, at, stride, count, y, from, rows, reach, z, of);
  },
};
