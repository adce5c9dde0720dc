import { endianness } from 'node:os';
import { resolve } from 'node:path';
import { writeAtomically } from '../atomic-file.js';
import { parseDevice, selectBackend } from '../backends/index.js';
import type { Backend, BackendName } from '../backends/types.js';
import { type DType, dtypeInfo } from '../dtype.js';
import { expected, IsometryError } from '../errors.js';
import type { FileOps } from '../file-ops.js';
import { parseSignal } from '../fill.js';
import { checkKeys } from '../options.js';
import { encodeHeader, placeTensors } from '../safetensors/header.js';
import { parseSeed } from '../seed.js';
import { elementCount } from '../shape.js';
import { checkpointMetadata, parseMetadata } from './metadata.js';
import { streamTensors } from './pipeline.js';
import { type Plan, parsePlan } from './plan.js';
import { type CheckpointProgress, ProgressReporter } from './progress.js';
import { storedTensors, TensorSources } from './stored-tensors.js';

/** What `writeCheckpoint` takes beside the plan and the path. */
export interface CheckpointOptions {
  /** 0 … 2^64 − 1, as a number up to 2^53 − 1 or as a bigint. Required. */
  readonly seed: number | bigint;
  /** Wins over the plan's dtype; a tensor's own dtype wins over this. */
  readonly dtype?: DType;
  /** Default `auto`: the fastest there is. Never changes a byte. Any other works or throws. */
  readonly device?: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  /** Stops the work when it aborts; the promise then rejects with the signal's reason and no file is left. */
  readonly signal?: AbortSignal;
  /** Called now and then while the file is written, and once at the end. What it throws stops the work. */
  readonly onProgress?: (progress: CheckpointProgress) => void;
  /** More strings for the file's `__metadata__`; they win over the plan's. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What came of it. */
export interface CheckpointSummary {
  /** Absolute. */
  readonly path: string;
  readonly tensors: number;
  /** Elements of all tensors. */
  readonly parameters: number;
  /** Size of the file. */
  readonly bytes: number;
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

const KEYS = ['seed', 'dtype', 'device', 'signal', 'onProgress', 'metadata'];

/**
 * Initializes a model and writes it as one safetensors file: byte for byte the file that the Python `safetensors`
 * library writes for the same tensors and metadata. Equal plans, seeds and dtypes give equal files on every device.
 *
 * Tensors are computed in chunks while earlier chunks are written; memory stays at some 30 MB (100 MB with `cuda`),
 * whatever the model's size. Beside that, orthogonal matrices and what is made of matrices take their work memory while
 * they are computed, and some are computed whole: that may be a few times such a tensor. The file appears at `path` complete or not at all, see
 * `writeAtomically`. Everything that can be wrong with the plan and the options is found before the file is touched.
 *
 * @param plan from `readPlan` or `parsePlan`, or what `parsePlan` takes.
 * @param path of the file; its directory must exist.
 * @throws IsometryError `PLAN_ERROR`, `INVALID_*` and `UNKNOWN_OPTION` for wrong arguments, `TOO_LARGE` for a model
 * that the format cannot hold, `OUT_OF_MEMORY` for such a matrix, `BACKEND_UNAVAILABLE`, `DEVICE_ERROR`, `IO_ERROR`; or the signal's
 * reason.
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
      'safetensors files can be written on little-endian machines only',
    );
  }
  const given = checkKeys(options, KEYS, 'writeCheckpoint');
  const { onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  const extra = parseMetadata(given['metadata'], 'metadata');
  const seed = parseSeed(given['seed']);
  if (given['dtype'] !== undefined) dtypeInfo(given['dtype']);
  const plan = parsePlan(planLike);

  const dtype = (given['dtype'] ?? plan.dtype ?? 'float32') as DType;
  const device = parseDevice(given['device'] ?? 'auto') as NonNullable<CheckpointOptions['device']>;
  const signal = parseSignal(given['signal']);
  const sources = new TensorSources({
    seed,
    dtype,
    device,
    ...(signal === undefined ? {} : { signal }),
  });
  const placed = placeTensors(storedTensors(plan, dtype));
  const bytes = placed.at(-1)!.end;
  const header = encodeHeader(placed, checkpointMetadata(plan, seed, extra));
  const { backend, reason } = (seams.selectBackend ?? selectBackend)(device, bytes);

  const reporter = new ProgressReporter(onProgress as CheckpointOptions['onProgress'], placed);
  await writeAtomically(
    path,
    header.length + bytes,
    async (file) => {
      await file.write(header, 0);
      await streamTensors(placed, file, header.length, {
        source: (tensor) => sources.of(tensor),
        backend,
        signal,
        chunkBytes: seams.chunkBytes,
        onWritten: (done) => reporter.report(done),
      });
      reporter.finish();
    },
    { signal, ops: seams.ops },
  );
  return {
    path: resolve(path),
    tensors: placed.length,
    parameters: plan.tensors.reduce((total, { shape }) => total + elementCount(shape), 0),
    bytes: header.length + bytes,
    seconds: (performance.now() - started) / 1000,
    backend: backend.name,
    reason,
  };
}
