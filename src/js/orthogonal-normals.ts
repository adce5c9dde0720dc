/**
 * The standard normals that reflections are made of, as `fill` draws them.
 */
import { IsometryError } from '../errors.js';
import type { OrthogonalRequest } from '../job.js';
import { standardNormals } from './normal.js';
import { philoxBlocks, philoxKeys } from './philox.js';
import { quantile64 } from './quantile.js';

/** Normals drawn at once: as many small matrices as they are enough for share a call. */
const DRAWN = 1024;

/** A reader of a stream of standard normals, which are best asked for in ascending order. */
export class NormalReader {
  /** What the last `load` asked for begins at `values[at]`. */
  readonly values: Float64Array | Float32Array;
  at = 0;
  private readonly keys: Int32Array;
  private readonly stream: bigint;
  private readonly words: Int32Array;
  /** Normals of one Philox block. */
  private readonly perBlock: number;
  private readonly table: Float64Array | undefined;
  /** `values` hold elements [first, end) of the stream. */
  private first = 0;
  private end = 0;

  constructor({ seed, stream, precision, normal }: OrthogonalRequest) {
    if (normal.kind !== (precision === 'float64' ? 'quantile' : 'normal')) {
      throw new IsometryError('INTERNAL', `no ${precision} normals by the primitive "${normal.kind}"`);
    }
    this.keys = philoxKeys(seed);
    this.stream = stream;
    this.table = normal.kind === 'quantile' ? normal.table : undefined;
    this.perBlock = this.table === undefined ? 4 : 2;
    this.words = new Int32Array((DRAWN / this.perBlock) * 4);
    this.values = this.table === undefined ? new Float32Array(DRAWN) : new Float64Array(DRAWN);
  }

  /** Has at least one of `count` ≥ 1 normals from number `index` on in `values`; returns how many. */
  load(index: number, count: number): number {
    if (index < this.first || index >= this.end) this.draw(index);
    this.at = index - this.first;
    return Math.min(count, this.end - index);
  }

  private draw(index: number): void {
    const { keys, stream, words, values, table, perBlock } = this;
    const block = Math.floor(index / perBlock);
    philoxBlocks(keys, stream, block, DRAWN / perBlock, words);
    if (table === undefined) standardNormals(words, 0, DRAWN, values as Float32Array);
    else for (let i = 0; i < DRAWN; i++) values[i] = quantile64(words[2 * i + 1]!, words[2 * i]!, table);
    this.first = block * perBlock;
    this.end = this.first + DRAWN;
  }
}
