// What the addon's GPU functions make of arguments that our own TypeScript never gives them. Nothing here needs a GPU:
// all of it is refused, or found to be nothing to do, before a driver is opened.
import { expect, it } from 'vitest';
import { encodeRequest } from '../../../src/backends/encode.js';
import type { NativePart } from '../../../src/backends/native-cuda.js';
import type { DType } from '../../../src/dtype.js';
import { prepareFill } from '../../../src/fill.js';
import { constant, normal } from '../../../src/initializers/index.js';
import { describeNative, native } from '../../helpers/native.js';

// biome-ignore lint/suspicious/noExplicitAny: what is passed is of any type
type Any = any;

function words(dtype: DType = 'float32', seed = 1): Float64Array {
  return encodeRequest(prepareFill('w', [4], normal({ std: 1 }), { seed, dtype }).request);
}

function part(change: object = {}): NativePart {
  return { words: words(), start: 0, length: 4, byteOffset: 0, ...change };
}

const host = () => new Uint8Array(64);
const callback = () => {};

describeNative('the addon refuses', () => {
  const addon = native as Any;

  function refused(action: () => unknown, reason: RegExp): void {
    expect(action).toThrowError(
      expect.objectContaining({
        code: 'INTERNAL',
        message: expect.stringMatching(/^the native backend refused a request: /),
      }),
    );
    expect(action).toThrowError(reason);
  }

  function fills(parts: unknown, destination: unknown, reason: RegExp): void {
    refused(() => addon.cudaFillSync(0, parts, destination), reason);
    refused(() => addon.cudaFillAsync(0, parts, destination, callback), reason);
  }

  it('devices that are no index', () => {
    for (const device of [-1, 0.5, Number.NaN, 1e7, '0', null, undefined, 0n]) {
      const reason = /index/;
      refused(() => addon.cudaFillSync(device, [], host()), reason);
      refused(() => addon.cudaFillAsync(device, [], host(), callback), reason);
      refused(() => addon.cudaAllocate(device, 4), reason);
      refused(() => addon.cudaOpenAsync(device, callback), reason);
      refused(() => addon.cudaCopyToHostAsync(device, 4n, host(), callback), reason);
      refused(() => addon.cudaIpcHandle(device, 4n), reason);
    }
  });

  it('parts that are none', () => {
    for (const parts of [undefined, null, {}, 'x', 1]) fills(parts, host(), /the parts must be an array/);
    for (const one of [undefined, null, 1, 'x']) fills([one], host(), /a part must be an object/);
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN, 1n, '1', undefined]) {
      fills([part({ start: value })], host(), /start is out of range/);
      fills([part({ length: value })], host(), /length is out of range/);
      fills([part({ byteOffset: value })], host(), /byte offset is out of range/);
    }
    for (const value of [undefined, new Float32Array(20), [1], new ArrayBuffer(80)]) {
      fills([part({ words: value })], host(), /must be a Float64Array/);
    }
    fills([part({ words: new Float64Array(0) })], host(), /different versions|too short/);
    fills([part({ words: words().map((word) => word + 1) })], host(), /different versions/);
    fills([part({ words: words().subarray(0, 12) })], host(), /too short/);
    const getter = {
      get words() {
        throw new RangeError('mine');
      },
    };
    expect(() => addon.cudaFillSync(0, [part(), getter], host())).toThrow(/range|mine/);
  });

  it('parts that do not fit together, or into their destination', () => {
    fills([part(), part({ words: words('float32', 2), byteOffset: 16 })], host(), /one seed/);
    fills([part({ byteOffset: 52 })], host(), /do not fit/);
    fills([part({ byteOffset: 64 })], host(), /do not fit/);
    fills([part({ length: 17 })], host(), /do not fit/);
    fills([part({ length: 2 ** 53 - 1 })], host(), /do not fit/);
    fills([part({ byteOffset: 2 ** 53 - 1 })], host(), /do not fit/);
    fills([part({ byteOffset: 2 })], host(), /not aligned/);
    fills([part({ words: words('float64'), byteOffset: 4 })], 4096n, /not aligned/);
    fills([part()], host().subarray(1), /not aligned/);
    fills([part()], 4098n, /not aligned/);
    fills([part()], 0n, /do not fit/);
    fills([part()], new Uint8Array(0), /do not fit/);
    fills([part()], 2n ** 64n - 8n, /address space/);
    fills([part({ length: 2 ** 53 - 1, byteOffset: 2 ** 53 - 8 })], 2n ** 64n - 2n ** 55n, /address space/);
    const gone = host();
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    fills([part()], gone, /do not fit/);
  });

  it('destinations of other types', () => {
    for (const destination of [undefined, null, 5, 'x', {}, new ArrayBuffer(64)]) {
      fills([part()], destination, /must be a Uint8Array/);
    }
    for (const destination of [new Float32Array(16), new Uint16Array(32)]) {
      fills([part()], destination, /must be a Uint8Array/);
    }
    for (const address of [-1n, 2n ** 64n, 2n ** 200n]) fills([part()], address, /at most 64 bits/);
    for (const address of [5, '5', undefined]) {
      refused(() => addon.cudaPointer(address), /must be a bigint/);
      refused(() => addon.cudaIpcHandle(0, address), /must be a bigint/);
      refused(() => addon.cudaCopyToHostAsync(0, address, host(), callback), /must be a bigint/);
    }
  });

  it('calls without a callback, and allocations of nothing', () => {
    refused(() => addon.cudaFillAsync(0, [part()], host()), /callback/);
    refused(() => addon.cudaOpenAsync(0), /callback/);
    refused(() => addon.cudaCopyToHostAsync(0, 4n, host()), /callback/);
    for (const bytes of [0, -1, 0.5, 2 ** 53, '4', 4n, undefined]) {
      refused(() => addon.cudaAllocate(0, bytes), /bytes/);
    }
  });

  it('nothing that is nothing to do', () => {
    addon.cudaFillSync(0, [], host());
    addon.cudaFillSync(999, [part({ length: 0 }), part({ length: 0, byteOffset: 1 })], 0n);
    addon.cudaFillSync(999, [part({ length: 0 })], new Uint8Array(0));
    for (const id of [1, -1, 0.5, Number.NaN, '1', null, undefined, 1n]) addon.cudaFree(id);
    expect(addon.cudaMemory()).toEqual({ allocations: 0, bytes: 0 });
  });
});

