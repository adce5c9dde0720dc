import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { DType } from '../../dtype.js';
import { DTYPE_NAMES } from '../../dtype.js';
import { describe, IsometryError, showName } from '../../errors.js';
import { type FileOps, nodeFileOps } from '../../file-ops.js';
import { attempt } from '../../io-errors.js';
import { parseJson } from '../../json.js';
import { isPlainObject } from '../../options.js';
import { MAX_SEED } from '../../seed.js';

/** The file in a checkpoint's directory that says what the directory is to hold: written first. */
export const MANIFEST_FILE = 'isometry.json';

/** The plan of such a checkpoint, as `parsePlan` reads it. */
export const PLAN_FILE = 'isometry-plan.json';

/** One file of weights. */
export interface ManifestShard {
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
  /** How many tensors are in it. */
  readonly tensors: number;
  /** SHA-256 of its first bytes, up to where the data begins, in hexadecimal. */
  readonly header_sha256: string;
}

/** One file beside the weights. */
export interface ManifestFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * What a directory is to hold, and from what it is made: `isometry.json`. It is the same whoever writes it, and
 * two checkpoints with equal manifests have equal files.
 */
export interface Manifest {
  readonly manifest_version: 1;
  readonly generator: 'isometry';
  readonly version: string;
  readonly stream_version: number;
  /** In decimal digits. */
  readonly seed: string;
  /** As `planHash` has it. */
  readonly plan_sha256: string;
  /** Of the tensors that have none of their own. */
  readonly dtype: DType;
  readonly format: 'safetensors';
  /** In bytes; left out for slices. */
  readonly max_shard_size?: number;
  /** The number of ranks among which each tensor's rows are divided, where they are. */
  readonly slices?: number;
  /** The file with the plan. */
  readonly plan: string;
  readonly shards: readonly ManifestShard[];
  readonly files: readonly ManifestFile[];
}

/** A file that appears between two looks is there at the next one. */
const ATTEMPTS = 5;

/** Some 300,000 shards; another file has this name by mistake. */
const MAX_BYTES = 2 ** 26;

const SHARD_NAME = /^(?:model|(?:shard-\d{5,8}-)?model-\d{5,8}-of-\d{5,8})\.safetensors$/;

/** Whether a file could be a checkpoint's shard by its name: what another checkpoint in the directory may have left. */
export function isShardName(name: string): boolean {
  return SHARD_NAME.test(name);
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * The bytes of `isometry.json`.
 * @throws IsometryError `TOO_LARGE` for more files than `readManifest` reads.
 */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`, 'utf8');
  if (bytes.length <= MAX_BYTES) return bytes;
  throw new IsometryError(
    'TOO_LARGE',
    `expected a checkpoint of fewer files than ${manifest.shards.length}: ${MANIFEST_FILE} would have ${bytes.length} bytes, more than ${MAX_BYTES}; use a larger maxShardSize or fewer ranks`,
  );
}

/**
 * Reads the manifest of a checkpoint's directory.
 * @returns `undefined` where there is none.
 * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` when it is not one that this version writes; `IO_ERROR` when
 * it cannot be read.
 */
export async function readManifest(
  directory: string,
  ops: FileOps = nodeFileOps,
): Promise<Manifest | undefined> {
  const bytes = await readManifestBytes(directory, ops);
  return bytes === undefined ? undefined : parseManifest(bytes, join(directory, MANIFEST_FILE));
}

/** Its bytes, whatever they are; `undefined` where there is no such file. */
export async function readManifestBytes(directory: string, ops: FileOps): Promise<Uint8Array | undefined> {
  const path = join(directory, MANIFEST_FILE);
  let file = await attempt('read', path, () => ops.openRead(path));
  for (let attempts = 0; file === null; attempts++) {
    const other = await attempt('read', path, () => ops.inspect(path));
    if (other === null || attempts === ATTEMPTS) return undefined;
    // A link, or a directory: nothing that we have written.
    if (other.kind !== 'file') return new Uint8Array();
    // Since we looked, another process has written it.
    file = await attempt('read', path, () => ops.openRead(path));
  }
  try {
    // Nor have we written so much.
    if (file.size > MAX_BYTES) return new Uint8Array();
    const bytes = Buffer.alloc(file.size);
    return bytes.subarray(0, await attempt('read', path, () => file.read(bytes, 0)));
  } finally {
    await file.close();
  }
}

/**
 * Checks a manifest.
 * @param path - how errors call it.
 * @throws IsometryError `CHECKPOINT_ERROR`.
 */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  const fail = (reason: string): IsometryError =>
    new IsometryError(
      'CHECKPOINT_ERROR',
      `expected a manifest of isometry at ${path}, but ${reason}; write the checkpoint anew with overwrite`,
    );
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fail('it is not UTF-8');
  }
  const tree = parseJson(text, { maxDepth: 3, fail: (reason, at) => fail(`${reason} at character ${at}`) });
  if (!isPlainObject(tree)) throw fail(`it is ${describe(tree)}`);
  const manifest = tree as Record<string, unknown>;
  if (manifest['manifest_version'] !== 1) {
    throw fail(
      `its manifest_version is ${describe(manifest['manifest_version'])}, which this version does not know`,
    );
  }
  for (const [key, fits] of FIELDS) {
    if (!fits(manifest[key])) throw fail(`its ${key} cannot be ${describe(manifest[key])}`);
  }
  for (const key of Object.keys(manifest)) {
    if (!FIELDS.has(key) && key !== 'manifest_version') throw fail(`it has an unknown key ${showName(key)}`);
  }
  const { shards, files } = manifest as unknown as Manifest;
  const names = [...shards.map(({ file }) => file), ...files.map(({ name }) => name)];
  if (new Set(names).size !== names.length) throw fail('it names a file twice');
  return tree as Manifest;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isCount = (value: unknown): boolean => isSize(value) && value !== 0;

