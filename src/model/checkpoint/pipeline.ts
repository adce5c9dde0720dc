import type { AtomicWriter } from '../../atomic-file.js';
import { PacedFiller } from '../../backends/paced.js';
import type { Backend, Part } from '../../backends/types.js';
import { dtypeInfo } from '../../dtype.js';
import type { PlacedTensor, StoredTensor } from '../../safetensors/header.js';
import type { TensorSource } from '../plan/tensor-source.js';

/** How tensors are computed. */
export interface RangeOptions<T extends StoredTensor> {
  readonly backend: Backend;
  /** What makes a tensor; asked for once, when its turn comes. */
  readonly source: (tensor: T) => TensorSource;
  readonly signal?: AbortSignal | undefined;
}

/** How a stream of tensors is computed and written. */
export interface PipelineOptions<T extends StoredTensor> extends RangeOptions<T> {
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

/** So many tensors' work is prepared before it is computed, by a backend that takes many at once: some milliseconds. */
const PARTS_AT_ONCE = 512;

/**
 * Computes tensors that tile a data section and writes them from byte `offset` of a file on. While a chunk is
 * computed the ones before it are written. Memory is `BUFFERS` chunks, however large the tensors are.
 *
 * @param placed in the order of their bytes, without holes.
 */
export async function streamTensors<T extends StoredTensor>(
  placed: readonly PlacedTensor<T>[],
  file: AtomicWriter,
  offset: number,
  options: PipelineOptions<T>,
): Promise<void> {
  const total = placed.at(-1)?.end ?? 0;
  const wanted = options.chunkBytes ?? options.backend.chunkBytes ?? CHUNK_BYTES;
  const chunkBytes = Math.min(wanted, Math.ceil(total / 8) * 8);
  const filler = new RangeFiller(placed, options);
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

/** Computes ranges of a data section, each behind the one before. */
export class RangeFiller<T extends StoredTensor> {
  private readonly placed: readonly PlacedTensor<T>[];
  private readonly sourceOf: (tensor: T) => TensorSource;
  private readonly backend: Backend;
  private readonly signal: AbortSignal | undefined;
  private readonly paced: PacedFiller;
  private index = 0;
  private source: TensorSource | undefined;

  /** @param placed in the order of their bytes, without holes. */
  constructor(placed: readonly PlacedTensor<T>[], { backend, source, signal }: RangeOptions<T>) {
    this.placed = placed;
    this.sourceOf = source;
    this.backend = backend;
    this.signal = signal;
    this.paced = new PacedFiller(backend, signal);
  }

  /** Bytes [begin, end) of the data section, into the buffer from its beginning on. */
  async fill(buffer: ArrayBuffer, begin: number, end: number): Promise<void> {
    let waiting: Part[] = [];
    for (const { source, from, bytes, byteOffset } of this.pieces(begin, end)) {
      if (source.kind === 'bytes') {
        await source.read(new Uint8Array(buffer, byteOffset, bytes), from);
        this.signal?.throwIfAborted();
        continue;
      }
      const { request, first = 0 } = source;
      const { array, bytes: elementBytes } = dtypeInfo(request.dtype);
      // Whole elements always: chunks are multiples of 8 bytes, and wider dtypes come first in the file.
      const [start, length] = [first + from / elementBytes, bytes / elementBytes];
      if (this.backend.fillParts === undefined) {
        await this.paced.fill(request, new array(buffer, byteOffset, length), start);
        continue;
      }
      if (waiting.push({ request, start, length, byteOffset }) < PARTS_AT_ONCE) continue;
      await this.backend.fillParts(waiting, buffer, this.signal);
      waiting = [];
    }
    if (waiting.length > 0) await this.backend.fillParts!(waiting, buffer, this.signal);
  }

  /** The pieces of tensors that lie in bytes [begin, end), each prepared when it is asked for. */
  private *pieces(begin: number, end: number): Generator<Piece> {
    while ((this.placed[this.index]?.end ?? begin + 1) <= begin) this.next();
    for (let at = begin; at < end; ) {
      const current = this.placed[this.index]!;
      const stop = Math.min(end, current.end);
      if (stop > at) {
        this.source ??= this.sourceOf(current.tensor);
        yield { source: this.source, from: at - current.begin, bytes: stop - at, byteOffset: at - begin };
      }
      at = stop;
      if (at === current.end) this.next();
    }
  }

  private next(): void {
    this.index++;
    this.source = undefined;
  }
}

/** Bytes [from, from + bytes) of a tensor, and where they go in the buffer. */
interface Piece {
  readonly source: TensorSource;
  readonly from: number;
  readonly bytes: number;
  readonly byteOffset: number;
}
