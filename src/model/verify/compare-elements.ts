import { dtypeInfo } from '../../dtype.js';
import type { StoredDTypeInfo } from '../../safetensors/dtypes.js';
import { toFloat32 } from '../../tensor.js';

/** How two runs of elements of one dtype differ. */
export interface Comparison {
  /** Elements whose bits differ; `null` for dtypes of less than a byte. */
  readonly differing: number | null;
  /** Index of the first of them. */
  readonly first: number | null;
  /** Largest |a − b| where both are finite numbers; `null` where none are. */
  readonly maxAbs: number | null;
  /** How many of them are NaN or infinite in either. */
  readonly nonFinite: number;
}

type Values = ArrayLike<number | bigint>;

/** Integer dtypes by what reads them; all that is not here and no float of the library's own has bits only. */
const INTEGERS: ReadonlyMap<string, (bytes: Uint8Array) => Values> = new Map<
  string,
  (bytes: Uint8Array) => Values
>([
  ['BOOL', (bytes) => bytes],
  ['U8', (bytes) => bytes],
  ['I8', ({ buffer, byteOffset, length }) => new Int8Array(buffer, byteOffset, length)],
  ['I16', ({ buffer, byteOffset, length }) => new Int16Array(buffer, byteOffset, length / 2)],
  ['U16', ({ buffer, byteOffset, length }) => new Uint16Array(buffer, byteOffset, length / 2)],
  ['I32', ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4)],
  ['U32', ({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length / 4)],
  ['I64', ({ buffer, byteOffset, length }) => new BigInt64Array(buffer, byteOffset, length / 8)],
  ['U64', ({ buffer, byteOffset, length }) => new BigUint64Array(buffer, byteOffset, length / 8)],
]);

/**
 * Compares two pieces of tensors of one dtype bit by bit, and by value where the dtype has numbers.
 *
 * @param a - whole elements, at an offset of its buffer that is a multiple of their size.
 * @param b - as many bytes.
 * @param at - byte of the tensor that the pieces begin at.
 * @returns `undefined` when they are equal.
 */
export function comparePieces(
  a: Uint8Array,
  b: Uint8Array,
  dtype: StoredDTypeInfo,
  at: number,
): Comparison | undefined {
  if (Buffer.compare(a, b) === 0) return undefined;
  const size = dtype.bits / 8;
  if (!Number.isInteger(size)) return { differing: null, first: null, maxAbs: null, nonFinite: 0 };
  const [x, y] = [valuesOf(a, dtype), valuesOf(b, dtype)];
  let differing = 0;
  let first = -1;
  let maxAbs = -1;
  let nonFinite = 0;
  for (let begin = 0, i = 0; begin < a.length; begin += size, i++) {
    if (sameBytes(a, b, begin, size)) continue;
    if (first < 0) first = at / size + i;
    differing++;
    if (x === undefined || y === undefined) continue;
    const distance = Math.abs(Number(differenceOf(x[i]!, y[i]!)));
    if (!Number.isFinite(Number(x[i])) || !Number.isFinite(Number(y[i]))) nonFinite++;
    else if (distance > maxAbs) maxAbs = distance;
  }
  return { differing, first, maxAbs: maxAbs < 0 ? null : maxAbs, nonFinite };
}

function sameBytes(a: Uint8Array, b: Uint8Array, begin: number, size: number): boolean {
  for (let k = begin; k < begin + size; k++) if (a[k] !== b[k]) return false;
  return true;
}

// Both of one dtype: both numbers or both bigints.
function differenceOf(a: number | bigint, b: number | bigint): number | bigint {
  return typeof a === 'bigint' ? a - (b as bigint) : a - (b as number);
}

/** The numbers of a piece; `undefined` for dtypes that are compared by their bits alone. */
function valuesOf(bytes: Uint8Array, { name, dtype }: StoredDTypeInfo): Values | undefined {
  if (dtype === undefined) return INTEGERS.get(name)?.(bytes);
  const { array, bytes: size } = dtypeInfo(dtype);
  const data = new array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / size);
  return size === 2 ? toFloat32(data, dtype) : data;
}
