import type { DType } from '../../dtype.js';
import { expected } from '../../errors.js';
import { STREAM_VERSION, VERSION } from '../../version.js';
import { type Plan, type PlanFile, serializePlan } from '../plan/plan.js';
import type { StoredPlanTensor } from '../plan/stored-tensors.js';
import { sliceFiles } from './dcp.js';
import { isFileName, type Manifest, PLAN_FILE, sha256 } from './manifest.js';
import { layOut, type Shard } from './shard-writer.js';
import { cutShards, rankOfShard, shardName } from './shards.js';

/** What decides which bytes a checkpoint's directory holds, beside the plan. */
export interface LayoutOptions {
  readonly seed: bigint;
  readonly dtype: DType;
  /** Of every shard, as `checkpointMetadata` has it. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly maxShardSize: number;
  /** Whether each rank has a slice of every tensor instead of some whole ones. */
  readonly slices: boolean;
  /** How many ranks there are: decides who writes what; with `slices` also what the files are. */
  readonly world: number;
}

/** All files of a checkpoint's directory but the index. */
export interface Layout {
  readonly shards: readonly Shard[];
  readonly files: readonly PlanFile[];
  readonly manifest: Manifest;
}

/**
 * Lays out a checkpoint's directory: pure, and the same for every rank.
 * @throws IsometryError `TOO_LARGE` for a shard that its format cannot hold, `INVALID_ARGUMENT` for a plan's file whose
 * name is none of a file beside the weights.
 */
export function layOutDirectory(
  plan: Plan,
  stored: readonly StoredPlanTensor[],
  options: LayoutOptions,
): Layout {
  const shards = options.slices ? slicedShards(stored, options) : wholeShards(stored, options);
  const files = [...(plan.files ?? []), { name: PLAN_FILE, bytes: Buffer.from(serializePlan(plan), 'utf8') }];
  for (const [index, { name }] of files.entries()) {
    if (isFileName(name) && files.findIndex((file) => file.name === name) === index) continue;
    throw expected('INVALID_ARGUMENT', 'a name of its own in the directory', `files[${index}]`, name);
  }
  const { seed, dtype, metadata, maxShardSize, slices, world } = options;
  const manifest: Manifest = {
    manifest_version: 1,
    generator: 'isometry',
    version: VERSION,
    stream_version: STREAM_VERSION,
    seed: String(seed),
    plan_sha256: metadata.get('plan_sha256')!,
    dtype,
    format: 'safetensors',
    ...(slices ? { slices: world } : { max_shard_size: maxShardSize }),
    plan: PLAN_FILE,
    shards: shards.map(({ file, bytes, placed, header }) => ({
      file,
      bytes,
      tensors: placed.length,
      header_sha256: sha256(header),
    })),
    files: files.map(({ name, bytes }) => ({ name, bytes: bytes.length, sha256: sha256(bytes) })),
  };
  return { shards, files, manifest };
}

function wholeShards(stored: readonly StoredPlanTensor[], options: LayoutOptions): Shard[] {
  const cuts = cutShards(stored, options.maxShardSize);
  return cuts.map((tensors, index) =>
    layOut(shardName(index, cuts.length), rankOfShard(index, options.world), tensors, [
      ...options.metadata,
      ...(cuts.length === 1 ? [] : [shardEntry(index, cuts.length)]),
    ]),
  );
}

function slicedShards(stored: readonly StoredPlanTensor[], { metadata, world }: LayoutOptions): Shard[] {
  const files = sliceFiles(stored, world);
  return files.map(({ file, rank, tensors, metadata: own }, index) =>
    layOut(file, rank, tensors, [...metadata, ...own, shardEntry(index, files.length)]),
  );
}

function shardEntry(index: number, count: number): [string, string] {
  return ['shard', `${index + 1} of ${count}`];
}
