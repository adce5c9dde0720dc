import { describe, expect, it } from 'vitest';
import type { IntegerDType } from '../../../../src/dtype.js';
import {
  constant,
  type Initializer,
  normal,
  ones,
  ramp,
  zeroRows,
  zeros,
} from '../../../../src/initializers/index.js';
import { checkIntegers, integerSource } from '../../../../src/model/plan/integers.js';
import {
  type IntegerInfo,
  integerInfo,
  PLAN_DTYPE_NAMES,
  type PlanDType,
} from '../../../../src/model/plan/plan-dtype.js';

const infoOf = (dtype: PlanDType): IntegerInfo => integerInfo(dtype)!;

async function bytesOf(
  dtype: IntegerDType,
  shape: number[],
  init: Initializer,
  begin: number,
  target: Uint8Array,
) {
  const source = integerSource({ name: 'n', shape, init }, infoOf(dtype));
  if (source.kind !== 'bytes') throw new Error('not bytes');
  await source.read(target, begin);
  return Buffer.from(target);
}

/** What a tensor holds, read by Node's own readers. */
async function valuesOf(dtype: IntegerDType, shape: number[], init: Initializer): Promise<bigint[]> {
  const { bytes, min } = infoOf(dtype);
  const count = shape.reduce((total, dim) => total * dim, 1);
  const data = await bytesOf(dtype, shape, init, 0, new Uint8Array(count * bytes));
  return Array.from({ length: count }, (_, i) => {
    if (bytes === 8) return data.readBigInt64LE(8 * i);
    return BigInt(min < 0n ? data.readIntLE(bytes * i, bytes) : data.readUIntLE(bytes * i, bytes));
  });
}

describe('integers', () => {
  it('hold constants and ramps', async () => {
    expect(await valuesOf('int64', [2], zeros())).toEqual([0n, 0n]);
    expect(await valuesOf('bool', [2], ones())).toEqual([1n, 1n]);
    expect(await valuesOf('int64', [], constant({ value: -(2 ** 53) + 1 }))).toEqual([-(2n ** 53n) + 1n]);
    expect(await valuesOf('int32', [1], constant({ value: -(2 ** 31) }))).toEqual([-(2n ** 31n)]);
    expect(await valuesOf('int16', [1], constant({ value: 32767 }))).toEqual([32767n]);
    expect(await valuesOf('int8', [1], constant({ value: -128 }))).toEqual([-128n]);
    expect(await valuesOf('uint8', [1], constant({ value: 255 }))).toEqual([255n]);
    expect(await valuesOf('int64', [2, 3], ramp({ start: 2 }))).toEqual([2n, 3n, 4n, 2n, 3n, 4n]);
    expect(await valuesOf('int16', [4], ramp({ start: 5, step: -5 }))).toEqual([5n, 0n, -5n, -10n]);
    expect(await valuesOf('bool', [2, 2], ramp())).toEqual([0n, 1n, 0n, 1n]);
    expect(await valuesOf('uint8', [3, 0], ramp())).toEqual([]);
    expect(await valuesOf('int64', [2], ramp({ start: 2 ** 53 - 2 }))).toEqual([
      2n ** 53n - 2n,
      2n ** 53n - 1n,
    ]);
  });

  it('are the same from wherever they are read', async () => {
    const [shape, law] = [[3, 5], ramp({ start: 1000, step: -77 })] as const;
    for (const dtype of ['int64', 'int32', 'int16'] as const) {
      const { bytes } = infoOf(dtype);
      const whole = await bytesOf(dtype, [...shape], law, 0, new Uint8Array(15 * bytes));
      const memory = new ArrayBuffer(15 * bytes + 8);
      for (let begin = 0; begin < whole.length; begin++) {
        for (const length of [0, 1, bytes, 3 * bytes + 1, whole.length - begin]) {
          if (begin + length > whole.length) continue;
          const target = new Uint8Array(memory, begin % 8, length);
          const piece = await bytesOf(dtype, [...shape], law, begin, target);
          expect(piece.equals(whole.subarray(begin, begin + length)), `${dtype} ${begin} ${length}`).toBe(
            true,
          );
        }
      }
    }
  });

  it.each<[IntegerDType, number[], Initializer, string, RegExp]>([
    ['int64', [2], normal({ std: 1 }), 'INVALID_DTYPE', /ramp as initializer for int64 tensor "n"/],
    ['int64', [2], zeroRows({ init: ones(), rows: [0] }), 'INVALID_DTYPE', /zeros, ones/],
    ['uint8', [2], constant({ value: -1 }), 'INVALID_OPTION', /from 0 to 255/],
    ['int64', [2], constant({ value: 0.5 }), 'INVALID_OPTION', /whole number below 2\^53/],
    ['int64', [2], constant({ value: 2 ** 53 }), 'INVALID_OPTION', /below 2\^53/],
    ['bool', [3], ramp(), 'INVALID_OPTION', /the last number of bool tensor "n" but received 2/],
    ['int8', [2], ramp({ start: 128 }), 'INVALID_OPTION', /from -128 to 127 for the start/],
    ['int8', [2], ramp({ step: 0.5 }), 'INVALID_OPTION', /the step/],
    ['int64', [2 ** 40], ramp({ step: 2 ** 20 }), 'INVALID_OPTION', /the last number/],
  ])('%s %j refuses %j', (dtype, shape, init, code, message) => {
    expect(() => checkIntegers({ name: 'n', shape, init }, infoOf(dtype))).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('are all dtypes that are not of real numbers', () => {
    expect(PLAN_DTYPE_NAMES.filter((dtype) => integerInfo(dtype) !== undefined)).toHaveLength(6);
  });
});
