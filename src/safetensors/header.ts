import { expected, IsometryError } from '../errors.js';
import { type StoredDType, storedDType } from './dtypes.js';

/** Longest header, in bytes, that the format's reference implementation reads or writes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** A tensor to be stored. */
export interface StoredTensor {
  /** Well-formed Unicode (no lone surrogates). */
  readonly name: string;
  readonly dtype: StoredDType;
  /** Whole numbers ≥ 0 whose product is below 2^53. */
  readonly shape: readonly number[];
}

/** A tensor with its place in the file's data section: bytes [begin, end), counted from the end of the header. */
export interface PlacedTensor<T extends StoredTensor = StoredTensor> {
  readonly tensor: T;
  readonly begin: number;
  readonly end: number;
}

/**
 * Gives every tensor its place in the file, in the order of the reference writer: dtype rank from high to low, then
 * name by its UTF-8 bytes. All tensors are dense, one right after the other.
 *
 * @throws IsometryError `TOO_LARGE` when the data would be 2^53 bytes or more.
 */
export function placeTensors<T extends StoredTensor>(tensors: readonly T[]): readonly PlacedTensor<T>[] {
  const keyed = tensors.map((tensor) => {
    const info = storedDType(tensor.dtype);
    if (info === undefined) throw expected('INVALID_DTYPE', 'a safetensors dtype', tensor.name, tensor.dtype);
    return { tensor, rank: info.rank, bytes: (product(tensor.shape) * info.bits) / 8 };
  });
  keyed.sort((a, b) => b.rank - a.rank || compareUtf8(a.tensor.name, b.tensor.name));
  let begin = 0;
  return keyed.map(({ tensor, bytes }) => {
    const placed = { tensor, begin, end: begin + bytes };
    if (!Number.isSafeInteger(placed.end)) {
      throw new IsometryError(
        'TOO_LARGE',
        'expected tensors of less than 2^53 bytes in all; split the plan over several files',
      );
    }
    begin = placed.end;
    return placed;
  });
}

/**
 * The first bytes of a safetensors file: the 8-byte little-endian length and the JSON header, padded with spaces
 * to a multiple of 8. The same bytes as the reference implementation's (`serialize` in safetensors/src/tensor.rs),
 * except that metadata keys, which it writes in the random order of a hash map, are sorted here.
 *
 * @param placed as `placeTensors` returns them.
 * @param metadata strings by key; `undefined` leaves `__metadata__` out.
 * @throws IsometryError `TOO_LARGE` when the header would exceed `MAX_HEADER_BYTES`; `INVALID_ARGUMENT` for
 * metadata that UTF-8 cannot hold.
 */
export function encodeHeader(
  placed: readonly PlacedTensor[],
  metadata?: ReadonlyMap<string, string>,
): Uint8Array {
  const parts: string[] = [];
  if (metadata !== undefined) parts.push(`"__metadata__":{${encodeMetadata(metadata)}}`);
  for (const { tensor, begin, end } of placed) {
    parts.push(
      `${quote(tensor.name)}:{"dtype":"${tensor.dtype}","shape":[${tensor.shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const json = Buffer.from(`{${parts.join(',')}}`, 'utf8');
  const padded = Math.ceil(json.length / 8) * 8;
  if (padded > MAX_HEADER_BYTES) {
    throw new IsometryError(
      'TOO_LARGE',
      `expected a header of at most ${MAX_HEADER_BYTES} bytes but ${placed.length} tensors need ${padded}; split the plan over several files`,
    );
  }
  const header = Buffer.alloc(8 + padded, ' ');
  header.writeBigUInt64LE(BigInt(padded), 0);
  json.copy(header, 8);
  return header;
}

function encodeMetadata(metadata: ReadonlyMap<string, string>): string {
  return [...metadata]
    .sort(([a], [b]) => compareUtf8(a, b))
    .map(([key, value]) => {
      for (const text of [key, value]) {
        if (!isWellFormed(text))
          throw expected('INVALID_ARGUMENT', 'well-formed Unicode', `metadata ${quote(key)}`, text);
      }
      return `${quote(key)}:${quote(value)}`;
    })
    .join(',');
}

// For well-formed strings JSON.stringify escapes exactly what serde_json does: `"`, `\`, and U+0000–U+001F as
// \b \t \n \f \r or lower-case \u00xx; everything else stays raw UTF-8.
function quote(text: string): string {
  return JSON.stringify(text);
}

/** Whether `text` has no lone surrogates, so that UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Orders well-formed strings by their UTF-8 bytes, which is by code point (`<` orders by UTF-16 unit). */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

// Surrogates stand for code points above U+FFFF, so they must rank above U+E000–U+FFFF.
function codePointRank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, dim) => total * dim, 1);
}