const FIELDS: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['generator', (value: unknown) => value === 'isometry'],
  ['version', isText],
  ['stream_version', isCount],
  [
    'seed',
    (value: unknown) => typeof value === 'string' && /^\d{1,20}$/.test(value) && BigInt(value) <= MAX_SEED,
  ],
  ['plan_sha256', isHash],
  ['dtype', (value: unknown) => DTYPE_NAMES.includes(value as DType)],
  ['format', (value: unknown) => value === 'safetensors'],
  ['max_shard_size', (value: unknown) => value === undefined || isCount(value)],
  ['slices', (value: unknown) => value === undefined || isCount(value)],
  ['plan', (value: unknown) => value === PLAN_FILE],
  ['shards', isListOf({ file: isShard, bytes: isSize, tensors: isSize, header_sha256: isHash }, 1)],
  ['files', isListOf({ name: isFileName, bytes: isSize, sha256: isHash }, 0)],
]);

function isListOf(
  fields: Readonly<Record<string, (value: unknown) => boolean>>,
  least: number,
): (value: unknown) => boolean {
  const checks = Object.entries(fields);
  const fits = (entry: unknown): boolean =>
    isPlainObject(entry) &&
    Object.keys(entry).length === checks.length &&
    checks.every(([key, check]) => check((entry as Record<string, unknown>)[key]));
  return (value) => Array.isArray(value) && value.length >= least && value.every(fits);
}

function isShard(value: unknown): boolean {
  return typeof value === 'string' && isShardName(value);
}

/** A name in the directory itself, which no other part of the checkpoint has. */
export function isFileName(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    // No separators, no control characters, nothing hidden or relative.
    /^[^./\\\p{Cc}\p{Surrogate}][^/\\\p{Cc}\p{Surrogate}]{0,254}$/u.test(value) &&
    value !== MANIFEST_FILE &&
    !value.endsWith('.safetensors') &&
    !value.endsWith('.safetensors.index.json')
  );
}

/** In what two manifests differ, in words: what of `theirs` is not as in `ours`. */
export function manifestDifferences(theirs: Manifest, ours: Manifest): string {
  const different: string[] = [];
  for (const key of FIELDS.keys()) {
    const [a, b] = [theirs, ours].map((manifest) => (manifest as unknown as Record<string, unknown>)[key]);
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    different.push(
      Array.isArray(a) ? `its ${key} are others` : `its ${key} is ${shown(a)} and not ${shown(b)}`,
    );
  }
  return different.join(', ');
}

function shown(value: unknown): string {
  return value === undefined ? 'not set' : String(value);
}
