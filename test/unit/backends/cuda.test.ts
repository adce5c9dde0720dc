import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createCudaBackend, cudaProbe } from '../../../src/backends/cuda.js';
import { jsBackend } from '../../../src/backends/js.js';
import type { Part } from '../../../src/backends/types.js';
import { type DType, dtypeInfo, type TensorArray } from '../../../src/dtype.js';
import { prepareFill } from '../../../src/fill.js';
import { constant, type Initializer, normal, truncatedNormal } from '../../../src/initializers/index.js';
import type { FillRequest } from '../../../src/job.js';
import { FakeCuda, fakeDevice, READY } from '../../helpers/fake-binding.js';

function request(
  name: string,
  shape: number[],
  dtype: DType,
  law: Initializer = normal({ std: 1 }),
): FillRequest {
  return prepareFill(name, shape, law, { seed: 7, dtype }).request;
}

function js(of: FillRequest, start = 0, length = of.length): TensorArray {
  const target = new (dtypeInfo(of.dtype).array)(length);
  jsBackend.fillSync(of, target, start);
  return target;
}

function bytes(array: TensorArray): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function setUp() {
  const fake = new FakeCuda();
  return { fake, backend: createCudaBackend(fake.binding, fakeDevice(1)) };
}

describe('cudaProbe', () => {
  it('lists what can be used, or says why nothing can', () => {
    expect(cudaProbe({ ...READY, devices: [fakeDevice(0, false), fakeDevice(1), fakeDevice(2)] })).toEqual({
      available: true,
      detail: 'cuda:1 Fake 1; cuda:2 Fake 2',
    });
    expect(cudaProbe({ ...READY, result: 'hidden', reason: 'R', devices: [] })).toEqual({
      available: false,
      reason: 'R',
    });
  });
});

describe('a fill of host memory', () => {
  it('computes any window, of a part of a buffer too', async () => {
    const { backend } = setUp();
    const of = request('w', [1001], 'bfloat16');
    const buffer = new Uint16Array(700);
    await backend.fill(of, buffer.subarray(100, 600), 301);
    expect(buffer.subarray(100, 600)).toEqual(js(of, 301, 500));
    expect([buffer[99], buffer[600]]).toEqual([0, 0]);
    buffer.fill(0);
    backend.fillSync(of, buffer.subarray(100, 600), 301);
    expect(buffer.subarray(100, 600)).toEqual(js(of, 301, 500));
  });

  it('larger than a Uint8Array can be goes in pieces', async () => {
    const fake = new FakeCuda();
    const backend = createCudaBackend(fake.binding, fakeDevice(1), 1024);
    for (const dtype of ['float64', 'bfloat16'] as const) {
      const of = request('w', [3000], dtype);
      const { array, bytes: size } = dtypeInfo(dtype);
      const pieces = Math.ceil((2001 * size) / 1024);
      const target = new array(2101).subarray(100) as TensorArray;
      fake.calls.length = 0;
      await backend.fill(of, target, 7);
      expect(fake.calls).toEqual(new Array(pieces).fill('fill(1)'));
      expect(target).toEqual(js(of, 7, 2001));
      target.fill(0);
      backend.fillSync(of, target, 7);
      expect(target).toEqual(js(of, 7, 2001));

      const { id, pointer } = backend.allocate(2001 * size);
      await backend.fillDevice([{ request: of, start: 7, length: 2001, byteOffset: 0 }], pointer);
      target.fill(0);
      await backend.copyToHost(pointer, target);
      expect(target).toEqual(js(of, 7, 2001));
      backend.free(id);
    }
  });

  it('of no elements asks nobody', async () => {
    const { backend, fake } = setUp();
    await backend.fill(request('w', [0], 'float32'), new Float32Array(0), 0);
    backend.fillSync(request('w', [0], 'float32'), new Float32Array(0), 0);
    expect(fake.calls).toEqual([]);
  });
});

describe('a copy to the device', () => {
  it('goes in pieces where a Uint8Array is too small, now or later', async () => {
    const fake = new FakeCuda();
    const backend = createCudaBackend(fake.binding, fakeDevice(1), 1024);
    const { id, pointer } = backend.allocate(4000);
    const source = Float32Array.from({ length: 700 }, (_, k) => k).subarray(50);
    const back = new Float32Array(650);
    fake.calls.length = 0;
    await backend.copyFromHost(pointer + 4n, source);
    expect(fake.calls).toEqual(['upload(1024)', 'upload(1024)', 'upload(552)']);
    await backend.copyToHost(pointer + 4n, back);
    expect(back).toEqual(source);
    backend.copyFromHostSync(
      pointer + 4n,
      source.map((value) => -value),
    );
    expect(fake.calls.slice(-3)).toEqual(['uploadSync(1024)', 'uploadSync(1024)', 'uploadSync(552)']);
    await backend.copyToHost(pointer + 4n, back);
    expect(back[649]).toBe(-699);
    backend.free(id);
  });
});

