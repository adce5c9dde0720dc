import { setImmediate } from 'node:timers/promises';
import type { AtomicWriter } from '../atomic-file.js';
import type { Backend } from '../backends/types.js';
import { type DType, dtypeInfo } from '../dtype.js';
import type { FillRequest } from '../job.js';

/** A tensor that lies at bytes [begin, end) of the data section. */
export interface Source {
  readonly dtype: DType;
  readonly begin: number;
  readonly end: number;
  /** The work; asked for when the tensor's turn comes, so that a million tensors are not prepared at once. */
  request(): FillRequest;
}

/** How a stream of tensors is computed and written. */
export interface PipelineOptions {
  readonly backend: Backend;
  readonly signal?: AbortSignal | undefined;
  /** Bytes of one chunk, a multiple of 8. */
  readonly chunkBytes?: number | undefined;
  /** Called after each write with the number of bytes of the data section that are written. */
  readonly onWritten?: ((bytes: number) => void) | undefined;
}

/**
 * Large enough that starting a job and a write costs nothing in comparison, small enough that computing stays in the
 * caches' reach and progress is smooth.
 */
const CHUNK_BYTES = 8 * 2 ** 20;

/** One chunk being computed, and two on their way to the disk: a slow write does not stop the computing at once. */
const BUFFERS = 3;

/** Below this, handing a job to threads takes longer than the job. */
const SYNC_ELEMENTS = 1 << 14;

/** So many elements may be computed without letting the event loop run (some milliseconds in plain JavaScript). */
const SYNC_BUDGET = 1 << 17;

/**
 * Computes tensors that tile a data section and writes them from byte `offset` of a file on. While a chunk is
 * computed the ones before it are written. Memory is `BUFFERS` chunks, however large the tensors are.
 *
 * @param sources in the order of their bytes, without holes.
 */
export async function streamTensors(
  sources: readonly Source[],
  file: AtomicWriter,
  offset: number,
  options: PipelineOptions,
): Promise<void> {
  const total = sources.at(-1)?.end ?? 0;
  const chunkBytes = Math.min(options.chunkBytes ?? CHUNK_BYTES, Math.ceil(total / 8) * 8);
  const filler = new Filler(sources, options);
  const buffers: ArrayBuffer[] = [];
  const writes: Promise<void>[] = [];
  let written = 0;
  for (let at = 0, turn = 0; at < total; at += chunkBytes, turn = (turn + 1) % BUFFERS) {
    await writes[turn];
    const buffer = buffers[turn] ?? new ArrayBuffer(chunkBytes);
    buffers[turn] = buffer;
    const bytes = Math.min(chunkBytes, total - at);
    await filler.fill(buffer, at, at + bytes);
    const write = file.write(new Uint8Array(buffer, 0, bytes), offset + at).then(() => {
      written += bytes;
      options.onWritten?.(written);
    });
    // Its failure is thrown where it is awaited; until then it must not count as unhandled.
    write.catch(() => {});
    writes[turn] = write;
  }
  await Promise.all(writes);
}

/** Computes consecutive ranges of the data section. */
class Filler {
  private readonly sources: readonly Source[];
  private readonly backend: Backend;
  private readonly signal: AbortSignal | undefined;
  private index = 0;
  private request: FillRequest | undefined;
  private sinceYield = 0;

  constructor(sources: readonly Source[], { backend, signal }: PipelineOptions) {
    this.sources = sources;
    this.backend = backend;
    this.signal = signal;
  }

  async fill(buffer: ArrayBuffer, begin: number, end: number): Promise<void> {
    for (let at = begin; at < end; ) {
      const source = this.sources[this.index]!;
      const stop = Math.min(end, source.end);
      if (stop > at) await this.fillPart(source, buffer, at, stop, at - begin);
      at = stop;
      if (at === source.end) {
        this.index++;
        this.request = undefined;
      }
    }
  }

  /** Bytes [at, stop) of the data section, which lie in one tensor, into the buffer at `position`. */
  private async fillPart(
    source: Source,
    buffer: ArrayBuffer,
    at: number,
    stop: number,
    position: number,
  ): Promise<void> {
    const { array, bytes } = dtypeInfo(source.dtype);
    // Whole elements always: chunks are multiples of 8 bytes, and wider dtypes come first in the file.
    const target = new array(buffer, position, (stop - at) / bytes);
    const start = (at - source.begin) / bytes;
    this.request ??= source.request();
    if (target.length > SYNC_ELEMENTS) {
      await this.backend.fill(this.request, target, start, this.signal);
      this.sinceYield = 0;
      return;
    }
    this.backend.fillSync(this.request, target, start);
    this.sinceYield += target.length + 256; // a tiny tensor costs about as much as some hundred elements
    if (this.sinceYield > SYNC_BUDGET) {
      this.sinceYield = 0;
      await setImmediate();
      this.signal?.throwIfAborted();
    }
  }
}
