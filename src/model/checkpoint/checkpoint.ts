import { realpath } from 'node:fs/promises';
import { endianness } from 'node:os';
import { basename, dirname, resolve } from 'node:path';
import { selectBackend } from '../../backends/index.js';
import type { Backend, BackendName } from '../../backends/types.js';
import type { DType } from '../../dtype.js';
import { IsometryError } from '../../errors.js';
import { type FileOps, nodeFileOps } from '../../file-ops.js';
import type { PlacedTensor } from '../../safetensors/header.js';
import { elementCount } from '../../shape.js';
import { type Plan, parsePlan } from '../plan/plan.js';
import { type StoredPlanTensor, storedTensors, TensorSources } from '../plan/stored-tensors.js';
import { writeInFormat } from './checkpoint-format.js';
import {
  type CheckpointOptions,
  isDirectoryTarget,
  type ParsedOptions,
  parseCheckpointOptions,
} from './checkpoint-options.js';
import { sourceOfPart } from './dcp.js';
import { type ShardState, writeDirectory } from './directory.js';
import { layOutDirectory } from './layout.js';
import { checkpointMetadata } from './metadata.js';
import { ProgressReporter } from './progress.js';
import { layOut, type Shard, type ShardWork, writeShard } from './shard-writer.js';

export type { CheckpointFormat, CheckpointOptions } from './checkpoint-options.js';

/** One file of weights, and what this call did with it. */
export interface CheckpointShard {
  /** Its name in the directory. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** How many tensors are in it; 0 where the format cuts tensors (tfjs). */
  readonly tensors: number;
  /** Whose it is. */
  readonly rank: number;
  /** `kept` was there already, with the right bytes; `left` is another rank's. */
  readonly state: 'written' | 'kept' | 'left';
}

/** What came of it. Numbers count what this rank has to make, whether it was there already or not. */
export interface CheckpointSummary {
  /** Of the file or directory, absolute. */
  readonly path: string;
  readonly tensors: number;
  /** Elements of all tensors. */
  readonly parameters: number;
  /** Size of the files of weights. */
  readonly bytes: number;
  /** All files of weights, those of other ranks, too. */
  readonly shards: readonly CheckpointShard[];
  /** Whether nothing is left to do. With several ranks `finalizeCheckpoint` completes a directory. */
  readonly complete: boolean;
  readonly seconds: number;
  readonly backend: BackendName;
  /** Why that backend. */
  readonly reason: string;
}

/** Seams for tests. */
export interface CheckpointSeams {
  readonly ops?: FileOps;
  readonly chunkBytes?: number;
  readonly selectBackend?: (device: string, bytes: number) => { backend: Backend; reason: string };
}

/**
 * Initializes a model and writes it: as one safetensors file, or, to a directory, as the files that `from_pretrained` of
 * transformers reads. A directory is meant by a `path` that ends in `/` or is one that exists, and by the options
 * `maxShardSize`, `rank`, `world` and `slices`. Equal plans, seeds and dtypes give equal files on every device.
 *
 * **One file** is byte for byte the one that the Python `safetensors` library writes for the same tensors and
 * metadata. **A directory** is created where it does not exist. It gets shards of at most `maxShardSize` bytes, cut and called as
 * transformers does, the index if there are several, the plan's `files` (config.json, tokenizer), and two files of our own:
 * `isometry.json` says what the directory is to hold, `isometry-plan.json` is the plan. The shards that are there and right
 * are kept: after an interruption call it again. Another model in the directory is an error, unless `overwrite` is set.
 *
 * **Several processes**, on any machines that see the directory, each call it with their `rank` of `world`, at any time and
 * in any order; when all are done, `finalizeCheckpoint` checks the whole and writes the index. Names and bytes of the files
 * do not depend on `world`. With `slices` they do: each rank then has its rows of every tensor, as FSDP2 divides them, for
 * `HuggingFaceStorageReader` of torch.distributed.checkpoint.
 *
 * **Other formats** for NumPy and TensorFlow.js, by `format`: by one process, and nothing is kept of what is there.
 *
 * Tensors are computed in chunks while earlier chunks are written; memory stays at some 30 MB (100 MB with `cuda`) for each
 * of the files that are written at a time, whatever the model's size. Beside that, orthogonal matrices and what is made of matrices take
 * their work memory while they are computed, and some are computed whole: that may be a few times such a tensor. Every file
 * appears complete or not at all. Everything that can be wrong with the plan and the options is found before the
 * disk is touched.
 *
 * @param plan from `planFrom`, `readPlan`, `planLike` or `parsePlan`, or what `parsePlan` takes.
 * @param path of the file, whose directory must exist, or of the directory.
 * @throws (rejects with) IsometryError `PLAN_ERROR`, `INVALID_*` and `UNKNOWN_OPTION` for wrong arguments, `TOO_LARGE` for a model
 * that the format cannot hold, `CHECKPOINT_ERROR` where another model is, `OUT_OF_MEMORY` for a matrix, `BACKEND_UNAVAILABLE`, `DEVICE_ERROR`,
 * `IO_ERROR`; or the signal's reason.
 */