describe('many parts', () => {
  it('are one call, without those that are empty', async () => {
    const { backend, fake } = setUp();
    const a = request('a', [33], 'float64');
    const b = request('b', [0], 'float64');
    const c = request('c', [50], 'float16', truncatedNormal());
    const parts: Part[] = [
      { request: a, start: 3, length: 30, byteOffset: 8 },
      { request: b, start: 0, length: 0, byteOffset: 248 },
      { request: c, start: 0, length: 50, byteOffset: 248 },
    ];
    const buffer = new ArrayBuffer(400);
    await backend.fillParts(parts, buffer);
    expect(fake.calls).toEqual(['fill(2)']);
    expect(new Float64Array(buffer, 8, 30)).toEqual(js(a, 3, 30));
    expect(new Uint16Array(buffer, 248, 50)).toEqual(js(c));

    const { id, pointer } = backend.allocate(400);
    await backend.fillDevice(parts, pointer);
    const back = new Uint8Array(348);
    await backend.copyToHost(pointer, back);
    expect(back.subarray(8)).toEqual(new Uint8Array(buffer).subarray(8, 348));
    expect([...back.subarray(0, 8)]).toEqual(new Array(8).fill(0xca));
    backend.fillDeviceSync(parts, pointer);
    expect(fake.calls.slice(-1)).toEqual(['fillSync(2)']);
    backend.free(id);
    expect(fake.blocks.size).toBe(0);
  });

  it('of many thousand tensors, or of many tables, are a few', async () => {
    const { backend, fake } = setUp();
    const small = request('w', [1], 'float32', constant({ value: 1 }));
    const parts = Array.from({ length: 10_000 }, (_, k) => ({
      request: small,
      start: 0,
      length: 1,
      byteOffset: 4 * k,
    }));
    const buffer = new ArrayBuffer(40_000);
    await backend.fillParts(parts, buffer);
    expect(fake.calls).toEqual(['fill(4096)', 'fill(4096)', 'fill(1808)']);
    expect(new Float32Array(buffer).every((value) => value === 1)).toBe(true);
    // A request with a table has 6188 words, and 2^22 are the most.
    const table = request('w', [1], 'float64');
    fake.calls.length = 0;
    await backend.fillParts(
      Array.from({ length: 1000 }, (_, k) => ({ request: table, start: 0, length: 1, byteOffset: 8 * k })),
      buffer,
    );
    expect(fake.calls).toEqual(['fill(677)', 'fill(323)']);
  });
});

describe('a failure', () => {
  const parts = [{ request: request('w', [4], 'float32'), start: 0, length: 4, byteOffset: 0 }];

  it('has the code and the message of the addon, and anything else is internal', async () => {
    const { backend, fake } = setUp();
    for (const code of [
      'OUT_OF_MEMORY',
      'DEVICE_ERROR',
      'TOO_LARGE',
      'BACKEND_UNAVAILABLE',
      'INVALID_TARGET',
    ]) {
      const failure = { code, message: `why ${code}` };
      for (const name of ['fill', 'allocate', 'ipc', 'open', 'copy', 'upload'])
        fake.failures.set(name, failure);
      const error = { name: 'IsometryError', code, message: `why ${code}`, cause: failure };
      await expect(backend.fillParts(parts, new ArrayBuffer(16))).rejects.toMatchObject(error);
      await expect(backend.fill(parts[0]!.request, new Float32Array(4), 0)).rejects.toMatchObject(error);
      await expect(backend.open()).rejects.toMatchObject(error);
      await expect(backend.copyToHost(1n, new Uint8Array(1))).rejects.toMatchObject(error);
      await expect(backend.copyFromHost(1n, new Uint8Array(1))).rejects.toMatchObject(error);
      for (const action of [
        () => backend.allocate(4),
        () => backend.ipcHandle(1n),
        () => backend.copyFromHostSync(1n, new Uint8Array(1)),
        () => backend.fillDeviceSync(parts, 1n),
        () => backend.fillSync(parts[0]!.request, new Float32Array(4), 0),
      ]) {
        expect(action).toThrowError(expect.objectContaining(error));
      }
    }
    fake.failures.set('allocate', { code: 'EWHATEVER', message: 'odd' });
    expect(() => backend.allocate(4)).toThrowError(
      expect.objectContaining({ code: 'INTERNAL', message: 'odd' }),
    );
  });

  it('of the call itself rejects too', async () => {
    const { fake } = setUp();
    const throwing = {
      ...fake.binding,
      cudaFillAsync: () => {
        throw Object.assign(new Error('no'), { code: 'INVALID_TARGET' });
      },
    };
    const backend = createCudaBackend(throwing, fakeDevice(0));
    await expect(backend.fillParts(parts, new ArrayBuffer(16))).rejects.toMatchObject({
      code: 'INVALID_TARGET',
    });
  });
});

describe('an abort', () => {
  const of = request('w', [4], 'float32');

  it('before rejects at once, while it waits cancels, at the end rejects all the same', async () => {
    const { backend, fake } = setUp();
    await expect(backend.fill(of, new Float32Array(4), 0, AbortSignal.abort('early'))).rejects.toBe('early');
    expect(fake.calls).toEqual([]);

    fake.hold = true;
    for (const settleFirst of [false, true]) {
      const controller = new AbortController();
      const running = backend.fill(of, new Float32Array(4), 0, controller.signal);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
      if (settleFirst) {
        fake.settle();
        await running;
      } else {
        controller.abort('late');
        fake.settle();
        await expect(running).rejects.toBe('late');
      }
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    }
    // The addon had begun, and did not stop.
    const stubborn = createCudaBackend({ ...fake.binding, cancel: () => {} }, fakeDevice(0));
    const controller = new AbortController();
    const running = stubborn.fill(of, new Float32Array(4), 0, controller.signal);
    controller.abort('too late');
    fake.settle();
    await expect(running).rejects.toBe('too late');
  });
});

it('bytes of the fake are those of the request', () => {
  // The fake decodes what the backend encodes: this is what makes the tests above mean something.
  const of = request('w', [9], 'float32');
  const { backend } = setUp();
  const target = new Float32Array(9);
  backend.fillSync(of, target, 0);
  expect(bytes(target)).toEqual(bytes(js(of)));
  expect(new Set(target).size).toBe(9);
});
