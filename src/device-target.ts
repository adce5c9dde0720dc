import { DeviceTensor } from './device-tensor.js';
import { type DType, dtypeInfo } from './dtype.js';
import { expected, IsometryError } from './errors.js';
import { isPlainObject } from './options.js';

/** Device memory that another library owns, or a part of it. */
export interface DeviceTarget {
  /** Device address of the first byte: 0 < pointer < 2^64, a multiple of the dtype's size. */
  readonly pointer: bigint | number;
  /** How many bytes from there on may be written. */
  readonly byteLength: number;
  /** Index of the device, as the driver counts them: 0 is `cuda:0`. */
  readonly device: number;
}

/** A target that was checked as far as it can be without asking the driver. */
export interface CheckedTarget {
  readonly pointer: bigint;
  readonly byteLength: number;
  readonly device: number;
  /** A `DeviceTensor`'s own. */
  readonly dtype?: DType;
}

const MAX_POINTER = 2n ** 64n - 1n;

/** More devices than this no driver has. */
const MAX_DEVICES = 999;

/**
 * The device memory that `target` means; `undefined` when it is no object that could mean any. Its properties are read
 * once.
 * @throws IsometryError `INVALID_TARGET`; `DISPOSED`.
 */
export function parseDeviceTarget(target: unknown): CheckedTarget | undefined {
  if (target instanceof DeviceTensor) {
    const { pointer, byteLength, device, dtype } = target;
    return { pointer, byteLength, device, dtype };
  }
  if (!isPlainObject(target)) return undefined;
  const { pointer, byteLength, device } = target as Partial<Record<keyof DeviceTarget, unknown>>;
  if (pointer === undefined && byteLength === undefined && device === undefined) return undefined;
  return {
    pointer: parsePointer(pointer),
    byteLength: wholeNumber(byteLength, Number.MAX_SAFE_INTEGER, 'a number of bytes', 'target.byteLength'),
    device: wholeNumber(device, MAX_DEVICES, "a device's index", 'target.device'),
  };
}

function parsePointer(pointer: unknown): bigint {
  if (typeof pointer === 'bigint' && pointer >= 0n && pointer <= MAX_POINTER) return pointer;
  if (typeof pointer === 'number' && Number.isSafeInteger(pointer) && pointer >= 0) return BigInt(pointer);
  throw expected(
    'INVALID_TARGET',
    'a device address, a bigint from 0 to 2^64 − 1,',
    'target.pointer',
    pointer,
  );
}

function wholeNumber(value: unknown, max: number, what: string, name: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value + 0;
  throw expected('INVALID_TARGET', what, name, value);
}

/**
 * That `target` can take `length` elements of `dtype`.
 * @throws IsometryError `INVALID_TARGET`.
 */
export function checkDeviceTarget(target: CheckedTarget, dtype: DType, length: number): void {
  const { bytes } = dtypeInfo(dtype);
  if (target.dtype !== undefined && target.dtype !== dtype) {
    throw expected('INVALID_TARGET', `a DeviceTensor of dtype ${dtype}`, 'target', target.dtype);
  }
  const needed = length * bytes;
  const tooSmall = target.dtype === undefined ? target.byteLength < needed : target.byteLength !== needed;
  if (tooSmall) {
    throw new IsometryError(
      'INVALID_TARGET',
      `expected ${target.dtype === undefined ? 'at least ' : ''}${needed} bytes, for the ${length} elements of the shape or slice, for target but received ${target.byteLength} of device memory`,
    );
  }
  if (length === 0) return;
  if (target.pointer + BigInt(needed) > MAX_POINTER) {
    const what = `an address with ${needed} bytes of address space behind it`;
    throw expected('INVALID_TARGET', what, 'target.pointer', target.pointer);
  }
  if (target.pointer === 0n) {
    throw expected('INVALID_TARGET', 'an address other than 0', 'target.pointer', target.pointer);
  }
  if (target.pointer % BigInt(bytes) !== 0n) {
    throw expected(
      'INVALID_TARGET',
      `a multiple of ${bytes}, the size of ${dtype},`,
      'target.pointer',
      target.pointer,
    );
  }
}
