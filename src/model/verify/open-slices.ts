import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IsometryError, showName } from '../../errors.js';
import { parseJson } from '../../json.js';
import { isPlainObject } from '../../options.js';
import { FilePool } from '../../safetensors/file-pool.js';
import { SafetensorsReader, type TensorEntry } from '../../safetensors/read.js';
import type { OpenCheckpoint, OpenTensor } from './open-checkpoint.js';

/** Files of torch.distributed.checkpoint whose tensors are slices. */
const SLICES = /^shard-\d{5,8}-model-\d{5,8}-of-\d{5,8}\.safetensors$/;

/** The names of the files of slices in a directory; empty where it has none. */
export async function sliceFilesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => SLICES.test(name)).sort();
}

/** A file of slices whose header has been checked. */
type SliceFile = Pick<SafetensorsReader, 'path' | 'identity' | 'dataStart' | 'metadata' | 'size'>;

/** Rows of a tensor that a file holds. */
interface Piece {
  readonly file: SliceFile;
  readonly entry: TensorEntry;
  /** Index of the first row. */
  readonly row: number;
}

/**
 * Opens a checkpoint of slices along axis 0, as `writeCheckpoint` writes it with `slices`: each tensor as if it were
 * whole.
 * @throws (rejects with) IsometryError `FORMAT_ERROR` where slices are missing, overlap, or are cut along another axis;
 * `IO_ERROR`.
 */
export async function openSlices(directory: string, files: readonly string[]): Promise<OpenCheckpoint> {
  const opened: SliceFile[] = [];
  const pieces = new Map<string, Piece[]>();
  for (const name of files) {
    const reader = await SafetensorsReader.open(join(directory, name));
    // There may be more files than a process can have open: only those that are being read are.
    await reader.close();
    const { path, identity, dataStart, metadata, size } = reader;
    const file = { path, identity, dataStart, metadata, size };
    opened.push(file);
    const rows = rowsOf(file);
    for (const entry of reader.tensors) {
      const piece = { file, entry, row: rows(entry) };
      const list = pieces.get(entry.name);
      if (list === undefined) pieces.set(entry.name, [piece]);
      else list.push(piece);
    }
  }
  const tensors = [...pieces].map(([name, list]) => wholeOf(name, list, directory));
  const pool = new FilePool();
  return {
    tensors,
    metadata: commonMetadata(opened.map(({ metadata }) => metadata)),
    files: files.length,
    size: opened.reduce((total, { size }) => total + size, 0),
    notes: [],
    chunks: (tensor, buffer) => chunksOf(pool, pieces.get(tensor.name)!, tensor, buffer),
    close: () => pool.close(),
  };
}

/** In which row of the whole tensor each of a file's tensors begins. */
function rowsOf({ path, metadata }: SliceFile): (entry: TensorEntry) => number {
  const fail = (reason: string): IsometryError => formatError(path, reason);
  const text = metadata.get('DCP_SHARDING_INFO');
  if (text === undefined) throw fail('its metadata has no DCP_SHARDING_INFO');
  const info = parseJson(text, {
    maxDepth: 4,
    fail: (reason, at) => fail(`its DCP_SHARDING_INFO is not valid: ${reason} at character ${at}`),
  });
  const offsets = new Map(isPlainObject(info) ? Object.entries(info as Record<string, unknown>) : []);
  return ({ name, shape }) => {
    const saved = offsets.get(name);
    const list = isPlainObject(saved) ? (saved as { saved_offsets?: unknown }).saved_offsets : undefined;
    if (
      !Array.isArray(list) ||
      list.length !== shape.length ||
      !list.every((offset) => Number.isSafeInteger(offset) && offset >= 0)
    ) {
      throw fail(`its DCP_SHARDING_INFO does not say where ${showName(name)} belongs`);
    }
    if (list.slice(1).some((offset) => offset !== 0))
      throw fail(`its ${showName(name)} is cut along another axis than the first`);
    return (list[0] as number | undefined) ?? 0;
  };
}

/** The tensor that pieces make; they are put into their order. */
function wholeOf(name: string, pieces: Piece[], directory: string): OpenTensor {
  pieces.sort((a, b) => a.row - b.row);
  const { shape: first, dtype } = pieces[0]!.entry;
  let [rows, bytes, elements] = [0, 0, 0];
  for (const { entry, row } of pieces) {
    const fits = entry.dtype === dtype && entry.shape.slice(1).join() === first.slice(1).join();
    if (!fits) throw formatError(directory, `the slices of ${showName(name)} do not fit together`);
    if (row !== rows)
      throw formatError(directory, `of ${showName(name)} rows ${rows} to ${row} are missing or overlap`);
    rows += entry.shape[0] ?? 1;
    bytes += entry.end - entry.begin;
    elements += entry.elements;
  }
  const shape = first.length === 0 ? [] : [rows, ...first.slice(1)];
  return { name, dtype, shape, elements, begin: 0, end: bytes, file: directory };
}

async function* chunksOf(
  pool: FilePool,
  pieces: readonly Piece[],
  tensor: OpenTensor,
  buffer: Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (let at = tensor.begin; at < tensor.end; ) {
    const chunk = buffer.subarray(0, Math.min(buffer.length, tensor.end - at));
    let start = 0;
    for (const { file, entry } of pieces) {
      const size = entry.end - entry.begin;
      const begin = Math.max(at, start);
      const end = Math.min(at + chunk.length, start + size);
      if (begin < end) {
        const target = chunk.subarray(begin - at, end - at);
        const first = file.dataStart + entry.begin - start;
        // As long as its buffer, so that it comes in one piece.
        for await (const _ of pool.pieces(file.path, file.identity, first + begin, first + end, target));
      }
      start += size;
    }
    yield chunk;
    at += chunk.length;
  }
}

/** The entries that all files have. */
export function commonMetadata(files: readonly ReadonlyMap<string, string>[]): ReadonlyMap<string, string> {
  const [first = new Map<string, string>(), ...rest] = files;
  return new Map([...first].filter(([key, value]) => rest.every((other) => other.get(key) === value)));
}

function formatError(path: string, reason: string): IsometryError {
  return new IsometryError(
    'FORMAT_ERROR',
    `expected slices of torch.distributed.checkpoint at ${path}, but ${reason}`,
  );
}
