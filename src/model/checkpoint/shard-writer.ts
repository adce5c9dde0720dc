import { createHash } from 'node:crypto';
import { writeAtomically } from '../../atomic-file.js';
import { splitOf } from '../../backends/steps.js';
import type { Backend } from '../../backends/types.js';
import type { FileOps } from '../../file-ops.js';
import { attempt } from '../../io-errors.js';
import {
  encodeHeader,
  type PlacedTensor,
  placeTensors,
  type StoredTensor,
} from '../../safetensors/header.js';
import type { StoredPlanTensor } from '../plan/stored-tensors.js';
import type { TensorSource } from '../plan/tensor-source.js';
import { holds } from './inspect.js';
import { RangeFiller, streamTensors } from './pipeline.js';

/** A part of a tensor that is stored as a tensor of its own: see dcp.ts. */
export interface TensorSlice extends StoredTensor {
  /** Size of the part's data. */
  readonly bytes: number;
  readonly whole: StoredPlanTensor;
  /** Where the part's bytes, which lie together, begin in the whole tensor. */
  readonly begin: number;
}

/** What a file has as a tensor. */
export type ShardTensor = StoredPlanTensor | TensorSlice;

/** One safetensors file of a checkpoint, as it is to be. */
export interface Shard {
  /** Its name in the directory. */
  readonly file: string;
  /** Which process makes it. */
  readonly rank: number;
  readonly placed: readonly PlacedTensor<ShardTensor>[];
  /** The file's bytes before the data. */
  readonly header: Uint8Array;
  /** Size of the file. */
  readonly bytes: number;
}

/** How shards are made. */
export interface ShardWork {
  readonly backend: Backend;
  readonly source: (tensor: ShardTensor) => TensorSource;
  readonly signal: AbortSignal | undefined;
  readonly ops: FileOps;
  readonly chunkBytes: number | undefined;
}

/**
 * Lays out a file.
 * @throws IsometryError `TOO_LARGE` for more than a safetensors file can hold.
 */
export function layOut(
  file: string,
  rank: number,
  tensors: readonly ShardTensor[],
  metadata: Iterable<readonly [string, string]>,
): Shard {
  const placed = placeTensors(tensors);
  const header = encodeHeader(placed, new Map(metadata));
  return { file, rank, placed, header, bytes: header.length + dataBytes(placed) };
}

function dataBytes(placed: readonly PlacedTensor[]): number {
  return placed.at(-1)?.end ?? 0;
}

/** What happens around the writing of a shard. */
export interface ShardHooks {
  /** Told how many bytes of data are written. */
  readonly onWritten?: (bytes: number) => void;
  /** Called when all are, but the file has not its name yet. */
  readonly onFilled?: () => void;
  /** Called when the file is complete on the disk: what it throws leaves the old one where it is. */
  readonly beforeRename?: () => Promise<void>;
  /** Whether to remove what dead writers of this file left. */
  readonly sweep: boolean;
}

/** Writes a shard to `path`, complete or not at all. */
export async function writeShard(
  shard: Shard,
  path: string,
  work: ShardWork,
  { onWritten, onFilled, beforeRename, sweep }: ShardHooks,
): Promise<void> {
  const { placed, header, bytes } = shard;
  await writeAtomically(
    path,
    bytes,
    async (file) => {
      await file.write(header, 0);
      await streamTensors(placed, file, header.length, { ...work, onWritten });
      onFilled?.();
    },
    { signal: work.signal, ops: work.ops, sweep, beforeRename },
  );
}

/** Parts of the data that are looked at: the first, the last, and one at a random place in each part of equal size. */
const WINDOWS = 16;
const WINDOW_BYTES = 16_384;

/** Of windows that take whole matrices to compute, so many are looked at. */
const COSTLY_WINDOWS = 2;

/**
 * Whether a file is the finished shard: it has the size, the header byte for byte (with the seed and the plan's hash),
 * and in samples of its data the bytes that are computed anew. Its name, its date and who wrote it prove nothing.
 */
export async function isFinished(shard: Shard, path: string, work: ShardWork): Promise<boolean> {
  const file = await attempt('read', path, () => work.ops.openRead(path));
  if (file === null) return false;
  try {
    if (file.size !== shard.bytes) return false;
    const { header, placed } = shard;
    if (!(await holds(file, path, header, 0))) return false;
    const filler = new RangeFiller(placed, work);
    for (const [begin, end] of affordable(windowsOf(shard), shard, work)) {
      const buffer = new ArrayBuffer(end - begin);
      await filler.fill(buffer, begin, end);
      if (!(await holds(file, path, new Uint8Array(buffer), header.length + begin))) return false;
      work.signal?.throwIfAborted();
    }
    return true;
  } finally {
    await file.close();
  }
}

type Range = readonly [begin: number, end: number];

/** In the order of their bytes; the places follow from the header, so that everybody looks at the same ones. */
function windowsOf({ placed, header }: Shard): Range[] {
  const total = dataBytes(placed);
  if (total <= WINDOWS * WINDOW_BYTES) return total === 0 ? [] : [[0, total]];
  const random = createHash('sha512').update(header).digest();
  const part = total / WINDOWS;
  return Array.from({ length: WINDOWS }, (_, index): Range => {
    const free = part - WINDOW_BYTES;
    const inside = index === 0 ? 0 : (free * random.readUInt32LE(4 * index)) / 2 ** 32;
    // Multiples of 8, so that windows begin and end with whole elements.
    const begin = Math.floor((index * part + inside) / 8) * 8;
    const last = Math.floor((total - WINDOW_BYTES) / 8) * 8;
    return index === WINDOWS - 1 ? [last, total] : [begin, begin + WINDOW_BYTES];
  });
}

function affordable(windows: readonly Range[], shard: Shard, work: ShardWork): readonly Range[] {
  const costly = windows.filter(([begin, end]) => takesMatrices(shard.placed, begin, end, work));
  if (costly.length <= COSTLY_WINDOWS) return windows;
  const dropped = new Set(costly);
  dropped.delete(costly.at(-1)!);
  dropped.delete(costly[costly.length >> 1]!);
  return windows.filter((window) => !dropped.has(window));
}

function takesMatrices(
  placed: readonly PlacedTensor<ShardTensor>[],
  begin: number,
  end: number,
  { source }: ShardWork,
): boolean {
  for (let index = firstBehind(placed, begin); index < placed.length; index++) {
    const { tensor, begin: from } = placed[index]!;
    if (from >= end) return false;
    const made = source(tensor);
    if (made.kind === 'fill' && splitOf(made.request) !== undefined) return true;
  }
  return false;
}

/** The first tensor that ends behind byte `at`. */
function firstBehind(placed: readonly PlacedTensor[], at: number): number {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle]!.end > at) high = middle;
    else low = middle + 1;
  }
  return low;
}