export function writeCheckpoint(
  plan: Plan | object | string,
  path: string,
  options: CheckpointOptions,
): Promise<CheckpointSummary> {
  return writeCheckpointWith(plan, path, options, {});
}

/** @internal `writeCheckpoint` with some of its parts replaced. */
export async function writeCheckpointWith(
  planLike: unknown,
  path: string,
  options: unknown,
  seams: CheckpointSeams,
): Promise<CheckpointSummary> {
  const started = performance.now();
  if (endianness() !== 'LE') {
    throw new IsometryError(
      'BACKEND_UNAVAILABLE',
      'checkpoints can be written on little-endian machines only',
    );
  }
  const given = parseCheckpointOptions(options);
  const plan = parsePlan(planLike);
  const toDirectory = await isDirectoryTarget(path, given);
  const { seed, device, signal } = given;
  const dtype = given.dtype ?? plan.dtype ?? 'float32';
  const stored = storedTensors(plan, dtype);
  const metadata = checkpointMetadata(plan, seed, given.metadata);
  const sources = new TensorSources({ seed, dtype, device, ...(signal === undefined ? {} : { signal }) });
  try {
    const common = { plan, path, stored, given, dtype, metadata, sources, seams };
    const write =
      given.format === 'safetensors' ? (toDirectory ? writeToDirectory : writeToFile) : writeOther;
    const done = await write(common);
    const seconds = (performance.now() - started) / 1000;
    return { path: resolve(path), ...done, seconds };
  } finally {
    await sources.close();
  }
}

interface Common {
  readonly plan: Plan;
  readonly path: string;
  readonly stored: readonly StoredPlanTensor[];
  readonly given: ParsedOptions;
  readonly dtype: DType;
  readonly metadata: ReadonlyMap<string, string>;
  readonly sources: TensorSources;
  readonly seams: CheckpointSeams;
}

type Done = Omit<CheckpointSummary, 'path' | 'seconds'>;

async function writeToFile({ path, stored, given, metadata, sources, seams }: Common): Promise<Done> {
  const file = basename(path);
  const shard = layOut(file, 0, stored, metadata);
  const { work, ...who } = workOn([shard], given, sources, seams);
  const reporter = new ProgressReporter(given.onProgress, [shard]);
  await writeShard(shard, path, work, {
    onWritten: (done) => reporter.report(0, done),
    onFilled: () => reporter.done(0),
    sweep: true,
  });
  return { ...totals([shard]), shards: summaries([shard], ['written']), complete: true, ...who };
}

