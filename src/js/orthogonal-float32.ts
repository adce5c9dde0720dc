/**
 * Blocks of reflections in float32, every product and sum rounded once. Twin of cpu/orthogonal-inl.h.
 */
import type { Arithmetic } from './orthogonal-arithmetic.js';
import { dotExact, solveExact, updateExact } from './orthogonal-exact.js';
import { dot4, dotColumn, solve4, update4, updateColumn } from './orthogonal-fused.js';

/**
 * Whether `count` float32 values are 0 or at least `least`, a power of two: then they are multiples of 2^-23·least.
 *
 * Normals, and so the elements of reflections, are 0 or at least 2^-24, which makes them multiples of 2^-47. If what
 * they are multiplied by is at least 2^-56, all products, and sums of these, rounded or not, are multiples of 2^-126: no
 * sum is a subnormal, and `fused` will do.
 */
function areLarge(x: Float64Array, from: number, count: number, least = 2 ** -56): boolean {
  for (let i = from; i < from + count; i++) {
    const size = Math.abs(x[i]!);
    if (size < least && size !== 0) return false;
  }
  return true;
}

export const float32Arithmetic: Arithmetic<Float32Array> = {
  round: Math.fround,

  stripWidth: (cols) => Math.min(4, cols),

  isOrdinary: (u, from, count) => areLarge(u, from, count, 2 ** -24),

  dot(v, at, stride, count, y, from, width, columns, rows, sums, to) {
    const large = areLarge(y, from, width * rows);
    if (large && width === 4 && columns > 2) {
      for (let i = 0; ; i += 2) {
        i = dot4(v, at, stride, i, count, y, from, rows, sums, to);
        if (i >= count) return;
        for (let s = 0; s < 4; s++)
          dotExact(v, at + i, stride, 2, y, from + s, 4, rows, sums, to + 4 * i + s);
      }
    }
    for (let s = 0; s < columns; s++) {
      for (let i = 0; i < count; i += 4) {
        if (large) i = dotColumn(v, at, stride, i, count, y, from + s, width, rows, sums, to + s);
        const rest = Math.min(4, count - i);
        dotExact(v, at + i, stride, rest, y, from + s, width, rows, sums, to + width * i + s);
      }
    }
  },

  solve(u, base, ordinary, rhos, first, count, sums, to, width, columns) {
    let large = ordinary && width === 4 && columns > 2 && areLarge(sums, to, 4 * count);
    const exactly = (row: number, from: number): void => {
      for (let s = to; s < to + columns; s++)
        solveExact(u, base, rhos[first + row]!, row, from, sums, s, width);
    };
    // From the last row up, two at a time, after one alone if their number is odd.
    const pairs = count - (count % 2);
    if (pairs < count) {
      exactly(pairs, count);
      large &&= areLarge(sums, to + width * pairs, columns);
    }
    for (let i = pairs - 2; i >= 0; i -= 2) {
      const from = large && solve4(u, base, i, count, sums, to) ? i + 2 : count;
      exactly(i + 1, from);
      exactly(i, from);
      large &&= areLarge(sums, to + 4 * i, 8);
    }
  },

  update(v, at, stride, count, y, from, width, columns, rows, reach, z, of) {
    const large = areLarge(y, from, width * rows) && areLarge(z, of, width * count);
    const exactly = (r: number, number: number, s: number): void => {
      const end = of + width * Math.min(count, reach + r + number - 1);
      updateExact(v, at + r * stride, stride, y, from + width * r + s, width, number, z, of + s, end);
    };
    if (large && width === 4 && columns > 2) {
      for (let r = 0; ; r += 2) {
        r = update4(v, at, stride, count, y, from, r, rows, reach, z, of);
        if (r >= rows) return;
        for (let s = 0; s < 4; s++) exactly(r, 2, s);
      }
    }
    for (let s = 0; s < columns; s++) {
      for (let r = 0; r < rows; r += 4) {
        if (large) r = updateColumn(v, at, stride, count, y, from + s, width, r, rows, reach, z, of + s);
        if (r < rows) exactly(r, 4, s);
      }
    }
  },
};
