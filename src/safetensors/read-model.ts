import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { expected, IsometryError, showName } from '../errors.js';
import { FilePool } from './file-pool.js';
import { indexError, listed, type ModelIndex, readIndex } from './model-index.js';
import type { TensorEntry } from './parse-header.js';
import { SafetensorsReader } from './read.js';
import { type FileIdentity, readError } from './stable-file.js';

const SINGLE_FILE = 'model.safetensors';
const INDEX_SUFFIX = '.safetensors.index.json';

/** A tensor of a model, and where it is. */
export interface ModelEntry extends TensorEntry {
  /** Path of the file that holds it, absolute. */
  readonly file: string;
  /** Bytes [begin, end) of that file, counted from its beginning. */
  readonly begin: number;
  readonly end: number;
}

/** One safetensors file of a model. */
export interface ModelFile {
  /** Absolute. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly metadata: ReadonlyMap<string, string>;
  /** How many. */
  readonly tensors: number;
  readonly identity: FileIdentity;
}

/** A model in safetensors files, of which all headers have been checked. Close it when done. */
export class ModelReader {
  /** What was opened: the file or the index, absolute. */
  readonly path: string;
  /** In the order of their names. */
  readonly files: readonly ModelFile[];
  /** File by file, in the order of their data. */
  readonly tensors: readonly ModelEntry[];
  /** What the metadata of all files have in common. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes of all files. */
  readonly size: number;
  /** What is right, but will not load everywhere, in words. */
  readonly notes: readonly string[];
  private readonly identities: ReadonlyMap<string, FileIdentity>;
  private readonly pool = new FilePool();

  private constructor(path: string, files: readonly LoadedFile[], notes: readonly string[]) {
    this.path = path;
    this.files = files.map(({ file }) => file);
    this.tensors = files.flatMap(({ entries }) => entries);
    this.metadata = commonMetadata(this.files);
    this.size = this.files.reduce((total, { size }) => total + size, 0);
    this.notes = notes;
    this.identities = new Map(this.files.map(({ path: file, identity }) => [file, identity]));
  }

  /**
   * Opens a model and checks its structure; reads no tensor data. Of an index it is checked that every tensor is in
   * exactly the file that it says, that the files hold no others, and that `total_size`, if it is there, is right.
   * Links to files are followed, as caches consist of them; file names in an index never leave its directory.
   *
   * @param path a safetensors file, an index (`….index.json`), or a directory with one of either.
   * @throws (rejects with) IsometryError `INVALID_ARGUMENT` for what is no path; `IO_ERROR` when something cannot be read;
   * `FORMAT_ERROR` with the rule that is broken.
   */
  static async open(path: string): Promise<ModelReader> {
    if (typeof path !== 'string' || path === '' || path.includes('\0'))
      throw expected('INVALID_ARGUMENT', 'the path of a file or directory', 'path', path);
    const found = await findModel(resolve(path));
    if (!found.endsWith('.json')) return new ModelReader(found, [await load(found)], []);
    const index = await readIndex(found);
    return new ModelReader(found, await loadShards(found, index), index.notes);
  }

  /**
   * The bytes of one tensor, or of a part of one with another `begin` and `end`, in pieces of at most `buffer.length`, which
   * must be a multiple of 8. Each piece is a view of `buffer`, good until the next one is asked for.
   * @throws (rejects with) IsometryError `FORMAT_ERROR` when the file has changed since it was opened, `IO_ERROR` when
   * reading fails.
   */
  chunks(
    { file, begin, end }: Pick<ModelEntry, 'file' | 'begin' | 'end'>,
    buffer: Uint8Array,
  ): AsyncGenerator<Uint8Array> {
    const identity = this.identities.get(file);
    if (identity === undefined) throw new IsometryError('INTERNAL', `${file} is no file of ${this.path}`);
    return this.pool.pieces(file, identity, begin, end, buffer);
  }

  /** Closes all files. */
  close(): Promise<void> {
    return this.pool.close();
  }
}

interface LoadedFile {
  readonly file: ModelFile;
  readonly entries: readonly ModelEntry[];
}