describeNative('the addon without a GPU', () => {
  const available = native?.cudaProbe().result === 'ready';

  it.skipIf(available)('says why in every call that needs one', async () => {
    const failure = expect.objectContaining({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringMatching(/.{20}/),
    });
    const one = encodeRequest(prepareFill('w', [4], constant({ value: 1 }), { seed: 1 }).request);
    const parts = [part({ words: one })];
    const addon = native!;
    expect(() => addon.cudaFillSync(0, parts, host())).toThrowError(failure);
    expect(() => addon.cudaFillSync(0, parts, 4096n)).toThrowError(failure);
    expect(() => addon.cudaAllocate(0, 4)).toThrowError(failure);
    expect(() => addon.cudaIpcHandle(0, 4096n)).toThrowError(failure);
    const outcomes = await Promise.all(
      [
        (done: Any) => addon.cudaFillAsync(0, parts, host(), done),
        (done: Any) => addon.cudaFillAsync(99, parts, 4096n, done),
        (done: Any) => addon.cudaCopyToHostAsync(0, 4096n, host(), done),
        (done: Any) => addon.cudaOpenAsync(1000, done),
      ].map((start) => new Promise((resolve) => start((...args: unknown[]) => resolve(args)))),
    );
    for (const outcome of outcomes) expect(outcome).toEqual(['failed', failure]);
  });
});
