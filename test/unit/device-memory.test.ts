import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../src/backends/cuda.js';
import { DeviceBlock, deviceMemory } from '../../src/device-memory.js';
import { DeviceTensor } from '../../src/device-tensor.js';
import { FakeCuda, fakeDevice } from '../helpers/fake-binding.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function setUp() {
  const fake = new FakeCuda();
  return { fake, backend: createCudaBackend(fake.binding, fakeDevice(0)) };
}

describe('DeviceBlock', () => {
  it('is freed with the last tensor in it', () => {
    const { fake, backend } = setUp();
    const block = new DeviceBlock(backend, 512, 'the plan');
    const tensors = [0, 256].map((offset) => new DeviceTensor('w', [4], 'float32', block, offset));
    tensors[0]!.dispose();
    tensors[0]!.dispose();
    expect(fake.blocks.size).toBe(1);
    tensors[1]!.dispose();
    expect(fake.blocks.size).toBe(0);
    expect(fake.calls).toEqual(['allocate(512)', 'free']);
  });

  it('that does not fit says for what it was', () => {
    const { fake, backend } = setUp();
    expect(() => new DeviceBlock(backend, 2 ** 30, 'encoder.weight')).toThrowError(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message:
          'encoder.weight needs 1073741824 bytes of device memory: needed 1073741824, available 1048576',
      }),
    );
    expect(() => new DeviceBlock(backend, 2 ** 53, 'w')).toThrowError(
      expect.objectContaining({ code: 'TOO_LARGE' }),
    );
    fake.failures.set('allocate', { code: 'DEVICE_ERROR', message: 'broken' });
    expect(() => new DeviceBlock(backend, 4, 'w')).toThrowError(
      expect.objectContaining({ code: 'DEVICE_ERROR', message: 'broken' }),
    );
  });

  it('is freed and counted when its tensors are collected, but not when they were disposed', async () => {
    const { fake, backend } = setUp();
    const before = deviceMemory().collected;
    const make = (): DeviceTensor =>
      new DeviceTensor('w', [4], 'float32', new DeviceBlock(backend, 16, 'w'), 0);
    (() => {
      for (let k = 0; k < 10; k++) make();
      make().dispose();
    })();
    const kept = make();
    // A block of which one tensor is collected and another is alive stays.
    const shared = new DeviceBlock(backend, 512, 'w');
    const alive = new DeviceTensor('w', [4], 'float32', shared, 0);
    (() => new DeviceTensor('v', [4], 'float32', shared, 256))();
    for (let tries = 0; tries < 100 && deviceMemory().collected - before < 11; tries++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(deviceMemory().collected - before).toBe(11);
    expect(fake.blocks.size).toBe(2);
    expect([kept.disposed, alive.disposed]).toEqual([false, false]);
    alive.dispose();
    kept.dispose();
    expect(fake.blocks.size).toBe(0);
  });
});

describe('deviceMemory', () => {
  it('counts without a driver', () => {
    expect(deviceMemory()).toMatchObject({ allocations: 0, bytes: 0 });
  });
});
