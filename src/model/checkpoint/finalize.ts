import { join, resolve } from 'node:path';
import { expected, IsometryError } from '../../errors.js';
import { type FileOps, nodeFileOps } from '../../file-ops.js';
import { parseSignal } from '../../fill.js';
import { checkKeys } from '../../options.js';
import { claimLost, removeStaleShards } from './claim.js';
import { removeFile, writeIfOther } from './companions.js';
import { inspectDirectory } from './inspect.js';
import {
  encodeManifest,
  MANIFEST_FILE,
  type Manifest,
  parseManifest,
  readManifestBytes,
} from './manifest.js';
import { INDEX_FILE, indexJson } from './shards.js';

/** What `finalizeCheckpoint` takes beside the directory. */
export interface FinalizeOptions {
  /** Stops the work when it aborts; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A complete checkpoint. */
export interface FinalizeSummary {
  /** Of the directory, absolute. */
  readonly path: string;
  /** Files of weights. */
  readonly shards: number;
  readonly tensors: number;
  /** Elements of all tensors of floating-point numbers. */
  readonly parameters: number;
  /** Size of all files of weights. */
  readonly bytes: number;
}

/**
 * Completes a checkpoint that several processes wrote with `rank` and `world`: checks that each shard and each file beside
 * them is there, has the size and header that the manifest says, and removes what an earlier checkpoint left. Then, last
 * of all, writes `model.safetensors.index.json`, without which no loader finds more than one shard. Call it when all
 * processes are done; calling it again changes nothing. It does not read the data: for that see `verifyCheckpoint`.
 *
 * Checkpoints of slices have no index; they are checked all the same.
 *
 * @param directory the `path` that `writeCheckpoint` was given.
 * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` naming everything that is missing or of another checkpoint;
 * `IO_ERROR`; or the signal's reason.
 */
export async function finalizeCheckpoint(
  directory: string,
  options?: FinalizeOptions,
): Promise<FinalizeSummary> {
  const given = checkKeys(options, ['signal'], 'finalizeCheckpoint');
  const signal = parseSignal(given['signal']);
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw expected('INVALID_ARGUMENT', 'the path of a directory', 'directory', directory);
  }
  return finalizeWith(resolve(directory), nodeFileOps, signal);
}

/** @internal `finalizeCheckpoint` on a given file system. */
export async function finalizeWith(
  directory: string,
  ops: FileOps,
  signal: AbortSignal | undefined,
): Promise<FinalizeSummary> {
  signal?.throwIfAborted();
  const path = join(directory, MANIFEST_FILE);
  const bytes = await readManifestBytes(directory, ops);
  if (bytes === undefined) {
    throw new IsometryError(
      'CHECKPOINT_ERROR',
      `expected ${MANIFEST_FILE} in ${directory}, but there is none; give the directory that the checkpoint was written to`,
    );
  }
  return finalizeManifest(directory, parseManifest(bytes, path), ops, signal);
}

/**
 * The same for a checkpoint whose manifest is known. It must still be the one in the directory at the end.
 * @internal
 */
export async function finalizeManifest(
  directory: string,
  manifest: Manifest,
  ops: FileOps,
  signal: AbortSignal | undefined,
): Promise<FinalizeSummary> {
  const { shards, files } = manifest;
  const { found, problems } = await inspectDirectory(directory, manifest, ops, signal);
  if (problems.length > 0) throw incomplete(directory, problems, shards.length + files.length);
  const weightMap: [string, string][] = [];
  let [totalSize, totalParameters, bytes] = [0, 0, 0];
  for (const { shard, entries } of found) {
    bytes += shard.bytes;
    for (const { name, begin, end, elements, dtype } of entries) {
      weightMap.push([name, shard.file]);
      totalSize += end - begin;
      // As `num_parameters` of transformers, which does not count counters and indices.
      if (dtype.dtype !== undefined) totalParameters += elements;
    }
  }
  const tensors =
    manifest.slices === undefined ? weightMap.length : new Set(weightMap.map(([name]) => name)).size;

  signal?.throwIfAborted();
  const now = await readManifestBytes(directory, ops);
  if (now === undefined || !Buffer.from(now).equals(encodeManifest(manifest))) throw claimLost(directory);
  await removeStaleShards(directory, manifest, ops);
  if (shards.length > 1 && manifest.slices === undefined) {
    const index = indexJson({ totalSize, totalParameters, weightMap });
    await writeIfOther(directory, INDEX_FILE, Buffer.from(index, 'utf8'), ops, signal);
  } else {
    await removeFile(directory, INDEX_FILE, ops);
  }
  return { path: directory, shards: shards.length, tensors, parameters: totalParameters, bytes };
}

/** More than so many are not listed. */
const MOST_LISTED = 20;

function incomplete(directory: string, problems: readonly string[], files: number): IsometryError {
  const listed = problems.slice(0, MOST_LISTED).join(', ');
  const more = problems.length > MOST_LISTED ? ` and ${problems.length - MOST_LISTED} more` : '';
  return new IsometryError(
    'CHECKPOINT_ERROR',
    `the checkpoint in ${directory} is not complete: of its ${files} files ${listed}${more}; let the processes that make them run again, with the same options`,
  );
}
