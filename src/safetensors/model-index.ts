import { describe, IsometryError, showName } from '../errors.js';
import { JsonScanner } from '../json.js';
import { MAX_TENSORS } from './parse-header.js';
import { StableFile } from './stable-file.js';

/** Largest index, in bytes: a guard for the reader's memory. One of 10^6 tensors has about so many. */
export const MAX_INDEX_BYTES = 100_000_000;

/** Longest name of a file on every common file system, in bytes. */
const MAX_FILE_NAME_BYTES = 255;

const NO_METADATA = 'the index has no metadata: transformers cannot load it (KeyError)';

/** What the index of a sharded model says (`model.safetensors.index.json`). */
export interface ModelIndex {
  /** File names, without directory, by tensor. */
  readonly weightMap: ReadonlyMap<string, string>;
  /** `metadata.total_size`: bytes of all tensors. */
  readonly totalSize: number | undefined;
  /** What loads, but not everywhere, in words. */
  readonly notes: readonly string[];
}

/** The error for an index that is none. */
export function indexError(path: string, reason: string): IsometryError {
  return new IsometryError(
    'FORMAT_ERROR',
    `expected the index of a sharded safetensors model at ${path}, but ${reason}`,
  );
}

/** Reads and checks an index; the shards are not looked at. */
export async function readIndex(path: string): Promise<ModelIndex> {
  const file = await StableFile.open(path);
  try {
    if (file.size > MAX_INDEX_BYTES)
      throw indexError(path, `it has ${file.size} bytes, more than ${MAX_INDEX_BYTES}`);
    const bytes = Buffer.alloc(file.size);
    await file.read(bytes, 0);
    await file.assertUnchanged();
    return parseIndex(bytes, path);
  } finally {
    await file.close();
  }
}

/**
 * Checks and decodes an index: an object of `weight_map` (tensor → file beside the index) and `metadata`.
 * @param path how errors name the file.
 * @throws IsometryError `FORMAT_ERROR` with the rule that is broken.
 */
export function parseIndex(bytes: Uint8Array, path: string): ModelIndex {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw indexError(path, 'it is not UTF-8');
  }
  // Metadata is free: deep enough for any, and bounded.
  const scanner = new JsonScanner(text, {
    maxDepth: 32,
    fail: (reason, offset) => indexError(path, `it is not valid: ${reason} at character ${offset}`),
  });
  if (scanner.next() !== '{') throw indexError(path, `it is not an object but ${describe(scanner.value())}`);
  const seen = new Set<string>();
  let weightMap: ReadonlyMap<string, string> | undefined;
  let metadata: unknown;
  scanner.object((key, keyAt) => {
    if (seen.has(key)) throw scanner.duplicate(key, keyAt);
    seen.add(key);
    if (key === 'weight_map') weightMap = readWeightMap(scanner, path);
    else if (key === 'metadata') metadata = scanner.value();
    else scanner.value();
  });
  scanner.end();
  if (weightMap === undefined) throw indexError(path, 'it has no weight_map');
  if (!seen.has('metadata')) return { weightMap, totalSize: undefined, notes: [NO_METADATA] };
  if (!isObject(metadata)) throw indexError(path, `metadata is not an object but ${describe(metadata)}`);
  const totalSize = metadata['total_size'];
  if (totalSize !== undefined && !(Number.isSafeInteger(totalSize) && (totalSize as number) >= 0)) {
    throw indexError(path, `metadata.total_size is not a whole number of bytes but ${describe(totalSize)}`);
  }
  return { weightMap, totalSize: totalSize as number | undefined, notes: [] };
}

function readWeightMap(scanner: JsonScanner, path: string): ReadonlyMap<string, string> {
  if (scanner.next() !== '{')
    throw indexError(path, `weight_map is not an object but ${describe(scanner.value())}`);
  const map = new Map<string, string>();
  // Few files hold many tensors: each name is checked and kept once.
  const files = new Map<unknown, string>();
  scanner.object((name, nameAt) => {
    if (map.has(name)) throw scanner.duplicate(name, nameAt);
    const value = scanner.value();
    const file = files.get(value) ?? parseFile(name, value, path);
    files.set(file, file);
    map.set(name, file);
    if (map.size > MAX_TENSORS) throw indexError(path, `it has more than ${MAX_TENSORS} tensors`);
  });
  return map;
}

/** A shard lies beside its index: a name that could lead elsewhere is refused, whether it does or not. */
function parseFile(name: string, file: unknown, path: string): string {
  if (typeof file !== 'string')
    throw indexError(path, `the file of tensor ${showName(name)} is not a string but ${describe(file)}`);
  const plain =
    file !== '' && file !== '.' && file !== '..' && !/[/\\\0]/.test(file) && !/^[A-Za-z]:/.test(file);
  if (plain && Buffer.byteLength(file) <= MAX_FILE_NAME_BYTES) return file;
  throw indexError(
    path,
    `the file of tensor ${showName(name)} is ${showName(file)}, not the name of a file in the same directory`,
  );
}

/** A list of names in a message: the first few, and how many there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).map((name) => showName(name));
  const more = names.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}

const MOST_LISTED = 20;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
