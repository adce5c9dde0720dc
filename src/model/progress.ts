import type { PlacedTensor } from '../safetensors/header.js';

/** How far a checkpoint is. */
export interface CheckpointProgress {
  /** Name of the tensor that is being written. */
  readonly tensor: string;
  readonly tensorsDone: number;
  readonly tensorsTotal: number;
  /** Bytes of tensor data, without the file's header. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** More often than this nobody can see. */
const INTERVAL_MS = 50;

/** Turns numbers of bytes into progress, at most every `INTERVAL_MS`. */
export class ProgressReporter {
  private readonly callback: ((progress: CheckpointProgress) => void) | undefined;
  private readonly placed: readonly PlacedTensor[];
  private tensorsDone = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(
    callback: ((progress: CheckpointProgress) => void) | undefined,
    placed: readonly PlacedTensor[],
  ) {
    this.callback = callback;
    this.placed = placed;
  }

  /** `bytesDone` bytes are written. Chunks may finish out of order by a few, which the tensor count does not show. */
  report(bytesDone: number): void {
    if (this.callback === undefined || performance.now() - this.last < INTERVAL_MS) return;
    this.last = performance.now();
    this.send(bytesDone);
  }

  /** All is written: always reported. */
  finish(): void {
    this.send(this.placed.at(-1)!.end);
  }

  private send(bytesDone: number): void {
    const { placed } = this;
    while (this.tensorsDone < placed.length && placed[this.tensorsDone]!.end <= bytesDone) this.tensorsDone++;
    this.callback?.({
      tensor: placed[Math.min(this.tensorsDone, placed.length - 1)]!.tensor.name,
      tensorsDone: this.tensorsDone,
      tensorsTotal: placed.length,
      bytesDone,
      bytesTotal: placed.at(-1)!.end,
    });
  }
}
