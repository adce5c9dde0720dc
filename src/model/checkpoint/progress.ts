import type { PlacedTensor } from '../../safetensors/header.js';

/** How far a checkpoint is. With ranks, as far as this process makes it. */
export interface CheckpointProgress {
  /** Name of the tensor that is being written. */
  readonly tensor: string;
  readonly tensorsDone: number;
  readonly tensorsTotal: number;
  /** Bytes of tensor data, without the files' headers. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Name of the file that the tensor goes to. Several are written at a time. */
  readonly file: string;
  /** Bytes of tensor data of this file. */
  readonly fileBytesDone: number;
  readonly fileBytesTotal: number;
  /** Files of weights that are complete, or were found complete. */
  readonly shardsDone: number;
  readonly shardsTotal: number;
}

/** A file as progress sees it. */
export interface ReportedFile {
  readonly file: string;
  /** In the order in which they are written. */
  readonly placed: readonly PlacedTensor[];
}

/** More often than this nobody can see. */
const INTERVAL_MS = 50;

/** Turns numbers of bytes into progress, at most every `INTERVAL_MS`, and once at each end of a file. */
export class ProgressReporter {
  private readonly callback: ((progress: CheckpointProgress) => void) | undefined;
  private readonly files: readonly FileState[];
  private readonly tensorsTotal: number;
  private readonly bytesTotal: number;
  private tensorsDone = 0;
  private bytesDone = 0;
  private shardsDone = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    callback: ((progress: CheckpointProgress) => void) | undefined,
    files: readonly ReportedFile[],
  ) {
    this.callback = callback;
    this.files = files.map(({ file, placed }) => new FileState(file, placed));
    this.tensorsTotal = files.reduce((total, { placed }) => total + placed.length, 0);
    this.bytesTotal = this.files.reduce((total, { bytesTotal }) => total + bytesTotal, 0);
  }

  /**
   * `bytesDone` bytes of file number `index` are written. Chunks may finish out of order by a few, which the tensor count
   * does not show.
   */
  report(index: number, bytesDone: number): void {
    if (this.callback === undefined) return;
    this.advance(index, bytesDone);
    if (performance.now() - this.last >= INTERVAL_MS) this.send(index);
  }

  /** A file is complete: always reported. */
  done(index: number): void {
    if (this.callback === undefined) return;
    this.advance(index, this.files[index]!.bytesTotal);
    this.shardsDone++;
    this.send(index);
  }

  private advance(index: number, bytesDone: number): void {
    const state = this.files[index]!;
    this.bytesDone -= state.bytesDone;
    this.tensorsDone -= state.tensorsDone;
    state.advance(bytesDone);
    this.bytesDone += state.bytesDone;
    this.tensorsDone += state.tensorsDone;
  }

  private send(index: number): void {
    this.last = performance.now();
    const { file, tensor, bytesDone, bytesTotal } = this.files[index]!;
    this.callback?.({
      tensor,
      tensorsDone: this.tensorsDone,
      tensorsTotal: this.tensorsTotal,
      bytesDone: this.bytesDone,
      bytesTotal: this.bytesTotal,
      file,
      fileBytesDone: bytesDone,
      fileBytesTotal: bytesTotal,
      shardsDone: this.shardsDone,
      shardsTotal: this.files.length,
    });
  }
}

class FileState {
  readonly file: string;
  readonly bytesTotal: number;
  bytesDone = 0;
  tensorsDone = 0;
  private readonly placed: readonly PlacedTensor[];

  constructor(file: string, placed: readonly PlacedTensor[]) {
    this.file = file;
    this.placed = placed;
    this.bytesTotal = placed.at(-1)?.end ?? 0;
  }

  /** Name of the tensor that is being written. */
  get tensor(): string {
    return this.placed[Math.min(this.tensorsDone, this.placed.length - 1)]?.tensor.name ?? '';
  }

  advance(bytesDone: number): void {
    const { placed } = this;
    this.bytesDone = Math.max(this.bytesDone, bytesDone);
    while (this.tensorsDone < placed.length && placed[this.tensorsDone]!.end <= this.bytesDone)
      this.tensorsDone++;
  }
}
