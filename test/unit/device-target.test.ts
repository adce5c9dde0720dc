import { describe, expect, it } from 'vitest';
import { checkDeviceTarget, parseDeviceTarget } from '../../src/device-target.js';

const good = { pointer: 2n ** 63n, byteLength: 64, device: 0 };

describe('parseDeviceTarget', () => {
  it('takes addresses as bigints or numbers', () => {
    expect(parseDeviceTarget(good)).toEqual(good);
    expect(parseDeviceTarget({ ...good, pointer: 2 ** 40 })).toEqual({ ...good, pointer: 2n ** 40n });
    expect(parseDeviceTarget({ ...good, pointer: 2n ** 64n - 1n })!.pointer).toBe(2n ** 64n - 1n);
    expect(parseDeviceTarget({ pointer: 0, byteLength: -0, device: 7 })).toEqual({
      pointer: 0n,
      byteLength: 0,
      device: 7,
    });
  });

  it('knows what is no device memory at all', () => {
    for (const value of [new Float32Array(1), [1], null, undefined, 1n, 'x', {}, new Map(), () => 1]) {
      expect(parseDeviceTarget(value)).toBeUndefined();
    }
  });

  it.each([
    ['pointer', [-1n, 2n ** 64n, -1, 1.5, 2 ** 53, Number.NaN, '64', null, undefined]],
    ['byteLength', [-1, 1.5, 2 ** 53, Number.NaN, 64n, '64', null, undefined]],
    ['device', [-1, 1.5, 1000, 0n, 'cuda:0', null, undefined]],
  ])('refuses a %s that is none', (key, values) => {
    for (const value of values) {
      expect(() => parseDeviceTarget({ ...good, [key]: value })).toThrowError(
        expect.objectContaining({
          code: 'INVALID_TARGET',
          message: expect.stringMatching(new RegExp(`^expected .* for target\\.${key} but received `)),
        }),
      );
    }
  });

  it('reads each property once', () => {
    let reads = 0;
    const target = {
      ...good,
      get pointer() {
        return reads++ === 0 ? 64n : 'other';
      },
    };
    expect(parseDeviceTarget(target)).toEqual({ ...good, pointer: 64n });
    expect(reads).toBe(1);
  });
});

describe('checkDeviceTarget', () => {
  const check = (change: object, length = 16) => checkDeviceTarget({ ...good, ...change }, 'float32', length);
  const refusal = (message: RegExp) =>
    expect.objectContaining({ code: 'INVALID_TARGET', message: expect.stringMatching(message) });

  it('takes memory that is as large, or larger', () => {
    check({});
    check({ byteLength: 65 });
    check({ pointer: 4n });
    check({ pointer: 0n, byteLength: 0 }, 0);
    check({ pointer: 3n, byteLength: 5 }, 0);
  });

  it('refuses what is too small, 0 or misaligned', () => {
    expect(() => check({ byteLength: 63 })).toThrowError(
      refusal(/at least 64 bytes.*16 elements.*received 63/),
    );
    expect(() => check({ pointer: 0n })).toThrowError(refusal(/an address other than 0/));
    for (const pointer of [1n, 2n, 2n ** 63n + 2n]) {
      expect(() => check({ pointer })).toThrowError(refusal(/a multiple of 4, the size of float32/));
    }
  });

  it('refuses what reaches beyond the address space', () => {
    check({ pointer: 2n ** 64n - 68n });
    expect(() => check({ pointer: 2n ** 64n - 64n })).toThrowError(
      refusal(/64 bytes of address space behind it/),
    );
    expect(() => check({ pointer: 2n ** 64n - 4n })).toThrowError(refusal(/address space/));
  });

  it('wants a tensor to be of that dtype and size', () => {
    check({ dtype: 'float32' });
    expect(() => check({ dtype: 'bfloat16' })).toThrowError(refusal(/a DeviceTensor of dtype float32/));
    expect(() => check({ dtype: 'float32', byteLength: 68 })).toThrowError(
      refusal(/expected 64 bytes.*received 68/),
    );
  });
});
