import { describe, expect, it } from 'vitest';
import { Tensor, toFloat32 } from '../../src/tensor.js';

describe('toFloat32', () => {
  it('is exact for every bfloat16', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const view = new DataView(new ArrayBuffer(4));
    const values = toFloat32(all, 'bfloat16');
    for (let bits = 0; bits < 65_536; bits++) {
      view.setUint16(0, bits);
      if (!Object.is(values[bits], view.getFloat32(0))) throw new Error(`bits ${bits}`);
    }
  });

  it('is exact for every float16', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
    const values = toFloat32(all, 'float16');
    for (let bits = 0; bits < 65_536; bits++) {
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      let value = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
      if (exponent === 31) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
      if (!Object.is(values[bits], bits >= 0x8000 && !Number.isNaN(value) ? -value : value)) {
        throw new Error(`bits ${bits}`);
      }
    }
  });

  it('rounds float64 and hands float32 back', () => {
    expect([...toFloat32(Float64Array.of(0.1, 1e300), 'float64')]).toEqual([
      Math.fround(0.1),
      Number.POSITIVE_INFINITY,
    ]);
    const data = Float32Array.of(1, 2);
    expect(toFloat32(data, 'float32')).toBe(data);
  });

  it('refuses an array that is not the dtype’s, and an unknown dtype', () => {
    expect(() => toFloat32(new Float32Array(1), 'float16')).toThrowError(
      expect.objectContaining({ code: 'INVALID_TARGET' }),
    );
    expect(() => toFloat32(new Float32Array(1), 'toString' as 'float16')).toThrowError(
      expect.objectContaining({ code: 'INVALID_DTYPE' }),
    );
  });
});

describe('Tensor', () => {
  it('knows its size', () => {
    const tensor = new Tensor('w', [2, 3], 'bfloat16', Uint16Array.of(0x3f80, 0, 0x8000, 0xbf80, 0x7f80, 1));
    expect([tensor.size, tensor.byteLength]).toEqual([6, 12]);
    expect([...tensor.toFloat32()]).toEqual([1, 0, -0, -1, Number.POSITIVE_INFINITY, 2 ** -133]);
    expect(new Tensor('s', [], 'float64', new Float64Array(1)).byteLength).toBe(8);
  });
});
