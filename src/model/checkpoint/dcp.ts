/**
 * Slices of tensors as torch.distributed.checkpoint reads them: every rank's file has its rows of every tensor, and says
 * in its metadata where they belong. `HuggingFaceStorageReader` puts them together, for any number of ranks that read;
 * `consolidate_safetensors_files` makes a checkpoint of whole tensors of them (of floats with an axis at least: PyTorch
 * 2.13 cannot consolidate integers, and loses scalars).
 */
import { IsometryError, showName } from '../../errors.js';
import type { StoredPlanTensor } from '../plan/stored-tensors.js';
import type { TensorSource } from '../plan/tensor-source.js';
import type { ShardTensor, TensorSlice } from './shard-writer.js';
import { fiveDigits, rowsOfRank } from './shards.js';

/** What one rank's file holds. */
export interface SliceFile {
  readonly file: string;
  readonly rank: number;
  readonly tensors: readonly TensorSlice[];
  /** What PyTorch needs to know, for the file's metadata. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Every rank lays out all parts of tensors in all files, at some 0.8 kB for each: no more than fits into Node's heap. */
const MOST_SLICES = 2_000_000;

/**
 * Divides every tensor's rows (axis 0) among `world` ranks, as `Shard(0)` of DTensor and FSDP2 does. Scalars and
 * tensors without elements go to rank 0. A rank for which nothing is left has no file.
 *
 * @throws IsometryError `TOO_LARGE` for more than 2 million parts; `INVALID_OPTION` for a tensor of elements
 * smaller than a byte whose rows do not fill whole bytes.
 */
export function sliceFiles(stored: readonly StoredPlanTensor[], world: number): readonly SliceFile[] {
  let parts = 0;
  for (const { shape } of stored) parts += Math.min(world, shape[0] ?? 1);
  if (parts > MOST_SLICES) {
    throw new IsometryError(
      'TOO_LARGE',
      `expected at most ${MOST_SLICES} slices but ${stored.length} tensors among ${world} ranks make ${parts}; use fewer ranks, or whole shards`,
    );
  }
  const files: SliceFile[] = [];
  // From some rank on no tensor has rows left.
  for (let rank = 0; rank < world; rank++) {
    const tensors = stored.flatMap((tensor) => sliceOf(tensor, rank, world) ?? []);
    if (tensors.length === 0) break;
    files.push({
      file: `shard-${fiveDigits(rank + 1)}-model-00001-of-00001.safetensors`,
      rank,
      tensors,
      metadata: new Map([
        // `_hf_utils.py` of torch.distributed.checkpoint.
        ['DCP_VERSION', '1.0'],
        ['DCP_SHARDING_INFO', shardingInfo(tensors)],
      ]),
    });
  }
  return files;
}

function sliceOf(whole: StoredPlanTensor, rank: number, world: number): TensorSlice | undefined {
  const { name, shape, dtype, bytes } = whole;
  const [rows, ...inner] = shape;
  if (rows === undefined || bytes === 0) {
    return rank === 0 ? { name, shape, dtype, bytes, whole, begin: 0 } : undefined;
  }
  const [first, end] = rowsOfRank(rows, rank, world);
  if (first === end) return undefined;
  const rowBytes = bytes / rows;
  if (!Number.isInteger(rowBytes)) {
    throw new IsometryError(
      'INVALID_OPTION',
      `expected rows of whole bytes for slices but those of ${showName(name)} have ${rowBytes} bytes; write whole shards`,
    );
  }
  return {
    name,
    shape: [end - first, ...inner],
    dtype,
    bytes: (end - first) * rowBytes,
    whole,
    begin: first * rowBytes,
  };
}

/** For every tensor the index of its first element in the whole tensor. */
function shardingInfo(tensors: readonly TensorSlice[]): string {
  const entries = tensors.map(({ name, shape, whole, begin, bytes }) => {
    const row = begin === 0 ? 0 : begin / (bytes / shape[0]!);
    const offsets = whole.shape.map((_, axis) => (axis === 0 ? row : 0));
    return `${JSON.stringify(name)}:{"saved_offsets":[${offsets.join(',')}]}`;
  });
  return `{${entries.join(',')}}`;
}

/** What makes a tensor or a part of one, given what makes whole ones. */
export function sourceOfPart(
  tensor: ShardTensor,
  sourceOf: (whole: StoredPlanTensor) => TensorSource,
): TensorSource {
  if (!('whole' in tensor)) return sourceOf(tensor);
  const { whole, begin } = tensor;
  const source = sourceOf(whole);
  if (source.kind === 'bytes')
    return { kind: 'bytes', read: (target, at) => source.read(target, begin + at) };
  // Elements of floats have whole bytes, all the same number.
  const elementBytes = whole.bytes / source.request.length;
  return begin === 0 ? source : { ...source, first: begin / elementBytes };
}
