/**
 * Which elements of a sparse matrix are zero. Twin of core/mask.h.
 */
import type { MaskPrimitive } from '../job.js';
import { type PermutationDomain, permutationDomain, permute } from './permutation.js';
import { philoxBlocks } from './philox.js';

/** Columns whose keys are kept: consecutive elements of a row are in different columns, which the next row meets again. */
const KEPT = 1024;

export class Mask {
  private readonly rows: PermutationDomain;
  /** Column c is kept at c mod KEPT. */
  private readonly columns = new Float64Array(KEPT).fill(-1);
  private readonly words = new Int32Array(4 * KEPT);
  private readonly block = new Int32Array(4);

  constructor(
    private readonly primitive: MaskPrimitive,
    private readonly keys: Int32Array,
    private readonly stream: bigint,
  ) {
    this.rows = permutationDomain(primitive.rows);
  }

  isZero(element: number): boolean {
    const { stride, rows, zeros } = this.primitive;
    // Exact: a quotient of whole numbers below 2^53 never rounds up to the next one.
    const line = Math.floor(element / stride);
    const matrix = Math.floor(line / rows);
    const column = matrix * stride + (element - line * stride);
    return permute(this.rows, this.words, this.keyOf(column), line - matrix * rows) < zeros;
  }

  /** Where the column's words are. */
  private keyOf(column: number): number {
    const slot = column % KEPT;
    if (this.columns[slot] !== column) {
      philoxBlocks(this.keys, this.stream, column, 1, this.block);
      this.words.set(this.block, 4 * slot);
      this.columns[slot] = column;
    }
    return 4 * slot;
  }
}
