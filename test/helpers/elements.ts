// Tensors as the tests look at them: by index, by slice, as matrices.
import fc from 'fast-check';
import type { Ranges } from '../../src/region.js';

/** Every index of a shape, outermost axis slowest. */
export function* indicesOf(shape: readonly number[]): Generator<number[]> {
  if (shape.some((dim) => dim === 0)) return;
  const index = shape.map(() => 0);
  for (;;) {
    yield [...index];
    let axis = shape.length - 1;
    while (axis >= 0 && ++index[axis]! === shape[axis]) index[axis--] = 0;
    if (axis < 0) return;
  }
}

/** The row-major number of an index. */
export function offsetOf(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((offset, at, axis) => offset * shape[axis]! + at, 0);
}

/** The elements of a slice, in its own order. */
export function partOf<T>(whole: ArrayLike<T>, shape: readonly number[], ranges: Ranges): T[] {
  const part: T[] = [];
  for (const index of indicesOf(ranges.map(([start, end]) => end - start)))
    part.push(
      whole[
        offsetOf(
          shape,
          index.map((at, axis) => at + ranges[axis]![0]),
        )
      ]!,
    );
  return part;
}

/** Slices of a shape, empty ones among them. */
export function arbitraryRanges(shape: readonly number[]): fc.Arbitrary<Ranges> {
  return fc.tuple(
    ...shape.map((dim) =>
      fc
        .tuple(fc.nat(dim), fc.nat(dim))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as readonly [number, number]),
    ),
  );
}

/** The largest element of |AᵀA − scale²·I|, A row-major: with orthonormal columns if that is tiny. */
export function columnError(a: ArrayLike<number>, rows: number, cols: number, scale = 1): number {
  let worst = 0;
  for (let i = 0; i < cols; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -(scale ** 2) : 0;
      for (let r = 0; r < rows; r++) sum += a[r * cols + i]! * a[r * cols + j]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

/** A matrix, row-major, with its axes exchanged. */
export function transposed(a: ArrayLike<number>, rows: number, cols: number): number[] {
  return Array.from({ length: rows * cols }, (_, k) => a[(k % rows) * cols + Math.floor(k / rows)]!);
}
