import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describe, IsometryError, showName } from '../errors.js';
import { parseJson } from '../json.js';
import { type StoredDTypeInfo, storedDType } from './dtypes.js';
import { MAX_HEADER_BYTES } from './header.js';

/** Most tensors in one file: a guard for the reader's memory, far above any real model. */
export const MAX_TENSORS = 1_000_000;

/** A tensor of a safetensors file. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: StoredDTypeInfo;
  readonly shape: readonly number[];
  readonly elements: number;
  /** Bytes [begin, end) of the data section. */
  readonly begin: number;
  readonly end: number;
}

/** What a safetensors header says. */
export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  /** In the order of their data. */
  readonly tensors: readonly TensorEntry[];
}

/**
 * Checks and decodes a header. Stricter than the reference implementation: duplicate keys, leading spaces and
 * unknown fields are errors too.
 *
 * @param header the JSON bytes, without the 8-byte length before them.
 * @param dataBytes length of the data section that follows.
 * @param path how errors name the file.
 * @throws IsometryError `FORMAT_ERROR` with the rule that is broken.
 */
export function parseHeader(header: Uint8Array, dataBytes: number, path: string): Header {
  const fail = (reason: string): IsometryError => formatError(path, reason);
  if (header[0] !== 0x7b) throw fail('its header does not start with "{"');
  let text: string;
  try {
    // ignoreBOM keeps a byte order mark in the text, where it is an error like any other stray character.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw fail('its header is not UTF-8');
  }
  let end = text.length;
  while (text[end - 1] === ' ') end--;
  if (/\s/.test(text[end - 1] ?? '')) throw fail('its header is padded with something other than spaces');
  const tree = parseJson(text.slice(0, end), {
    maxDepth: 3,
    fail: (reason, offset) => fail(`its header is not valid: ${reason} at character ${offset}`),
  }) as Record<string, unknown>;

  const names = Object.keys(tree);
  if (names.length > MAX_TENSORS + 1) throw fail(`it has more than ${MAX_TENSORS} tensors`);
  const metadata = readMetadata(tree['__metadata__'], fail);
  const tensors = names
    .filter((name) => name !== '__metadata__')
    .map((name) => readEntry(name, tree[name], fail));
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = 0;
  for (const tensor of tensors) {
    if (tensor.begin !== position) {
      throw fail(
        `tensor ${showName(tensor.name)} begins at byte ${tensor.begin}, not at ${position}: a hole or an overlap`,
      );
    }
    position = tensor.end;
  }
  if (position !== dataBytes)
    throw fail(`its tensors take ${position} bytes, but ${dataBytes} follow the header`);
  return { metadata, tensors };
}

function readMetadata(value: unknown, fail: (reason: string) => IsometryError): ReadonlyMap<string, string> {
  const metadata = new Map<string, string>();
  if (value === undefined) return metadata;
  if (!isObject(value)) throw fail(`__metadata__ is not an object but ${describe(value)}`);
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string')
      throw fail(`__metadata__ ${showName(key)} is not a string but ${describe(entry)}`);
    metadata.set(key, entry);
  }
  return metadata;
}

function readEntry(name: string, value: unknown, fail: (reason: string) => IsometryError): TensorEntry {
  const where = `tensor ${showName(name)}`;
  if (!isObject(value)) throw fail(`${where} is not an object but ${describe(value)}`);
  const { dtype: dtypeName, shape, data_offsets: offsets, ...rest } = value;
  for (const key of Object.keys(rest)) throw fail(`${where} has an unknown field ${showName(key)}`);
  const dtype = storedDType(dtypeName);
  if (dtype === undefined) throw fail(`${where} has an unknown dtype ${describe(dtypeName)}`);
  if (!isSizes(shape))
    throw fail(`${where} has a shape that is not a list of whole numbers below 2^53: ${describe(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fail(`${where} has data_offsets that are not two whole numbers: ${describe(offsets)}`);
  const [begin, end] = offsets as [number, number];
  // A zero anywhere makes the product exact, whatever the other dims are.
  const elements = shape.includes(0)
    ? 0
    : shape.reduce((total, dim) => (total > 2 ** 53 ? total : total * dim), 1);
  const bits = elements * dtype.bits;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(bits))
    throw fail(`${where} has 2^53 elements or more`);
  if (bits % 8 !== 0) throw fail(`${where} does not fill whole bytes`);
  if (end < begin || end - begin !== bits / 8) {
    throw fail(`${where} has ${end - begin} bytes where its shape and dtype need ${bits / 8}`);
  }
  return { name, dtype, shape, elements, begin, end };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function formatError(path: string, reason: string): IsometryError {
  return new IsometryError('FORMAT_ERROR', `expected a safetensors file at ${path}, but ${reason}`);
}

function ioError(path: string, cause: unknown): IsometryError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new IsometryError(
    'IO_ERROR',
    `could not read ${path}: ${code}; check that the file exists and may be read`,
    { cause },
  );
}

/** An open safetensors file whose header has been checked. Close it when done. */
export class SafetensorsReader implements Header {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: readonly TensorEntry[];
  /** Size of the file in bytes. */
  readonly size: number;
  private readonly file: FileHandle;
  private readonly dataStart: number;

  private constructor(path: string, file: FileHandle, size: number, dataStart: number, header: Header) {
    this.path = path;
    this.file = file;
    this.size = size;
    this.dataStart = dataStart;
    this.metadata = header.metadata;
    this.tensors = header.tensors;
  }

  /**
   * Opens a file and checks its header; reads no tensor data. Memory is proportional to the header.
   * @throws IsometryError `IO_ERROR` when it cannot be read, `FORMAT_ERROR` when it is not a safetensors file.
   */
  static async open(path: string): Promise<SafetensorsReader> {
    let file: FileHandle;
    try {
      // Without O_NONBLOCK the opening of a FIFO would wait for a writer for ever.
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw ioError(path, cause);
    }
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw formatError(path, 'it is not a regular file');
      if (stat.size < 8)
        throw formatError(path, `it has ${stat.size} bytes, fewer than the 8 of the header's length`);
      const prefix = Buffer.alloc(8);
      await readFully(file, prefix, 0, path);
      const length = prefix.readBigUInt64LE(0);
      const limit = Math.min(MAX_HEADER_BYTES, stat.size - 8);
      if (length > BigInt(limit)) {
        throw formatError(path, `its header claims ${length} bytes where at most ${limit} are possible`);
      }
      const header = Buffer.alloc(Number(length));
      await readFully(file, header, 8, path);
      const dataStart = 8 + header.length;
      return new SafetensorsReader(
        path,
        file,
        stat.size,
        dataStart,
        parseHeader(header, stat.size - dataStart, path),
      );
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /**
   * The bytes of one tensor, in pieces of at most `buffer.length`, which must be a multiple of 8. Each piece is a
   * view of `buffer`, good until the next one is asked for.
   * @throws IsometryError `FORMAT_ERROR` when the file has become shorter, `IO_ERROR` when reading fails.
   */
  async *chunks(tensor: TensorEntry, buffer: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = tensor.begin; at < tensor.end; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, tensor.end - at));
      await readFully(this.file, piece, this.dataStart + at, this.path);
      yield piece;
      at += piece.length;
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.file.close();
  }
}

async function readFully(
  file: FileHandle,
  target: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  for (let done = 0; done < target.length; ) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await file.read(target, done, target.length - done, position + done));
    } catch (cause) {
      throw ioError(path, cause);
    }
    if (bytesRead === 0)
      throw formatError(path, `it ends at byte ${position + done}, while it was being read`);
    done += bytesRead;
  }
}
