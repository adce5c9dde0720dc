import { dirname, join } from 'node:path';
import { writeAtomically } from '../../atomic-file.js';
import { IsometryError, showName } from '../../errors.js';
import type { FileOps } from '../../file-ops.js';
import { attempt } from '../../io-errors.js';
import { sweepDirectory } from '../../temp-names.js';
import { inspectFile, removeFile } from './companions.js';
import { holds } from './inspect.js';
import {
  encodeManifest,
  isShardName,
  MANIFEST_FILE,
  type Manifest,
  manifestDifferences,
  parseManifest,
  readManifestBytes,
} from './manifest.js';
import { INDEX_FILE } from './shards.js';

/** A directory that was claimed. */
export interface Claim {
  /** Whether another model was removed. */
  readonly replaced: boolean;
  /**
   * Makes sure that it still is. Reads only the manifest's beginning, so that it can be asked before each shard.
   * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` where somebody has claimed it for another checkpoint; `IO_ERROR`.
   */
  confirm(): Promise<void>;
}

/** How a directory is claimed. */
export interface ClaimOptions {
  readonly ops: FileOps;
  readonly signal: AbortSignal | undefined;
  /** Whether another model that is there may be removed. */
  readonly overwrite: boolean;
}

const INDEX_SUFFIX = '.safetensors.index.json';

/** Who else gets a directory first is seen at once; more often than this nobody comes and goes. */
const ATTEMPTS = 5;

