/** Whether files of a checkpoint are what they are to be. */
import { join } from 'node:path';
import type { FileOps, ReadableFile } from '../../file-ops.js';
import { attempt } from '../../io-errors.js';
import { MAX_HEADER_BYTES } from '../../safetensors/header.js';
import { parseHeader, type TensorEntry } from '../../safetensors/read.js';
import { inspectFile } from './companions.js';
import { type Manifest, type ManifestShard, sha256 } from './manifest.js';

/** A shard that is there, and what its header says. */
export interface InspectedShard {
  readonly shard: ManifestShard;
  readonly entries: readonly TensorEntry[];
}

/**
 * Looks at the size and the header of every shard, and at all of every file beside them; reads no data.
 * @returns the shards that are as they should be, and in words what is wrong with the other files.
 * @throws (rejects with) IsometryError `IO_ERROR`, or the signal's reason.
 */
export async function inspectDirectory(
  directory: string,
  { shards, files }: Manifest,
  ops: FileOps,
  signal: AbortSignal | undefined,
): Promise<{ readonly found: readonly InspectedShard[]; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const found: InspectedShard[] = [];
  for (const shard of shards) {
    signal?.throwIfAborted();
    const entries = await inspectShard(directory, shard, ops);
    if (typeof entries === 'string') problems.push(entries);
    else found.push({ shard, entries });
  }
  for (const file of files) {
    const problem = await inspectFile(directory, file, ops);
    if (problem !== undefined) problems.push(problem);
  }
  return { found, problems };
}

/** The shard's tensors, or what is wrong with it. */
async function inspectShard(
  directory: string,
  { file: name, bytes, tensors, header_sha256 }: ManifestShard,
  ops: FileOps,
): Promise<readonly TensorEntry[] | string> {
  const path = join(directory, name);
  const file = await attempt('read', path, () => ops.openRead(path));
  if (file === null) return `${name} is missing`;
  try {
    if (file.size !== bytes) return `${name} has ${file.size} bytes and not ${bytes}`;
    const foreign = `${name} is of another checkpoint`;
    const prefix = Buffer.alloc(8);
    await attempt('read', path, () => file.read(prefix, 0));
    const length = prefix.readBigUInt64LE(0);
    if (length > BigInt(Math.min(bytes - 8, MAX_HEADER_BYTES))) return foreign;
    const header = Buffer.alloc(8 + Number(length));
    const read = await attempt('read', path, () => file.read(header, 0));
    if (read !== header.length || sha256(header) !== header_sha256) return foreign;
    const { tensors: entries } = parseHeader(header.subarray(8), bytes - header.length, path);
    return entries.length === tensors ? entries : foreign;
  } finally {
    await file.close();
  }
}

/** Whether a file has these bytes at a position. */
export async function holds(
  file: ReadableFile,
  path: string,
  expected: Uint8Array,
  position: number,
): Promise<boolean> {
  const found = Buffer.alloc(expected.length);
  const bytes = await attempt('read', path, () => file.read(found, position));
  return bytes === found.length && found.equals(expected);
}
