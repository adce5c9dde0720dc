import { expected } from './errors.js';

/** Element types; 16-bit tensors are `Uint16Array`s of bit patterns. */
export type DType = 'float64' | 'float32' | 'float16' | 'bfloat16';

/** The typed array that holds a tensor of some `DType`. */
export type TensorArray = Float64Array | Float32Array | Uint16Array;

/**
 * Element types of whole numbers, of counters, indices and flags in a model. Nothing random can have them.
 */
export type IntegerDType = 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** The typed array that holds a tensor of some `IntegerDType`; flags are 0 or 1. */
export type IntegerArray = BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

type ArrayConstructor = Float64ArrayConstructor | Float32ArrayConstructor | Uint16ArrayConstructor;

/** What the rest of the library needs to know of a dtype. */
export interface DTypeInfo {
  readonly name: DType;
  /** Code in a native job; the order of `DType` in core/job.h. */
  readonly code: number;
  readonly bytes: number;
  /** Name in a safetensors header. */
  readonly safetensors: 'F64' | 'F32' | 'F16' | 'BF16';
  readonly array: ArrayConstructor;
  /** Largest finite value. */
  readonly max: number;
}

// A Map, never an object: `__proto__` and `constructor` must be unknown dtypes.
const DTYPES: ReadonlyMap<unknown, DTypeInfo> = new Map<unknown, DTypeInfo>([
  [
    'float64',
    { name: 'float64', code: 0, bytes: 8, safetensors: 'F64', array: Float64Array, max: Number.MAX_VALUE },
  ],
  [
    'float32',
    {
      name: 'float32',
      code: 1,
      bytes: 4,
      safetensors: 'F32',
      array: Float32Array,
      max: 3.4028234663852886e38,
    },
  ],
  ['float16', { name: 'float16', code: 2, bytes: 2, safetensors: 'F16', array: Uint16Array, max: 65504 }],
  [
    'bfloat16',
    {
      name: 'bfloat16',
      code: 3,
      bytes: 2,
      safetensors: 'BF16',
      array: Uint16Array,
      max: 3.3895313892515355e38,
    },
  ],
]);

/** All dtype names, widest first. */
export const DTYPE_NAMES: readonly DType[] = ['float64', 'float32', 'float16', 'bfloat16'];

/**
 * Facts about a dtype.
 * @throws IsometryError `INVALID_DTYPE` for anything but the four names.
 */
export function dtypeInfo(dtype: unknown): DTypeInfo {
  const info = DTYPES.get(dtype);
  if (info === undefined) throw expected('INVALID_DTYPE', `one of ${DTYPE_NAMES.join(', ')}`, 'dtype', dtype);
  return info;
}

type IntegerArrayConstructor =
  | BigInt64ArrayConstructor
  | Int32ArrayConstructor
  | Int16ArrayConstructor
  | Int8ArrayConstructor
  | Uint8ArrayConstructor;

const INTEGER_ARRAYS: ReadonlyMap<unknown, IntegerArrayConstructor> = new Map<
  unknown,
  IntegerArrayConstructor
>([
  ['int64', BigInt64Array],
  ['int32', Int32Array],
  ['int16', Int16Array],
  ['int8', Int8Array],
  ['uint8', Uint8Array],
  ['bool', Uint8Array],
]);

/** What makes an array of an integer dtype; `undefined` for anything else. */
export function integerArray(dtype: unknown): IntegerArrayConstructor | undefined {
  return INTEGER_ARRAYS.get(dtype);
}
