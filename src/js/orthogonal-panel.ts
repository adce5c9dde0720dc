/**
 * Columns of a random orthogonal matrix out of its reflections: docs/adr/0008-orthogonal.md, "Applying" and "A column".
 * Twin of cpu/orthogonal-inl.h.
 */
import { BLOCK, CHUNK, ROWS } from './orthogonal-arithmetic.js';
import { float32Arithmetic } from './orthogonal-float32.js';
import { float64Arithmetic } from './orthogonal-float64.js';
import type { Meter, Reflections } from './orthogonal-reflections.js';

/** Columns computed at a time, so that reading V from memory costs little; divides BLOCK. */
const COLUMNS = 16;

/** Some columns of Q, which lie in one block: [first, end). */
export class Panel {
  first = 0;
  end = 0;
  /** Columns side by side in a strip, and numbers of a strip. */
  readonly width: number;
  readonly stripLength: number;
  /** The strips, row-major, one after the other. */
  readonly y: Float64Array;
  private readonly reflections: Reflections;
  private readonly sums: Float64Array;

  constructor(reflections: Reflections, cols: number) {
    const { rows, arithmetic } = reflections;
    this.reflections = reflections;
    this.width = arithmetic.stripWidth(cols);
    this.stripLength = this.width * Math.ceil(rows / ROWS) * ROWS;
    const strips = stripsOf(cols, this.width);
    this.y = new Float64Array(strips * this.stripLength);
    this.sums = new Float64Array(strips * this.width * BLOCK);
  }

  /** How many columns from `first` on can be computed together, if `end` is the end of those that are wanted. */
  static reach(first: number, end: number): number {
    return Math.min(end, first + COLUMNS, (Math.floor(first / BLOCK) + 1) * BLOCK);
  }

  /** Work of `make` for columns [first, end), panel by panel. */
  static work(rows: number, first: number, end: number): number {
    let work = 0;
    for (let column = first, next = 0; column < end; column = next) {
      next = Panel.reach(column, end);
      for (let block = 0; block < next; block += BLOCK) {
        // Products with all blocks but the top one.
        const products = block + BLOCK <= column ? rows - block - BLOCK : 0;
        work += (next - column) * Math.min(BLOCK, next - block) * (rows - block + products);
      }
    }
    return work;
  }

  /** Computes columns [first, end), at most COLUMNS of one block. Yields between pieces of work. */
  *make(first: number, end: number, meter: Meter): Generator<undefined, void> {
    this.first = first;
    this.end = end;
    const top = Math.floor(first / BLOCK) * BLOCK;
    this.setUnits(top);
    for (let block = top; block >= 0; block -= BLOCK) {
      // Reflections of later columns leave those at hand as they are.
      const count = Math.min(BLOCK, end - block);
      if (block < top) yield* this.project(block, count, meter);
      this.solve(block, count);
      yield* this.update(block, count, meter);
    }
  }

  /** Columns of the identity, and step 1 of the block at row `top`: each v_i(r)·y(r) but one is 0. */
  private setUnits(top: number): void {
    const { first, end, width, stripLength, y, sums, reflections } = this;
    const { at, stride } = reflections.place(top);
    y.fill(0);
    sums.fill(0);
    for (let column = first; column < end; column++) {
      const [strip, s] = this.placeOf(column);
      y[strip * stripLength + column * width + s] = 1;
      const row = at + (column - top) * stride;
      for (let i = 0; i <= column - top; i++)
        sums[(strip * BLOCK + i) * width + s] = reflections.v[row + i]! + 0;
    }
  }

  /** Step 1: the products of y with the reflections of the block at row `block`, chunk by chunk. */
  private *project(block: number, count: number, meter: Meter): Generator<undefined, void> {
    const { width, stripLength, y, sums, reflections } = this;
    const { arithmetic, rows, v } = reflections;
    const { at, stride } = reflections.place(block);
    // Above it y is still 0. What is left out are zeros at the beginning of sums.
    sums.fill(0);
    for (let row = block + BLOCK; row < rows; ) {
      const end = Math.min(rows, (Math.floor(row / CHUNK) + 1) * CHUNK);
      const place = at + (row - block) * stride;
      for (let strip = 0, from = row * width; strip < this.strips(); strip++, from += stripLength) {
        const to = strip * BLOCK * width;
        const columns = this.columnsOf(strip);
        arithmetic.dot(v, place, stride, count, y, from, width, columns, end - row, sums, to);
      }
      if (meter.add((end - row) * count * (this.end - this.first))) yield;
      row = end;
    }
  }

  /** Step 2. */
  private solve(block: number, count: number): void {
    const { width, sums, reflections } = this;
    const { arithmetic, u, rhos } = reflections;
    const ordinary = reflections.ordinary[block / BLOCK]!;
    for (let strip = 0; strip < this.strips(); strip++) {
      const to = strip * BLOCK * width;
      arithmetic.solve(
        u,
        BLOCK * block,
        ordinary,
        rhos,
        block,
        count,
        sums,
        to,
        width,
        this.columnsOf(strip),
      );
    }
  }

  /** Step 3, chunk by chunk. */
  private *update(block: number, count: number, meter: Meter): Generator<undefined, void> {
    const { width, stripLength, y, sums, reflections } = this;
    const { arithmetic, v } = reflections;
    const { at, stride } = reflections.place(block);
    const rows = stripLength / width;
    for (let row = block; row < rows; ) {
      const end = Math.min(rows, (Math.floor(row / CHUNK) + 1) * CHUNK);
      const place = at + (row - block) * stride;
      const reach = row - block + 1;
      for (let strip = 0, from = row * width; strip < this.strips(); strip++, from += stripLength) {
        const of = strip * BLOCK * width;
        const columns = this.columnsOf(strip);
        arithmetic.update(v, place, stride, count, y, from, width, columns, end - row, reach, sums, of);
      }
      if (meter.add((end - row) * count * (this.end - this.first))) yield;
      row = end;
    }
  }

  private placeOf(column: number): readonly [strip: number, s: number] {
    const strip = Math.floor((column - this.first) / this.width);
    return [strip, column - this.first - strip * this.width];
  }

  private strips(): number {
    return Math.ceil((this.end - this.first) / this.width);
  }

  private columnsOf(strip: number): number {
    return Math.min(this.width, this.end - this.first - strip * this.width);
  }
}

function stripsOf(cols: number, width: number): number {
  return Math.ceil(Math.min(COLUMNS, cols) / width);
}

/** Length of the panel's array for the first `cols` columns of a matrix of `rows` rows. */
export function panelLength(rows: number, cols: number, precision: 'float64' | 'float32'): number {
  const width = (precision === 'float64' ? float64Arithmetic : float32Arithmetic).stripWidth(cols);
  return stripsOf(cols, width) * width * Math.ceil(rows / ROWS) * ROWS;
}
