import { join } from 'node:path';
import { writeAtomically } from '../../../atomic-file.js';
import { IsometryError, showName } from '../../../errors.js';
import { attempt } from '../../../io-errors.js';
import type { StoredDType } from '../../../safetensors/dtypes.js';
import type { PlacedTensor, StoredTensor } from '../../../safetensors/header.js';
import { VERSION } from '../../../version.js';
import type { StoredPlanTensor } from '../../plan/stored-tensors.js';
import { RangeFiller } from '../pipeline.js';
import { opsOf, otherModel, prepareDirectory } from './directory.js';
import { shownDType } from './names.js';
import type { FormatWriter, WriteJob, WrittenFile } from './types.js';

/** The file that names all others. */
const MODEL_FILE = 'model.json';

/** Of all files but the last: what TensorFlow.js' converter writes, so that browsers keep the files in their caches. */
const SHARD_BYTES = 4 * 2 ** 20;
const SHARD_NAME = /^group1-shard\d+of\d+\.bin$/;

/** So many files are on their way to the disk while the next one is computed. */
const BUFFERS = 3;

/** How a weight is described; `quantization` says how the bytes become elements of `dtype`. */
interface WeightType {
  readonly bytes: number;
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly quantization?: { readonly dtype: 'float16' | 'uint8' | 'uint16'; readonly [key: string]: unknown };
}

// tf.io.decodeWeights reads these and no others (tfjs-core/src/io/io_utils.ts); integers of 8 and 16 bits only as quantized
// ones, which value · scale + min makes exactly what they were.
const EXACT = { scale: 1, min: 0 };
const TYPES: ReadonlyMap<StoredDType, WeightType> = new Map<StoredDType, WeightType>([
  ['F32', { bytes: 4, dtype: 'float32' }],
  ['I32', { bytes: 4, dtype: 'int32' }],
  ['F16', { bytes: 2, dtype: 'float32', quantization: { dtype: 'float16' } }],
  ['U16', { bytes: 2, dtype: 'int32', quantization: { dtype: 'uint16', ...EXACT } }],
  ['U8', { bytes: 1, dtype: 'int32', quantization: { dtype: 'uint8', ...EXACT } }],
  ['BOOL', { bytes: 1, dtype: 'bool' }],
]);

/**
 * A directory for TensorFlow.js: `model.json` with a weights manifest, and files of 4 MiB with the weights' bytes one after
 * the other. It holds weights only, no topology: what `tf.io.http(url).load()`, `tf.io.loadWeights` and
 * `tf.io.decodeWeights` read. float16 is loaded as float32, uint8 as int32. `model.json` is written last.
 */
export const tfjs: FormatWriter = {
  name: 'tfjs',
  directory: true,

  check({ tensors }) {
    for (const tensor of tensors) typeOf(tensor);
  },

  async write(job) {
    const placed = place(job.tensors);
    const total = placed.at(-1)?.end ?? 0;
    const count = Math.max(1, Math.ceil(total / SHARD_BYTES));
    const names = Array.from({ length: count }, (_, index) => `group1-shard${index + 1}of${count}.bin`);
    const model = Buffer.from(modelJson(placed, names, job.metadata), 'utf8');
    const shards = names.map((file, index) => ({
      file,
      bytes: Math.min(SHARD_BYTES, total - index * SHARD_BYTES),
    }));
    const files = [...shards, { file: MODEL_FILE, bytes: model.length }];
    await clearOtherModel(job, model);
    await prepareDirectory(job, files, (name) => SHARD_NAME.test(name));
    await writeShards(job, placed, shards);
    const options = { signal: job.signal, ops: opsOf(job), sweep: false };
    const path = join(job.path, MODEL_FILE);
    await writeAtomically(path, model.length, (file) => file.write(model, 0), options);
    return files;
  },
};

function typeOf({ name, dtype }: StoredTensor): WeightType {
  const type = TYPES.get(dtype);
  if (type !== undefined) return type;
  const instead = /^[IU]/.test(dtype) ? 'int32' : 'float32 or float16';
  throw new IsometryError(
    'INVALID_DTYPE',
    `expected a dtype that TensorFlow.js has for ${showName(name)} but received ${shownDType(dtype)}; use ${instead}, or write safetensors`,
  );
}

/** Wide elements first, so that all are aligned wherever files are cut; otherwise in the plan's order. */
function place(tensors: readonly StoredPlanTensor[]): readonly PlacedTensor<StoredPlanTensor>[] {
  const ordered = [...tensors].sort((a, b) => typeOf(b).bytes - typeOf(a).bytes);
  let begin = 0;
  return ordered.map((tensor) => {
    const placed = { tensor, begin, end: begin + tensor.bytes };
    begin = placed.end;
    return placed;
  });
}

function modelJson(
  placed: readonly PlacedTensor[],
  paths: readonly string[],
  metadata: ReadonlyMap<string, string>,
): string {
  const weights = placed.map(({ tensor }) => {
    const { dtype, quantization } = typeOf(tensor);
    const { name, shape } = tensor;
    return { name, shape, dtype, ...(quantization === undefined ? {} : { quantization }) };
  });
  const model = {
    format: 'weights',
    generatedBy: `isometry ${VERSION}`,
    convertedBy: null,
    weightsManifest: [{ paths, weights }],
    userDefinedMetadata: Object.fromEntries(metadata),
  };
  return `${JSON.stringify(model)}\n`;
}

/**
 * A model.json that is there must be the same one, or it would describe other bytes while its files are replaced one by
 * one: else it goes first, if it may.
 */
async function clearOtherModel(job: WriteJob, model: Buffer): Promise<void> {
  const ops = opsOf(job);
  const path = join(job.path, MODEL_FILE);
  const there = await attempt('write', path, () => ops.inspect(path));
  if (there === null) return;
  const file = await attempt('read', path, () => ops.openRead(path));
  try {
    const found = Buffer.alloc(model.length);
    const same = file?.size === model.length && (await file.read(found, 0)) === model.length;
    if (same && found.equals(model)) return;
  } finally {
    await file?.close();
  }
  if (job.overwrite !== true) throw otherModel(job.path, [MODEL_FILE]);
  await attempt('remove', path, () => ops.unlink(path));
  await attempt('sync the directory', job.path, () => ops.syncDirectory(job.path));
}

async function writeShards(
  job: WriteJob,
  placed: readonly PlacedTensor<StoredPlanTensor>[],
  shards: readonly WrittenFile[],
): Promise<void> {
  const filler = new RangeFiller(placed, job);
  const options = { signal: job.signal, ops: opsOf(job), sweep: false };
  const buffers: ArrayBuffer[] = [];
  const writes: Promise<void>[] = [];
  let written = 0;
  try {
    for (const [index, { file, bytes }] of shards.entries()) {
      const turn = index % BUFFERS;
      await writes[turn];
      const buffer = buffers[turn] ?? new ArrayBuffer(Math.ceil(bytes / 8) * 8);
      buffers[turn] = buffer;
      const begin = index * SHARD_BYTES;
      await filler.fill(buffer, begin, begin + bytes);
      const data = new Uint8Array(buffer, 0, bytes);
      const write = writeAtomically(
        join(job.path, file),
        bytes,
        (output) => output.write(data, 0),
        options,
      ).then(() => {
        written += bytes;
        job.onWritten?.(written);
      });
      // Its failure is thrown where it is awaited; until then it must not count as unhandled.
      write.catch(() => {});
      writes[turn] = write;
    }
  } finally {
    // Nothing goes on behind the caller's back.
    await Promise.allSettled(writes);
  }
  await Promise.all(writes);
}
