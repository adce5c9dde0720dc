/**
 * The reflections whose product is a random orthogonal matrix: docs/adr/0008-orthogonal.md, up to "Blocks". Twin of
 * core/orthogonal.h.
 */
import type { OrthogonalRequest } from '../job.js';
import { type Arithmetic, BLOCK, CHUNK, ROWS, reflection } from './orthogonal-arithmetic.js';
import { float32Arithmetic } from './orthogonal-float32.js';
import { float64Arithmetic } from './orthogonal-float64.js';
import { NormalReader } from './orthogonal-normals.js';

/** How long a matrix takes is counted in multiplications. Between two pauses are about so many: some milliseconds. */
const PAUSE = 2 ** 20;

/** A normal takes as long as so many multiplications. */
const DRAW = 16;

/** Counts work, and says when it is time for a pause. */
export class Meter {
  /** Work on the matrix at hand. */
  done = 0;
  private sincePause = 0;

  /** Whether it is time for a pause after this much more. */
  add(work: number): boolean {
    this.done += work;
    this.sincePause += work;
    if (this.sincePause < PAUSE) return false;
    this.sincePause = 0;
    return true;
  }
}

/** Memory for the reflections of one matrix, and what it holds at the moment. */
export class Reflections {
  readonly arithmetic: Arithmetic;
  readonly rows: number;
  /** ρ_c and d_c of each column. */
  readonly rhos: Float64Array;
  readonly signs: Float64Array;
  /** The blocks' U, one after the other: U(i, j) of block β is element BLOCK·(BLOCK·β + j) + i. */
  readonly u: Float64Array;
  /** Of each block whether its U needs no special care. */
  readonly ordinary: boolean[] = [];
  /** The blocks' V, one after the other: see `place`. */
  readonly v: Float64Array | Float32Array;
  private readonly cols: number;
  /** Elements of a matrix of the tensor, of which there may be columns that are never asked for. */
  private readonly size: number;
  private readonly paddedRows: number;
  private readonly normals: NormalReader;
  /** Four columns of V in one chunk, and the sums of their products with others. */
  private readonly strip: Float64Array = new Float64Array(4 * CHUNK);
  private readonly sums: Float64Array = new Float64Array(4 * BLOCK);

  /** @param cols - only the first columns of each matrix are ever made. */
  constructor(request: OrthogonalRequest, cols: number) {
    const { rows, precision } = request;
    this.rows = rows;
    this.cols = cols;
    this.size = rows * request.cols;
    this.paddedRows = Math.ceil(rows / ROWS) * ROWS;
    this.arithmetic = precision === 'float64' ? float64Arithmetic : float32Arithmetic;
    this.normals = new NormalReader(request);
    this.rhos = new Float64Array(cols);
    this.signs = new Float64Array(cols);
    this.u = new Float64Array(uLength(cols));
    const length = vLength(rows, cols);
    this.v = precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }

  /** Where row `first` = 64β of block β begins in `v`, and how long its rows are. */
  place(first: number): { at: number; stride: number } {
    // Blocks before it have paddedRows, paddedRows − 64, … rows of 64.
    const block = first / BLOCK;
    const at = first * (this.paddedRows - ((block - 1) * BLOCK) / 2);
    return { at, stride: strideOf(this.cols - first) };
  }

  /** Makes those of columns 0 … `columns` − 1 of matrix number `matrix`. Yields between pieces of work. */
  *make(matrix: number, columns: number, meter: Meter): Generator<undefined, void> {
    for (let first = 0; first < columns; first += BLOCK) {
      const count = Math.min(BLOCK, columns - first);
      const { at, stride } = this.place(first);
      for (let i = 0; i < count; i++) {
        const column = first + i;
        const index = matrix * this.size + column * this.rows;
        const place = at + i - first * stride;
        let total = 0;
        for (let row = column; row < this.rows; ) {
          const end = Math.min(this.rows, (Math.floor(row / CHUNK) + 1) * CHUNK);
          total += this.draw(index, row, end, place, stride);
          if (meter.add((end - row) * DRAW)) yield;
          row = end;
        }
        this.reflect(column, total, place + column * stride);
      }
      yield* this.multiply(first, count, at, stride, meter);
    }
  }

  /** Work of `make`. */
  work(columns: number): number {
    const { rows } = this;
    let work = 0;
    for (let first = 0; first < columns; first += BLOCK) {
      const count = Math.min(BLOCK, columns - first);
      work += (rows - first) * count * (DRAW + count / 2);
    }
    return work;
  }

  /** Draws rows [row, end) of a column, a chunk or the last part of one, and returns the sum of their squares. */
  private draw(index: number, row: number, end: number, place: number, stride: number): number {
    const { normals, v } = this;
    let sum = 0;
    for (let r = row; r < end; ) {
      const count = normals.load(index + r, end - r);
      const { values, at } = normals;
      for (let i = at; i < at + count; i++, r++) {
        const x = values[i]!;
        v[place + r * stride] = x;
        sum += x * x;
      }
    }
    return sum;
  }

  /** Makes a reflection of a column of normals, the sum of whose squares is `s`; the first of them is `v[at]`. */
  private reflect(column: number, s: number, at: number): void {
    const { v, rhos, signs, arithmetic } = this;
    const made = reflection(arithmetic.round, v[at]!, s, column === this.rows - 1);
    v[at] = made.diagonal;
    rhos[column] = made.rho;
    signs[column] = made.sign;
  }

  /** The products of the reflections of a block: its U, four columns at a time. */
  private *multiply(
    first: number,
    count: number,
    at: number,
    stride: number,
    meter: Meter,
  ): Generator<undefined, void> {
    const { arithmetic, rows, v, u, strip, sums } = this;
    for (let j = 0; j < count && count > 1; j += 4) {
      const columns = Math.min(4, count - j);
      sums.fill(0);
      // Above the row `first + j` all four are 0.
      for (let row = first + j; row < rows; ) {
        const end = Math.min(rows, (Math.floor(row / CHUNK) + 1) * CHUNK);
        const place = at + (row - first) * stride;
        for (let q = 0, p = place + j; q < 4 * (end - row); q += 4, p += stride) {
          for (let s = 0; s < 4; s++) strip[q + s] = s < columns ? v[p + s]! : 0;
        }
        const others = Math.min(count, j + 4);
        arithmetic.dot(v, place, stride, others, strip, 0, 4, columns, end - row, sums, 0);
        if (meter.add(others * columns * (end - row))) yield;
        row = end;
      }
      for (let s = 0; s < columns; s++) {
        const column = BLOCK * (first + j + s);
        for (let i = 0; i < j + s; i++) u[column + i] = sums[4 * i + s]!;
      }
    }
    this.ordinary[first / BLOCK] = arithmetic.isOrdinary(u, BLOCK * first, BLOCK * count);
  }
}

/** Numbers to a row of a block of which there are `columns` columns or, if fewer, a whole block. */
function strideOf(columns: number): number {
  return Math.min(BLOCK, Math.ceil(columns / 2) * 2);
}

/** Length of U for the first `cols` columns of a matrix. */
export function uLength(cols: number): number {
  return cols <= BLOCK ? BLOCK * cols : BLOCK * BLOCK * Math.ceil(cols / BLOCK);
}

/** Length of V for the first `cols` columns of a matrix of `rows` rows. */
export function vLength(rows: number, cols: number): number {
  const paddedRows = Math.ceil(rows / ROWS) * ROWS;
  let length = 0;
  for (let first = 0; first < cols; first += BLOCK) length += (paddedRows - first) * strideOf(cols - first);
  return length;
}
