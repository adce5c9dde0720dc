import { expected } from '../errors.js';
import type { PlanTensor } from './plan.js';
import type { IntegerInfo } from './plan-dtype.js';
import type { TensorSource } from './tensor-source.js';

/**
 * Whether a tensor can be of integers.
 * @throws IsometryError as `integerSource`.
 */
export function checkIntegers({ name, init }: Pick<PlanTensor, 'name' | 'init'>, info: IntegerInfo): void {
  wholeValue(init, name, info);
}

/**
 * The bytes of a tensor of integers, little-endian: zeros, ones, or a constant.
 * @throws IsometryError `INVALID_DTYPE` for any other initializer, `INVALID_OPTION` for a constant that the dtype cannot
 * hold.
 */
export function integerSource({ name, init }: PlanTensor, info: IntegerInfo): TensorSource {
  const value = wholeValue(init, name, info);
  const pattern = Buffer.alloc(8);
  pattern.writeBigInt64LE(BigInt.asIntN(64, value));
  const element = pattern.subarray(0, info.bytes);
  return {
    kind: 'bytes',
    read(target, begin) {
      // A view of the pattern from where the piece begins within an element; pieces are whole elements almost always.
      const phase = begin % info.bytes;
      target.fill(0);
      if (value === 0n) return;
      for (let i = 0; i < target.length; i++) target[i] = element[(phase + i) % info.bytes]!;
    },
  };
}

function wholeValue(init: PlanTensor['init'], name: string, { name: dtype, min, max }: IntegerInfo): bigint {
  if (init.kind === 'zeros') return 0n;
  if (init.kind === 'ones') return 1n;
  if (init.kind !== 'constant') {
    throw expected(
      'INVALID_DTYPE',
      'zeros, ones or constant as initializer',
      `${dtype} tensor ${name}`,
      init,
    );
  }
  if (!Number.isSafeInteger(init.value) || BigInt(init.value) < min || BigInt(init.value) > max) {
    throw expected(
      'INVALID_OPTION',
      `a whole number from ${min} to ${max}`,
      `${dtype} tensor ${name}`,
      init.value,
    );
  }
  return BigInt(init.value);
}