// Where links do not exist (FAT, some network file systems), exclusive creation is not to be had with whole content.
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Makes sure that a directory is for one checkpoint only: creates it where it does not exist, and puts the manifest
 * there, or finds the same one. What dead writers left is removed. The caller may then write the checkpoint's files,
 * as may everybody else with the same manifest at the same time.
 *
 * With `overwrite` another model goes first: its index before all, so that at no moment a loader finds files of both;
 * then those of its files that the new one does not replace; then its manifest.
 *
 * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` where another model is, or files of one; `IO_ERROR`.
 */
export async function claimDirectory(
  directory: string,
  manifest: Manifest,
  { ops, signal, overwrite }: ClaimOptions,
): Promise<Claim> {
  const path = join(directory, MANIFEST_FILE);
  const bytes = encodeManifest(manifest);
  await createDirectory(directory, ops);
  await sweepDirectory(directory, ops);
  const write = (exclusive: boolean): Promise<void> =>
    writeAtomically(path, bytes.length, (file) => file.write(bytes, 0), {
      signal,
      ops,
      exclusive,
      sweep: false,
    });
  const claim = (replaced: boolean): Claim => ({
    replaced,
    confirm: () => confirmClaim(directory, bytes, ops),
  });
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    signal?.throwIfAborted();
    const there = await readManifestBytes(directory, ops);
    if (there !== undefined) {
      if (Buffer.from(there).equals(bytes)) return claim(false);
      if (!overwrite) throw otherModel(directory, there, path, manifest);
      await removeModel(directory, manifest, ops);
      await write(false);
      return claim(true);
    }
    const foreign = await foreignFiles(directory, manifest, ops);
    if (foreign.length > 0) {
      // Since we looked, another process may have claimed the directory and finished a shard: then it is known whose.
      if ((await readManifestBytes(directory, ops)) !== undefined) continue;
      if (!overwrite) throw foreignModel(directory, foreign);
      await removeModel(directory, manifest, ops);
    }
    try {
      await write(true);
      return claim(foreign.length > 0);
    } catch (error) {
      const code = errnoOf(error);
      if (NO_LINKS.has(code)) {
        await write(false);
        return claim(foreign.length > 0);
      }
      // Somebody was faster: see with what.
      if (code !== 'EEXIST') throw error;
    }
  }
  throw new IsometryError(
    'CHECKPOINT_ERROR',
    `expected ${directory} to stay as it is, but ${MANIFEST_FILE} comes and goes; let one checkpoint at a time be written there`,
  );
}

/** So much of a manifest tells it from others: the seed, the plan's hash and the dtype are in here. */
const HEAD_BYTES = 4096;

async function confirmClaim(directory: string, manifest: Uint8Array, ops: FileOps): Promise<void> {
  const path = join(directory, MANIFEST_FILE);
  const file = await attempt('read', path, () => ops.openRead(path));
  if (file === null) throw claimLost(directory);
  try {
    const head = manifest.subarray(0, HEAD_BYTES);
    if (file.size !== manifest.length || !(await holds(file, path, head, 0))) throw claimLost(directory);
  } finally {
    await file.close();
  }
}

/** The error for a directory that was ours. */
export function claimLost(directory: string): IsometryError {
  return new IsometryError(
    'CHECKPOINT_ERROR',
    `expected ${MANIFEST_FILE} in ${directory} to stay as it is, but somebody has replaced it; let one checkpoint at a time be written there`,
  );
}

async function createDirectory(directory: string, ops: FileOps): Promise<void> {
  const there = await attempt('write', directory, () => ops.inspect(directory));
  // What a link leads to shows when something is created there.
  if (there !== null && there.kind !== 'file') return;
  await attempt('create the directory', directory, () => ops.makeDirectory(directory));
  await attempt('sync the directory of', directory, () => ops.syncDirectory(dirname(directory)));
}

function otherModel(directory: string, bytes: Uint8Array, path: string, ours: Manifest): IsometryError {
  const theirs = parseManifest(bytes, path);
  return new IsometryError(
    'CHECKPOINT_ERROR',
    `expected ${directory} to be for this checkpoint, but it is for another one: ${manifestDifferences(theirs, ours)}; write elsewhere, or with overwrite`,
  );
}

function foreignModel(directory: string, foreign: readonly string[]): IsometryError {
  const names = foreign.slice(0, 3).map(showName).join(', ');
  const more = foreign.length > 3 ? ` and ${foreign.length - 3} more` : '';
  return new IsometryError(
    'CHECKPOINT_ERROR',
    `expected ${directory} to be without another model, but it has ${names}${more} and no ${MANIFEST_FILE}; write elsewhere, or with overwrite`,
  );
}

/** What shows that a directory is another model's: weights, and files that ours would replace by other ones. */
async function foreignFiles(directory: string, { files }: Manifest, ops: FileOps): Promise<string[]> {
  const names = await attempt('read', directory, () => ops.list(directory));
  const foreign = names.filter((name) => name.endsWith('.safetensors') || name.endsWith(INDEX_SUFFIX));
  const present = new Set(names);
  for (const file of files) {
    if (present.has(file.name) && (await inspectFile(directory, file, ops)) !== undefined) {
      foreign.push(file.name);
    }
  }
  return foreign;
}

/** Begins only where nothing will stay that is in the way. */
async function removeModel(directory: string, manifest: Manifest, ops: FileOps): Promise<void> {
  // A second index, which is not ours to remove, would leave a directory that nobody can open.
  const names = await attempt('read', directory, () => ops.list(directory));
  const others = names.filter((name) => name.endsWith(INDEX_SUFFIX) && name !== INDEX_FILE);
  if (others.length > 0) {
    throw new IsometryError(
      'CHECKPOINT_ERROR',
      `expected ${directory} to have no other index than ${INDEX_FILE}, but it has ${others.map(showName).join(', ')}; remove it, or write elsewhere`,
    );
  }
  await removeFile(directory, INDEX_FILE, ops);
  await attempt('sync the directory', directory, () => ops.syncDirectory(directory));
  await removeStaleShards(directory, manifest, ops);
}

/** Removes what another checkpoint left, as far as its names are those of shards and not of this one's. */
export async function removeStaleShards(
  directory: string,
  { shards }: Manifest,
  ops: FileOps,
): Promise<void> {
  const ours = new Set(shards.map(({ file }) => file));
  const names = await attempt('read', directory, () => ops.list(directory));
  for (const name of names) {
    if (isShardName(name) && !ours.has(name)) await removeFile(directory, name, ops);
  }
}

function errnoOf(error: unknown): unknown {
  return error instanceof IsometryError
    ? (error.cause as NodeJS.ErrnoException | undefined)?.code
    : undefined;
}