/** Which file to begin with: `path` itself, or what of a directory is its model. */
async function findModel(path: string): Promise<string> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return path;
    names = await readdir(path);
  } catch (cause) {
    throw readError(path, cause);
  }
  const fail = (reason: string): IsometryError =>
    new IsometryError('FORMAT_ERROR', `expected one model in the directory ${path}, but ${reason}`);
  const indexes = names.filter((name) => name.endsWith(INDEX_SUFFIX)).sort();
  const files = names.filter((name) => name.endsWith('.safetensors')).sort();
  if (indexes.length > 1) throw fail(`it has several indexes: ${listed(indexes)}; name one of them`);
  const [index] = indexes;
  if (index !== undefined) {
    // Loaders would take the file and never look at the index.
    const single = index.slice(0, -'.index.json'.length);
    if (files.includes(single))
      throw fail(`it has both ${showName(single)} and ${showName(index)}; name the one that you mean`);
    return join(path, index);
  }
  if (files.includes(SINGLE_FILE)) return join(path, SINGLE_FILE);
  if (files.length === 1) return join(path, files[0]!);
  if (files.length === 0) throw fail('it has no safetensors file');
  throw fail(
    `it has ${files.length} safetensors files and no index: ${listed(files)}; complete it, or name one of them`,
  );
}

async function load(path: string): Promise<LoadedFile> {
  const reader = await SafetensorsReader.open(path);
  try {
    const { size, metadata, identity, dataStart } = reader;
    const file = { path, size, metadata, tensors: reader.tensors.length, identity };
    // Written out: a spread would take most of the time where there are 10^6 tensors.
    const entries = reader.tensors.map(({ name, dtype, shape, elements, begin, end }) => ({
      name,
      dtype,
      shape,
      elements,
      file: path,
      begin: dataStart + begin,
      end: dataStart + end,
    }));
    return { file, entries };
  } finally {
    await reader.close();
  }
}

async function loadShards(indexPath: string, index: ModelIndex): Promise<readonly LoadedFile[]> {
  const directory = dirname(indexPath);
  const named = [...new Set(index.weightMap.values())].sort();
  await checkPresent(indexPath, directory, named);
  const loaded: LoadedFile[] = [];
  let bytes = 0;
  let count = 0;
  for (const name of named) {
    const shard = await load(join(directory, name));
    for (const entry of shard.entries) {
      checkPlace(entry.name, name, index.weightMap.get(entry.name), indexPath);
      bytes += entry.end - entry.begin;
    }
    count += shard.entries.length;
    loaded.push(shard);
  }
  // Each tensor that was found is where the index says, so only some of the index's can be left.
  if (count < index.weightMap.size) throw missingTensors(indexPath, index, loaded);
  if (index.totalSize !== undefined && index.totalSize !== bytes) {
    throw indexError(
      indexPath,
      `metadata.total_size is ${index.totalSize} where its tensors take ${bytes} bytes; correct it or remove it`,
    );
  }
  return loaded;
}

async function checkPresent(indexPath: string, directory: string, names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    try {
      await stat(join(directory, name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw readError(join(directory, name), cause);
      missing.push(name);
    }
  }
  if (missing.length === 0) return;
  throw indexError(
    indexPath,
    `${missing.length} of its ${names.length} files are missing: ${listed(missing)}`,
  );
}

function checkPlace(tensor: string, file: string, wanted: string | undefined, indexPath: string): void {
  if (wanted === file) return;
  const says = wanted === undefined ? 'does not have it' : `has it in ${showName(wanted)}`;
  throw indexError(indexPath, `tensor ${showName(tensor)} is in ${showName(file)}, and the index ${says}`);
}

function missingTensors(indexPath: string, index: ModelIndex, loaded: readonly LoadedFile[]): IsometryError {
  const there = new Set(loaded.flatMap(({ entries }) => entries.map(({ name }) => name)));
  const missing = [...index.weightMap.keys()].filter((name) => !there.has(name));
  const file = index.weightMap.get(missing[0]!)!;
  return indexError(
    indexPath,
    `${missing.length} of its tensors are in no file: ${listed(missing)} (${showName(file)} was to have the first)`,
  );
}

function commonMetadata(files: readonly ModelFile[]): ReadonlyMap<string, string> {
  const common = new Map(files[0]?.metadata);
  for (const { metadata } of files) {
    for (const [key, value] of common) if (metadata.get(key) !== value) common.delete(key);
  }
  return common;
}
