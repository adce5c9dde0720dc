import type { AtomicWriter } from '../../atomic-file.js';
import { PacedFiller } from '../../backends/paced.js';
import type { Backend, FileFill, Part } from '../../backends/types.js';
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
    const bytes = Math.min(chunkBytes, total - at);
    const pieces = filler.pieces(at, at + bytes);
    const direct = file.writeBy && filler.fillFile(pieces);
    let done: Promise<void>;
    if (direct !== undefined) done = file.writeBy!(bytes, (fd) => direct(fd, offset + at));
    else {
      const buffer = buffers[turn] ?? new ArrayBuffer(chunkBytes);
      buffers[turn] = buffer;
      await filler.fillPieces(buffer, pieces);
      done = file.write(new Uint8Array(buffer, 0, bytes), offset + at);
    }
    const write = done.then(() => {
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
  fill(buffer: ArrayBuffer, begin: number, end: number): Promise<void> {
    return this.fillPieces(buffer, this.pieces(begin, end));
  }

  /** As `fill`, of pieces that `pieces` gave. */
  async fillPieces(buffer: ArrayBuffer, pieces: Iterable<Piece>): Promise<void> {
    let waiting: Part[] = [];
    for (const piece of pieces) {
      const { source, from, bytes, byteOffset } = piece;
      if (source.kind === 'bytes') {
        await source.read(new Uint8Array(buffer, byteOffset, bytes), from);
        this.signal?.throwIfAborted();
        continue;
      }
      const part = partOf(source, piece);
      const { request, start, length } = part;
      if (this.backend.fillParts === undefined) {
        const { array } = dtypeInfo(request.dtype);
        await this.paced.fill(request, new array(buffer, byteOffset, length), start);
        continue;
      }
      if (waiting.push(part) < PARTS_AT_ONCE) continue;
      await this.backend.fillParts(waiting, buffer, this.signal);
      waiting = [];
    }
    if (waiting.length > 0) await this.backend.fillParts!(waiting, buffer, this.signal);
  }

  /** What writes pieces to a file without a buffer; undefined where they take one. */
  fillFile(pieces: Iterable<Piece>): FileFill | undefined {
    if (this.backend.fillFile === undefined || !Array.isArray(pieces)) return undefined;
    const parts: Part[] = [];
    for (const piece of pieces as Piece[]) {
      if (piece.source.kind === 'bytes') return undefined;
      parts.push(partOf(piece.source, piece));
    }
    return this.backend.fillFile(parts);
  }

  /** The pieces of tensors that lie in bytes [begin, end): a list, or where there are many, each prepared when it is asked for. */
  pieces(begin: number, end: number): Iterable<Piece> {
    const pieces = this.eachPiece(begin, end);
    return (this.placed[this.index + PARTS_AT_ONCE]?.begin ?? end) < end ? pieces : [...pieces];
  }

  private *eachPiece(begin: number, end: number): Generator<Piece> {
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

function partOf({ request, first = 0 }: FillSource, { from, bytes, byteOffset }: Piece): Part {
  // Whole elements always: chunks are multiples of 8 bytes, and wider dtypes come first in the file.
  const { bytes: elementBytes } = dtypeInfo(request.dtype);
  return { request, start: first + from / elementBytes, length: bytes / elementBytes, byteOffset };
}

type FillSource = Extract<TensorSource, { kind: 'fill' }>;

/** Bytes [from, from + bytes) of a tensor, and where they go in the buffer. */
interface Piece {
  readonly source: TensorSource;
  readonly from: number;
  readonly bytes: number;
  readonly byteOffset: number;
}
