import { describe, IsometryError, showName } from '../errors.js';
import { JsonScanner } from '../json.js';
import { type StoredDTypeInfo, storedDType } from './dtypes.js';

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

type Fail = (reason: string) => IsometryError;

/** The error for a file that is not what its name promises. */
export function formatError(path: string, reason: string): IsometryError {
  return new IsometryError('FORMAT_ERROR', `expected a safetensors file at ${path}, but ${reason}`);
}

/**
 * Checks and decodes a header. Stricter than the reference implementation, which takes duplicate keys (the last one
 * wins), leading spaces, unknown fields, `null` as metadata, sizes of 2^53 and more.
 *
 * @param header the JSON bytes, without the 8-byte length before them.
 * @param dataBytes length of the data section that follows.
 * @param path how errors name the file.
 * @throws IsometryError `FORMAT_ERROR` with the rule that is broken.
 */
export function parseHeader(header: Uint8Array, dataBytes: number, path: string): Header {
  const fail: Fail = (reason) => formatError(path, reason);
  const { metadata, tensors } = readTree(decode(header, fail), fail);
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

function decode(header: Uint8Array, fail: Fail): string {
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
  return text.slice(0, end);
}

interface Tree {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: TensorEntry[];
}

/** Reads entry by entry: a tree of all values first would take several times the memory and time. */
function readTree(text: string, fail: Fail): Tree {
  const scanner = new JsonScanner(text, {
    maxDepth: 3,
    wholeNumbers: true,
    fail: (reason, offset) => fail(`its header is not valid: ${reason} at character ${offset}`),
  });
  const tensors: TensorEntry[] = [];
  const names = new Set<string>();
  let metadata: ReadonlyMap<string, string> | undefined;
  scanner.object((name, nameAt) => {
    if (name === '__metadata__') {
      if (metadata !== undefined) throw scanner.duplicate(name, nameAt);
      metadata = readMetadata(scanner, fail);
      return;
    }
    if (names.has(name)) throw scanner.duplicate(name, nameAt);
    names.add(name);
    if (names.size > MAX_TENSORS) throw fail(`it has more than ${MAX_TENSORS} tensors`);
    tensors.push(readEntry(scanner, name, fail));
  });
  scanner.end();
  return { metadata: metadata ?? new Map(), tensors };
}

function readMetadata(scanner: JsonScanner, fail: Fail): ReadonlyMap<string, string> {
  if (scanner.next() !== '{') throw fail(`__metadata__ is not an object but ${describe(scanner.value())}`);
  const metadata = new Map<string, string>();
  scanner.object((key, keyAt) => {
    if (metadata.has(key)) throw scanner.duplicate(key, keyAt);
    const value = scanner.value();
    if (typeof value !== 'string')
      throw fail(`__metadata__ ${showName(key)} is not a string but ${describe(value)}`);
    metadata.set(key, value);
  });
  return metadata;
}

function readEntry(scanner: JsonScanner, name: string, failed: Fail): TensorEntry {
  const fail: Fail = (reason) => failed(`tensor ${showName(name)} ${reason}`);
  if (scanner.next() !== '{') throw fail(`is not an object but ${describe(scanner.value())}`);
  // No JSON value is undefined: one that is was not there yet.
  let dtypeName: unknown;
  let shape: unknown;
  let offsets: unknown;
  scanner.object((key, keyAt) => {
    const before = key === 'dtype' ? dtypeName : key === 'shape' ? shape : offsets;
    const value = scanner.value();
    if (key === 'dtype') dtypeName = value;
    else if (key === 'shape') shape = value;
    else if (key === 'data_offsets') offsets = value;
    else throw fail(`has an unknown field ${showName(key)}`);
    if (before !== undefined) throw scanner.duplicate(key, keyAt);
  });
  const dtype = storedDType(dtypeName);
  if (dtype === undefined) throw fail(`has an unknown dtype ${describe(dtypeName)}`);
  if (!isSizes(shape))
    throw fail(`has a shape that is not a list of whole numbers below 2^53: ${describe(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2)
    throw fail(`has data_offsets that are not two whole numbers: ${describe(offsets)}`);
  const [begin, end] = offsets as [number, number];
  const { elements, bytes } = sizeOf(shape, dtype, fail);
  if (end < begin || end - begin !== bytes) {
    throw fail(`has ${end - begin} bytes where its shape and dtype need ${bytes}`);
  }
  return { name, dtype, shape, elements, begin, end };
}

function sizeOf(
  shape: readonly number[],
  { bits }: StoredDTypeInfo,
  fail: Fail,
): { readonly elements: number; readonly bytes: number } {
  // A zero anywhere makes the product exact, whatever the other dims are.
  const elements = shape.includes(0)
    ? 0
    : shape.reduce((total, dim) => (total > 2 ** 53 ? total : total * dim), 1);
  const total = elements * bits;
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(total))
    throw fail(`has 2^53 elements or bits, or more`);
  if (total % 8 !== 0) throw fail(`does not fill whole bytes`);
  return { elements, bytes: total / 8 };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