async function writeToDirectory(common: Common): Promise<Done> {
  const { plan, path, stored, given, dtype, metadata, sources, seams } = common;
  const { seed, maxShardSize, slices, rank, world, overwrite, concurrency } = given;
  const directory = resolve(path);
  await refuseItsOwnSource(plan, directory);
  const layout = layOutDirectory(plan, stored, { seed, dtype, metadata, maxShardSize, slices, world });
  const own = layout.shards.filter((shard) => shard.rank === rank);
  const { work, ...who } = workOn(own, given, sources, seams);
  const reporter = new ProgressReporter(given.onProgress, own);
  const job = { directory, ...layout, rank, world, overwrite, concurrency, work, reporter };
  const states = await writeDirectory(job);
  return { ...totals(own), shards: summaries(layout.shards, states), complete: world === 1, ...who };
}

async function writeOther({ plan, path, stored, given, metadata, sources, seams }: Common): Promise<Done> {
  const { format, overwrite, concurrency } = given;
  const placed = inPlanOrder(stored);
  const bytes = placed.at(-1)?.end ?? 0;
  const { work, ...who } = workOn([{ bytes }], given, sources, seams);
  const reporter = new ProgressReporter(given.onProgress, [{ file: basename(path), placed }]);
  const onWritten = (done: number): void => reporter.report(0, done);
  const job = { format, path, tensors: stored, files: plan.files ?? [], metadata, overwrite, concurrency };
  const files = await writeInFormat({ ...job, work, onWritten });
  reporter.done(0);
  return {
    tensors: stored.length,
    parameters: stored.reduce((total, { shape }) => total + elementCount(shape), 0),
    bytes: files.reduce((total, file) => total + file.bytes, 0),
    shards: files.map((file) => ({ ...file, rank: 0, state: 'written' })),
    complete: true,
    ...who,
  };
}

function inPlanOrder(stored: readonly StoredPlanTensor[]): readonly PlacedTensor[] {
  let end = 0;
  return stored.map((tensor) => {
    const begin = end;
    end += tensor.bytes;
    return { tensor, begin, end };
  });
}

/** Of a backend that is chosen for these shards. */
function workOn(
  shards: readonly Pick<Shard, 'bytes'>[],
  { device, signal }: ParsedOptions,
  sources: TensorSources,
  seams: CheckpointSeams,
): { readonly work: ShardWork; readonly backend: BackendName; readonly reason: string } {
  const bytes = shards.reduce((total, shard) => total + shard.bytes, 0);
  const { backend, reason } = (seams.selectBackend ?? selectBackend)(device, bytes);
  const work: ShardWork = {
    backend,
    source: (tensor) => sourceOfPart(tensor, (whole) => sources.of(whole)),
    signal,
    ops: seams.ops ?? nodeFileOps,
    chunkBytes: seams.chunkBytes,
  };
  return { work, backend: backend.name, reason };
}

/** Shards that are read may not be replaced: what is copied from them would be lost. */
async function refuseItsOwnSource({ copied = [] }: Plan, directory: string): Promise<void> {
  const target = await realpath(directory).catch(() => undefined);
  // A plan that was read back does not know where from.
  const known = copied.filter(({ identity }) => identity !== undefined);
  for (const source of new Set(known.map((tensor) => dirname(tensor.path)))) {
    if (target === undefined || (await realpath(source).catch(() => undefined)) !== target) continue;
    throw new IsometryError(
      'CHECKPOINT_ERROR',
      `expected another directory than ${directory}, from which tensors are copied; write elsewhere`,
    );
  }
}

function totals(shards: readonly Shard[]): Pick<CheckpointSummary, 'tensors' | 'parameters' | 'bytes'> {
  let [tensors, parameters, bytes] = [0, 0, 0];
  for (const shard of shards) {
    tensors += shard.placed.length;
    bytes += shard.bytes;
    for (const { tensor } of shard.placed) parameters += elementCount(tensor.shape);
  }
  return { tensors, parameters, bytes };
}

function summaries(shards: readonly Shard[], states: readonly ShardState[]): readonly CheckpointShard[] {
  return shards.map(({ file, bytes, placed, rank }, index) => ({
    file,
    bytes,
    tensors: placed.length,
    rank,
    state: states[index]!,
  }));
}
