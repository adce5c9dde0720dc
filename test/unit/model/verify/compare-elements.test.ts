import { expect, test } from 'vitest';
import { comparePieces } from '../../../../src/model/verify/compare-elements.js';
import { type StoredDType, storedDType } from '../../../../src/safetensors/dtypes.js';

const bytes = (view: ArrayBufferView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

const compare = (dtype: StoredDType, a: ArrayBufferView, b: ArrayBufferView, at = 0): unknown =>
  comparePieces(bytes(a), bytes(b), storedDType(dtype)!, at);

test('equal bytes are no difference, whatever they mean', () => {
  const nan = new Float32Array([Number.NaN, 1]);
  expect(compare('F32', nan, nan.slice())).toBeUndefined();
  expect(compare('F4', new Uint8Array([1]), new Uint8Array([1]))).toBeUndefined();
});

test.each([
  ['F64', new Float64Array([1, 2, 3]), new Float64Array([1, 2.5, 1]), 2],
  ['F32', new Float32Array([1, 2, 3]), new Float32Array([1, 2.5, 1]), 2],
  // 1, 2, 3 against 1, 2.5, 1
  ['F16', new Uint16Array([0x3c00, 0x4000, 0x4200]), new Uint16Array([0x3c00, 0x4100, 0x3c00]), 2],
  ['BF16', new Uint16Array([0x3f80, 0x4000, 0x4040]), new Uint16Array([0x3f80, 0x4020, 0x3f80]), 2],
  ['I8', new Int8Array([1, 2, -128]), new Int8Array([1, 3, 127]), 255],
  ['U8', new Uint8Array([1, 2, 0]), new Uint8Array([1, 3, 255]), 255],
  ['BOOL', new Uint8Array([1, 0, 0]), new Uint8Array([1, 1, 1]), 1],
  ['I16', new Int16Array([1, 2, 3]), new Int16Array([1, 3, -3]), 6],
  ['U16', new Uint16Array([1, 2, 3]), new Uint16Array([1, 3, 65535]), 65532],
  ['I32', new Int32Array([1, 2, 3]), new Int32Array([1, 3, -3]), 6],
  ['U32', new Uint32Array([1, 2, 3]), new Uint32Array([1, 3, 2 ** 31]), 2 ** 31 - 3],
  ['I64', new BigInt64Array([1n, 2n, -(2n ** 63n)]), new BigInt64Array([1n, 3n, 2n ** 63n - 1n]), 2 ** 64],
  ['U64', new BigUint64Array([1n, 2n, 3n]), new BigUint64Array([1n, 3n, 13n]), 10],
] as [StoredDType, ArrayBufferView, ArrayBufferView, number][])('%s', (dtype, a, b, maxAbs) => {
  const element = a.byteLength / 3;
  expect(compare(dtype, a, b, 7 * element)).toEqual({ differing: 2, first: 8, maxAbs, nonFinite: 0 });
});

test('−0 and 0 differ by their bits alone', () => {
  expect(compare('F32', new Float32Array([0]), new Float32Array([-0]))).toEqual({
    differing: 1,
    first: 0,
    maxAbs: 0,
    nonFinite: 0,
  });
});

test('NaN and infinities are counted, and leave the largest difference of the others', () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  expect(compare('F32', new Float32Array([nan, 1, inf]), new Float32Array([1, 4, -inf]))).toEqual({
    differing: 3,
    first: 0,
    maxAbs: 3,
    nonFinite: 2,
  });
  expect(compare('F64', new Float64Array([nan]), new Float64Array([1]))).toMatchObject({ maxAbs: null });
});

test('8-bit floats by their bits; of less than a byte not even their number is known', () => {
  const [a, b] = [new Uint8Array([1, 2]), new Uint8Array([1, 3])];
  expect(compare('F8_E4M3', a, b)).toEqual({ differing: 1, first: 1, maxAbs: null, nonFinite: 0 });
  expect(compare('F4', a, b)).toEqual({ differing: null, first: null, maxAbs: null, nonFinite: 0 });
});
