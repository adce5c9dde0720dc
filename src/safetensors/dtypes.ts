import type { DType } from '../dtype.js';

/** Name of an element type in a safetensors header. */
export type StoredDType =
  | 'BOOL'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'U8'
  | 'I8'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'C64'
  | 'F64'
  | 'I64'
  | 'U64';

/**
 * Bits per element of every dtype of the safetensors format (0.8), in the order the reference implementation
 * ranks them, lowest first: its writer puts tensors of a higher rank first.
 */
const BITS: readonly (readonly [StoredDType, number])[] = [
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
];

/** Facts about a stored dtype. */
export interface StoredDTypeInfo {
  readonly name: StoredDType;
  /** Bits per element; a whole number of bytes except for the 4- and 6-bit floats. */
  readonly bits: number;
  /** Position in the writer's order, higher first. */
  readonly rank: number;
  /** The library's own dtype of the same elements, if it has one. */
  readonly dtype: DType | undefined;
}

const OURS: ReadonlyMap<string, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
]);

const TABLE: ReadonlyMap<unknown, StoredDTypeInfo> = new Map(
  BITS.map(([name, bits], rank) => [name, { name, bits, rank, dtype: OURS.get(name) }]),
);

/** Facts about the dtype a header names, or `undefined` when the format has no such dtype. */
export function storedDType(name: unknown): StoredDTypeInfo | undefined {
  return TABLE.get(name);
}
