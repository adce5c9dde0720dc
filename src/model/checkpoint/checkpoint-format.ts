import { resolve } from 'node:path';
import { IsometryError } from '../../errors.js';
import type { PlanFile } from '../plan/plan.js';
import type { StoredPlanTensor } from '../plan/stored-tensors.js';
import { inspectFile, writeIfOther } from './companions.js';
import { FORMATS, type WriteJob } from './formats/index.js';
import { sha256 } from './manifest.js';
import type { ShardWork } from './shard-writer.js';

/** A model to be written in a format other than safetensors. */
export interface FormatJob {
  readonly format: string;
  readonly path: string;
  readonly tensors: readonly StoredPlanTensor[];
  /** What is beside the weights, where the format makes a directory. */
  readonly files: readonly PlanFile[];
  readonly metadata: ReadonlyMap<string, string>;
  readonly overwrite: boolean;
  readonly concurrency: number;
  readonly work: ShardWork;
  readonly onWritten: (bytes: number) => void;
}

/** A file that was written. */
export interface FormatFile {
  readonly file: string;
  readonly bytes: number;
  /** How many tensors are in it, or 0 where the format cuts tensors. */
  readonly tensors: number;
}

/**
 * Writes a model in a format other than safetensors, by one process; nothing that is there is kept.
 * @throws (rejects with) IsometryError `INVALID_DTYPE`, `INVALID_NAME` for what the format cannot hold; `CHECKPOINT_ERROR` where
 * other files are in the way; `IO_ERROR`; or the signal's reason.
 */
export async function writeInFormat(job: FormatJob): Promise<readonly FormatFile[]> {
  const { format, tensors, metadata, overwrite, concurrency, work, onWritten } = job;
  const { backend, source, signal, ops, chunkBytes } = work;
  const writer = FORMATS.get(format)!;
  const path = resolve(job.path);
  const own: WriteJob = {
    ...{ tensors, metadata, path, backend, source, signal, overwrite, concurrency, ops, chunkBytes },
    onWritten,
  };
  writer.check(own);
  const files = writer.directory ? job.files : [];
  if (!overwrite) await refuseOthers(path, files, work);
  const written = await writer.write(own);
  for (const { name, bytes } of files) await writeIfOther(path, name, bytes, ops, signal);
  const each = new Map([
    ['npy', 1],
    ['npz', tensors.length],
  ]);
  return written.map(({ file, bytes }) => ({ file, bytes, tensors: each.get(format) ?? 0 }));
}

/** A config.json of another model is not replaced without being asked for. */
async function refuseOthers(path: string, files: readonly PlanFile[], { ops }: ShardWork): Promise<void> {
  for (const { name, bytes } of files) {
    const wanted = { name, bytes: bytes.length, sha256: sha256(bytes) };
    const problem = await inspectFile(path, wanted, ops);
    if (problem === undefined || problem.endsWith('is missing')) continue;
    throw new IsometryError(
      'CHECKPOINT_ERROR',
      `expected ${path} to be without another model, but ${name} in it is another one; write elsewhere, or with overwrite`,
    );
  }
}
