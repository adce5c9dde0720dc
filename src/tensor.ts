import {
  type DType,
  dtypeInfo,
  type IntegerArray,
  type IntegerDType,
  integerArray,
  type TensorArray,
} from './dtype.js';
import { expected } from './errors.js';
import { elementCount } from './shape.js';

/** The typed array of each dtype. */
export interface ArrayOf {
  float64: Float64Array;
  float32: Float32Array;
  float16: Uint16Array;
  bfloat16: Uint16Array;
  int64: BigInt64Array;
  int32: Int32Array;
  int16: Int16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** A dense, row-major tensor in this process's memory. Of integers only as part of a model: see `fillModel`. */
export class Tensor<D extends DType | IntegerDType = DType> {
  readonly name: string;
  /** Of `data`: for a slice, the slice's shape. */
  readonly shape: readonly number[];
  readonly dtype: D;
  /** The elements; for float16 and bfloat16 their bit patterns. Yours to change. */
  readonly data: ArrayOf[D];

  /** @internal */
  constructor(name: string, shape: readonly number[], dtype: D, data: ArrayOf[D]) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.data = data;
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  get byteLength(): number {
    return this.data.byteLength;
  }

  /** The elements as numbers: exact up to 16 bits, rounded for wider dtypes, and `data` itself for float32. */
  toFloat32(): Float32Array {
    return toFloat32(this.data, this.dtype);
  }
}

/** 2^112: from float16's exponent bias (15) to float32's (127). */
const FLOAT16_REBIAS = 2 ** 112;

/**
 * Elements of any dtype as float32: exact for 16-bit bit patterns (subnormals, infinities and NaN included), rounded
 * to nearest for float64 and integers that need it, the array itself for float32.
 * @throws IsometryError `INVALID_DTYPE`; `INVALID_TARGET` when `data` is not that dtype's array.
 */
export function toFloat32(data: TensorArray | IntegerArray, dtype: DType | IntegerDType): Float32Array {
  const integers = integerArray(dtype);
  if (integers !== undefined) {
    if (!isArrayOf(integers.name, data)) {
      throw expected('INVALID_TARGET', `an ${integers.name} (${dtype})`, 'data', data);
    }
    return Float32Array.from(data as unknown as ArrayLike<number | bigint>, Number);
  }
  const info = dtypeInfo(dtype);
  if (!isArrayOf(info.array.name, data)) {
    throw expected('INVALID_TARGET', `a ${info.array.name} (${dtype})`, 'data', data);
  }
  if (dtype === 'float32') return data as Float32Array;
  if (dtype === 'float64') return Float32Array.from(data);
  const values = new Float32Array(data.length);
  const bits = new Uint32Array(values.buffer);
  if (dtype === 'bfloat16') {
    for (let i = 0; i < data.length; i++) bits[i] = data[i]! << 16;
    return values;
  }
  for (let i = 0; i < data.length; i++) {
    const half = data[i]!;
    const sign = (half & 0x8000) << 16;
    const magnitude = (half & 0x7fff) << 13;
    if ((half & 0x7c00) === 0x7c00) {
      bits[i] = sign | 0x7f800000 | magnitude; // infinity or NaN, payload kept
    } else {
      bits[i] = magnitude; // the right digits, 2^112 too small; as a subnormal where float16 has one
      values[i]! *= FLOAT16_REBIAS;
      bits[i]! |= sign;
    }
  }
  return values;
}

const tagOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)!.get!;

/**
 * Whether `value` is a typed array of that name, of this realm or another; nothing that only looks like one.
 * @internal
 */
export function isArrayOf(name: string, value: unknown): value is TensorArray {
  return tagOf.call(value) === name;
}
