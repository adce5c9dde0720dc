import { describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../src/backends/cuda.js';
import { DeviceBlock } from '../../src/device-memory.js';
import { DeviceTensor } from '../../src/device-tensor.js';
import { dtypeInfo } from '../../src/dtype.js';
import { prepareFill } from '../../src/fill.js';
import { normal } from '../../src/initializers/index.js';
import { FakeCuda, fakeDevice } from '../helpers/fake-binding.js';

function setUp() {
  const fake = new FakeCuda();
  const backend = createCudaBackend(fake.binding, fakeDevice(1), 32); // a copy to the host is several jobs
  return { fake, backend, block: (bytes: number) => new DeviceBlock(backend, bytes, 'w') };
}

describe('DeviceTensor', () => {
  it('says what it is and where', () => {
    const { block } = setUp();
    const memory = block(1000);
    const tensor = new DeviceTensor('w', [3, 5], 'bfloat16', memory, 256);
    expect(tensor).toMatchObject({ name: 'w', shape: [3, 5], dtype: 'bfloat16', device: 1, disposed: false });
    expect([tensor.size, tensor.byteLength]).toEqual([15, 30]);
    expect(tensor.pointer).toBe(memory.pointer + 256n);
    expect(tensor.pointer).toBeGreaterThan(2n ** 46n);
    tensor.dispose();
  });

  it('describes itself as DLPack does', () => {
    const { block } = setUp();
    const memory = block(8000);
    for (const [dtype, code, bits] of [
      ['float64', 2, 64],
      ['float32', 2, 32],
      ['float16', 2, 16],
      ['bfloat16', 4, 16],
    ] as const) {
      const tensor = new DeviceTensor('w', [2, 3, 4], dtype, memory, 0);
      expect(tensor.dlpack()).toEqual({
        device: { type: 2, id: 1 },
        dtype: { code, bits, lanes: 1 },
        shape: [2, 3, 4],
        strides: [12, 4, 1],
        pointer: memory.pointer,
        byteOffset: 0,
      });
      expect(dtypeInfo(dtype).bytes * 8).toBe(bits);
    }
    expect(new DeviceTensor('w', [], 'float32', memory, 0).dlpack()).toMatchObject({
      shape: [],
      strides: [],
    });
    expect(new DeviceTensor('w', [2, 0, 3], 'float32', memory, 0).dlpack()).toMatchObject({
      strides: [3, 3, 1],
      pointer: 0n,
    });
  });

  it('comes to the host as it is, also when it is disposed meanwhile', async () => {
    const { backend, block, fake } = setUp();
    const { request } = prepareFill('w', [7], normal({ std: 1 }), { seed: 1, dtype: 'float64' });
    const memory = block(500);
    await backend.fillDevice([{ request, start: 0, length: 7, byteOffset: 64 }], memory.pointer);
    const tensor = new DeviceTensor('w', [7], 'float64', memory, 64);
    const host = await tensor.toHost();
    const expected = new Float64Array(7);
    backend.fillSync(request, expected, 0);
    expect(host).toMatchObject({ name: 'w', shape: [7], dtype: 'float64', data: expected });
    const copying = tensor.toHost();
    tensor.dispose();
    expect((await copying).data).toEqual(expected);
    expect(fake.blocks.size).toBe(0);
    await expect(tensor.toHost()).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('has a handle for other processes, with its place in the memory that this opens', () => {
    const { block } = setUp();
    const tensor = new DeviceTensor('w', [4], 'float32', block(1000), 512);
    const { handle, ...rest } = tensor.ipcHandle();
    expect(handle).toHaveLength(64);
    expect(rest).toEqual({ device: 1, offset: 512, byteLength: 16 });
  });

  it('without elements has no memory, and none to hand over', async () => {
    const { block, fake } = setUp();
    const tensor = new DeviceTensor('w', [0, 3], 'float32', block(0), 0);
    expect(tensor.pointer).toBe(0n);
    expect((await tensor.toHost()).data).toEqual(new Float32Array(0));
    expect(() => tensor.ipcHandle()).toThrowError(
      expect.objectContaining({
        code: 'INVALID_TARGET',
        message: 'expected a tensor with elements for ipcHandle but received [0,3] of type Array',
      }),
    );
    tensor.dispose();
    expect(fake.calls).toEqual([]);
  });

  it('is of no use once it is disposed, which may happen twice', async () => {
    const { block, fake } = setUp();
    const tensor = new DeviceTensor('w', [4], 'float32', block(16), 0);
    {
      using inner = new DeviceTensor('v', [4], 'float32', block(16), 0);
      expect(inner.disposed).toBe(false);
    }
    expect(fake.calls.filter((name) => name === 'free')).toHaveLength(1);
    tensor.dispose();
    tensor.dispose();
    expect(fake.calls.filter((name) => name === 'free')).toHaveLength(2);
    expect(tensor).toMatchObject({ disposed: true, shape: [4], byteLength: 16 });
    for (const use of [() => tensor.pointer, () => tensor.ipcHandle(), () => tensor.dlpack()]) {
      expect(use).toThrowError(
        expect.objectContaining({
          code: 'DISPOSED',
          message:
            'expected a DeviceTensor that holds its memory but "w" was disposed; use it before dispose(), or make it again',
        }),
      );
    }
    await expect(tensor.toHost()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
