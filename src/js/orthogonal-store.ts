/**
 * Elements of orthogonal matrices from the panels they are computed in to their places in a tensor.
 */
import type { TensorArray } from '../dtype.js';
import type { OrthogonalRequest } from '../job.js';
import type { Panel } from './orthogonal-panel.js';
import { Places } from './orthogonal-places.js';
import type { Reflections } from './orthogonal-reflections.js';
import type { VisitRun } from './region.js';
import { toBFloat16, toFloat16 } from './round.js';

/** Elements stored between two pauses; of as much of the output, if it is more. */
const PAUSE = 2 ** 16;

/** The places of a request's elements in a window of the output. */
export class Store {
  private readonly parts: readonly { readonly gain: number; readonly places: Places }[];
  private readonly rows: number;
  private readonly size: number;
  private readonly target: TensorArray;
  private readonly start: number;
  /** From float32 to the target's 16 bits. */
  private readonly round: ((x: number) => number) | undefined;
  // What `visit` takes from: a panel whose first element has source index `base`, times ±gain.
  private panel: Panel | undefined;
  private signs: Float64Array | undefined;
  private base = 0;
  private gain = 1;

  /** Of the window `target`, whose first element is number `start` of the output. */
  constructor({ rows, cols, dtype, parts }: OrthogonalRequest, target: TensorArray, start: number) {
    const end = start + target.length;
    this.parts = parts.map(({ gain, region }) => ({ gain, places: new Places(region, start, end) }));
    this.rows = rows;
    this.size = rows * cols;
    this.target = target;
    this.start = start;
    this.round = dtype === 'bfloat16' ? toBFloat16 : dtype === 'float16' ? toFloat16 : undefined;
  }

  /** The smallest source index ≥ `from` that has a place; Infinity if there is none. */
  first(from: number): number {
    return this.parts.reduce(
      (least, { places }) => Math.min(least, places.first(from)),
      Number.POSITIVE_INFINITY,
    );
  }

  /** The largest source index < `to` that has a place; −Infinity if there is none. */
  last(to: number): number {
    return this.parts.reduce((most, { places }) => Math.max(most, places.last(to)), Number.NEGATIVE_INFINITY);
  }

  /** Stores a panel of columns of matrix number `matrix`. Yields between pieces of work. */
  *take(panel: Panel, { signs }: Reflections, matrix: number): Generator<undefined, void> {
    const { rows, start } = this;
    this.panel = panel;
    this.signs = signs;
    this.base = matrix * this.size + panel.first * rows;
    const end = this.base + (panel.end - panel.first) * rows;
    const pieces = end - this.base > PAUSE ? Math.ceil(this.target.length / PAUSE) : 1;
    const length = Math.ceil(this.target.length / pieces);
    for (let piece = 0, from = start; piece < pieces; piece++, from += length) {
      for (const { gain, places } of this.parts) {
        this.gain = gain;
        places.forEachRun(this.base, end, from, from + length, this.visit);
      }
      if (pieces > 1) yield;
    }
  }

  private readonly visit: VisitRun = (source, place, count, stride, step) => {
    const { rows, target, gain, round } = this;
    const { first, width, stripLength, y } = this.panel!;
    const signs = this.signs!;
    const columns = Math.floor(stride / rows);
    const rest = stride - columns * rows;
    let column = Math.floor((source - this.base) / rows);
    let row = source - this.base - column * rows;
    for (let i = 0, at = place - this.start; i < count; i++, at += step) {
      const strip = Math.floor(column / width);
      const q = y[strip * stripLength + row * width + column - strip * width]!;
      const element = Math.min(1, Math.max(-1, q));
      const value = element * (signs[first + column]! < 0 ? -gain : gain);
      // Float32Array and Float64Array round by themselves.
      target[at] = round === undefined ? value : round(Math.fround(value));
      column += columns;
      row += rest;
      if (row >= rows) {
        row -= rows;
        column++;
      }
    }
  };
}
