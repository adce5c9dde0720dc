/** Small files of a checkpoint's directory: what lies beside the weights. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { writeAtomically } from '../../atomic-file.js';
import type { FileOps, ReadableFile } from '../../file-ops.js';
import { attempt } from '../../io-errors.js';
import { type ManifestFile, sha256 } from './manifest.js';

/** Writes a small file, unless it is there with the same bytes. `beforeRename` as in `AtomicOptions`. */
export async function writeIfOther(
  directory: string,
  name: string,
  bytes: Uint8Array,
  ops: FileOps,
  signal: AbortSignal | undefined,
  beforeRename?: () => Promise<void>,
): Promise<void> {
  const path = join(directory, name);
  const there = await attempt('read', path, () => ops.openRead(path));
  if (there !== null) {
    try {
      const same = there.size === bytes.length && (await digest(there, path)) === sha256(bytes);
      if (same) return;
    } finally {
      await there.close();
    }
  }
  const options = { signal, ops, sweep: false, beforeRename };
  await writeAtomically(path, bytes.length, (file) => file.write(bytes, 0), options);
}

/** What is wrong with a file, in words; `undefined` where nothing is. */
export async function inspectFile(
  directory: string,
  { name, bytes, sha256: hash }: ManifestFile,
  ops: FileOps,
): Promise<string | undefined> {
  const path = join(directory, name);
  const file = await attempt('read', path, () => ops.openRead(path));
  if (file === null) return `${name} is missing`;
  try {
    if (file.size === bytes && (await digest(file, path)) === hash) return undefined;
    return `${name} is not the one that was written`;
  } finally {
    await file.close();
  }
}

/** SHA-256 of a file, a piece at a time. */
async function digest(file: ReadableFile, path: string): Promise<string> {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(Math.min(file.size, 2 ** 20));
  for (let at = 0; at < file.size; at += piece.length) {
    const read = await attempt('read', path, () => file.read(piece, at));
    if (read === 0) break;
    hash.update(piece.subarray(0, read));
  }
  return hash.digest('hex');
}

/** Removes a file that may be gone already. */
export async function removeFile(directory: string, name: string, ops: FileOps): Promise<void> {
  const path = join(directory, name);
  await attempt('remove', path, async () => {
    try {
      await ops.unlink(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  });
}
