import { type DType, dtypeInfo, type TensorArray } from './dtype.js';
import { expected, IsometryError } from './errors.js';
import { isArrayOf } from './tensor.js';

// The intrinsic getters: an own property called `length` must not decide how far is written.
const prototype = Object.getPrototypeOf(Uint8Array.prototype);
const lengthOf = Object.getOwnPropertyDescriptor(prototype, 'length')!.get!;
const bufferOf = Object.getOwnPropertyDescriptor(prototype, 'buffer')!.get!;
const offsetOf = Object.getOwnPropertyDescriptor(prototype, 'byteOffset')!.get!;

/**
 * The dtype that an array's own type means.
 * @throws IsometryError `INVALID_TARGET` when it is none of the three array types.
 */
export function inferDType(target: unknown): DType {
  if (isArrayOf('Float32Array', target)) return 'float32';
  if (isArrayOf('Float64Array', target)) return 'float64';
  // 16 bits do not say which: this default fails in checkTarget, which names the remedy.
  if (isArrayOf('Uint16Array', target)) return 'float32';
  throw expected('INVALID_TARGET', 'a Float32Array, a Float64Array or a Uint16Array', 'target', target);
}

/**
 * That `target` can take `length` elements of `dtype` now.
 * @returns a plain array on the same memory: a subclass may have a `length`, a `fill` or a `subarray` of its own.
 * @throws IsometryError `INVALID_TARGET`.
 */
export function checkTarget(target: TensorArray, dtype: DType, length: number): TensorArray {
  const { array } = dtypeInfo(dtype);
  if (!isArrayOf(array.name, target)) {
    const hint = isArrayOf('Uint16Array', target)
      ? '; a Uint16Array needs dtype "float16" or "bfloat16" in the options'
      : '';
    const { message } = expected('INVALID_TARGET', `a ${array.name} for dtype ${dtype}`, 'target', target);
    throw new IsometryError('INVALID_TARGET', message + hint);
  }
  const actual = lengthOf.call(target) as number;
  if (actual === 0 && isDetached(bufferOf.call(target))) {
    throw new IsometryError(
      'INVALID_TARGET',
      'expected memory for target but received an array whose buffer is detached; it was transferred elsewhere',
    );
  }
  if (actual !== length) {
    throw new IsometryError(
      'INVALID_TARGET',
      `expected ${length} elements, as many as the shape or slice has, for target but received ${actual} of type ${array.name}`,
    );
  }
  return new array(bufferOf.call(target) as ArrayBuffer, offsetOf.call(target) as number, length);
}

function isDetached(buffer: ArrayBufferLike): boolean {
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true; // a TypeError, and only for a detached buffer
  }
}
