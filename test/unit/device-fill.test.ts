import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import type { NativeBinding } from '../../src/backends/native.js';
import type { Tensor } from '../../src/tensor.js';
import { FakeCuda } from '../helpers/fake-binding.js';

let fake: FakeCuda;
vi.mock('../../src/backends/native.js', () => ({
  loadNative: () => ({ binding: fake.binding as NativeBinding, path: 'fake' }),
}));

// Each test has an addon of its own, and modules that have not seen another.
async function api() {
  return import('../../src/index.js');
}

beforeEach(() => {
  fake = new FakeCuda();
  vi.resetModules();
});
afterEach(() => vi.unstubAllEnvs());

const plan = {
  dtype: 'bfloat16',
  tensors: [
    { name: 'a', shape: [3, 5], init: { kind: 'heNormal' } },
    { name: 'empty', shape: [0, 5], init: { kind: 'ones' } },
    { name: 'b', shape: [1000], init: { kind: 'normal', std: 1 }, dtype: 'float64' },
    { name: 'c', shape: [], init: { kind: 'constant', value: 2 }, dtype: 'float32' },
  ],
};

describe("fill with keep: 'device'", () => {
  it('gives the values of every other device', async () => {
    const { fill, fillSync, normal, DeviceTensor } = await api();
    const law = normal({ std: 1 });
    const options = { seed: 42, dtype: 'float16', slice: [[1, 3]] } as const;
    const kept = await fill('w', [4, 7], law, { ...options, keep: 'device' });
    const sync = fillSync('w', [4, 7], law, { ...options, keep: 'device', device: 'cuda:1' });
    const host = fillSync('w', [4, 7], law, { ...options, device: 'js' });
    expect(kept).toBeInstanceOf(DeviceTensor);
    expect(kept).toMatchObject({ name: 'w', shape: [2, 7], dtype: 'float16', device: 0, byteLength: 28 });
    expect(sync.device).toBe(1);
    expect((await kept.toHost()).data).toEqual(host.data);
    expect((await sync.toHost()).data).toEqual(host.data);
    expectTypeOf(await kept.toHost()).toEqualTypeOf<Tensor<'float16'>>();
    expect(fake.blocks.size).toBe(2);
    kept.dispose();
    sync.dispose();
    expect(fake.blocks.size).toBe(0);
  });

  it('of no elements launches nothing', async () => {
    const { fill, fillSync, ones } = await api();
    const tensors = [
      await fill('w', [0, 4], ones(), { seed: 1, keep: 'device' }),
      fillSync('w', [4], ones(), { seed: 1, keep: 'device', slice: [[2, 2]] }),
    ];
    for (const tensor of tensors) {
      expect(tensor).toMatchObject({ pointer: 0n, size: 0, byteLength: 0 });
      expect((await tensor.toHost()).data).toHaveLength(0);
    }
    expect(fake.calls.filter((call) => call !== 'probe')).toEqual([]);
  });

  it('frees everything when it fails or is aborted', async () => {
    const { fill, fillSync, fillModel, ones } = await api();
    fake.failures.set('fill', { code: 'DEVICE_ERROR', message: 'broken' });
    const options = { seed: 1, keep: 'device' } as const;
    await expect(fill('w', [4], ones(), options)).rejects.toMatchObject({ code: 'DEVICE_ERROR' });
    expect(() => fillSync('w', [4], ones(), options)).toThrowError(
      expect.objectContaining({ code: 'DEVICE_ERROR' }),
    );
    await expect(fillModel(plan, options)).rejects.toMatchObject({ code: 'DEVICE_ERROR' });
    expect(fake.calls.filter((call) => call === 'free')).toHaveLength(3);
    fake.failures.clear();

    // Aborted while it is opened, and while it is filled.
    for (const jobs of [0, 1]) {
      fake.hold = true;
      const controller = new AbortController();
      const { signal } = controller;
      const running = [
        fill('w', [4], ones(), { ...options, signal }),
        fillModel(plan, { ...options, signal }),
      ];
      for (const promise of running) promise.catch(() => {});
      await vi.waitFor(() => expect(fake.waiting).toBe(2));
      if (jobs === 1) {
        fake.settle();
        await vi.waitFor(() => expect(fake.waiting).toBe(2));
        expect(fake.blocks.size).toBe(2);
      }
      controller.abort('enough');
      fake.settle();
      for (const promise of running) await expect(promise).rejects.toBe('enough');
      expect(fake.blocks.size).toBe(0);
    }
    await expect(fill('w', [4], ones(), { ...options, signal: AbortSignal.abort('before') })).rejects.toBe(
      'before',
    );
  });

  it('without a GPU throws the reason, and asks again next time', async () => {
    const { fill, fillSync, ones, deviceMemory } = await api();
    const ready = fake.probe;
    fake.probe = { ...ready, result: 'noDevice', reason: 'the machine has none', devices: [] };
    const error = {
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringMatching(/is not available: the machine has none$/),
    };
    await expect(fill('w', [4], ones(), { seed: 1, keep: 'device' })).rejects.toMatchObject(error);
    await expect(fill('w', [4], ones(), { seed: 1, device: 'cuda' })).rejects.toMatchObject(error);
    expect(() => fillSync('w', [4], ones(), { seed: 1, device: 'cuda:1' })).toThrowError(
      expect.objectContaining(error),
    );
    fake.probe = ready;
    fillSync('w', [4], ones(), { seed: 1, keep: 'device' }).dispose();
    expect(deviceMemory().allocations).toBe(0);
  });
});

describe('the driver', () => {
  it('is not opened for what the CPU computes', async () => {
    const { fill, fillSync, fillInto, fillModel, ones, deviceMemory } = await api();
    // The fake has no CPU code, so `auto` would take it: plain JavaScript is asked for where it may compute.
    for (const device of ['js', 'auto'] as const) {
      vi.stubEnv('ISOMETRY_BACKEND', device === 'auto' ? 'js' : '');
      await fill('w', [4], ones(), { seed: 1, device });
      fillSync('w', [4], ones(), { seed: 1, device });
      fillInto(new Float32Array(4), 'w', [4], ones(), { seed: 1, device });
      await fillModel(plan, { seed: 1, device });
    }
    deviceMemory();
    expect(fake.calls).toEqual([]);
  });

  it('is asked once when it is ready', async () => {
    const { fill, capabilities, ones } = await api();
    for (let k = 0; k < 3; k++) await fill('w', [4], ones(), { seed: 1, device: 'cuda' });
    expect(capabilities().find(({ name }) => name === 'cuda')).toEqual({
      name: 'cuda',
      probe: { available: true, detail: 'cuda:0 Fake 0; cuda:1 Fake 1' },
      cuda: fake.probe,
    });
    expect(fake.calls.filter((call) => call === 'probe')).toHaveLength(1);
  });
});

describe('fillInto on a device', () => {
  it('fills a tensor, or any memory, and returns it', async () => {
    const { fill, fillSync, fillInto, normal, zeros } = await api();
    const law = normal({ std: 1 });
    const tensor = await fill('w', [40], zeros(), { seed: 1, dtype: 'float64', keep: 'device' });
    expect(fillInto(tensor, 'v', [40], law, { seed: 2 })).toBe(tensor);
    const host = fillSync('v', [40], law, { seed: 2, dtype: 'float64', device: 'js' });
    expect((await tensor.toHost()).data).toEqual(host.data);

    const part = { pointer: tensor.pointer + 80n, byteLength: 100, device: 0 };
    expect(fillInto(part, 'v', [25], law, { seed: 3, device: 'cuda:0' })).toBe(part);
    const expected = new Uint8Array(host.data.buffer);
    const small = fillSync('v', [25], law, { seed: 3, device: 'js' });
    expected.set(new Uint8Array(small.data.buffer), 80);
    expect(new Uint8Array((await tensor.toHost()).data.buffer)).toEqual(expected);
    // An empty fill is no launch, wherever it goes.
    const before = fake.calls.length;
    fillInto({ pointer: 0n, byteLength: 0, device: 0 }, 'v', [0], law, { seed: 3 });
    expect(fake.calls).toHaveLength(before);
  });

  it('refuses what cannot be filled', async () => {
    const { fill, fillInto, ones } = await api();
    const tensor = await fill('w', [4], ones(), { seed: 1, keep: 'device' });
    const code = (target: unknown, shape: number[], options: object = {}) => {
      try {
        fillInto(target as typeof tensor, 'w', shape, ones(), { seed: 1, ...options });
      } catch (error) {
        return (error as { code: string }).code;
      }
      return 'none';
    };
    const { pointer } = tensor;
    expect(code(tensor, [4])).toBe('none');
    expect(code(tensor, [3])).toBe('INVALID_TARGET');
    expect(code(tensor, [4], { dtype: 'float16' })).toBe('INVALID_TARGET');
    expect(code(tensor, [4], { device: 'cpu' })).toBe('INVALID_OPTION');
    expect(code(tensor, [4], { device: 'cuda:1' })).toBe('INVALID_OPTION');
    expect(code(tensor, [4], { keep: 'device' })).toBe('UNKNOWN_OPTION');
    expect(code({ pointer, byteLength: 16, device: 1 }, [4])).toBe('INVALID_TARGET');
    expect(code({ pointer, byteLength: 16, device: 2 }, [4])).toBe('BACKEND_UNAVAILABLE');
    expect(code({ pointer, byteLength: 15, device: 0 }, [4])).toBe('INVALID_TARGET');
    expect(code({ pointer: pointer + 2n, byteLength: 16, device: 0 }, [4])).toBe('INVALID_TARGET');
    expect(code({ pointer: pointer + 4n, byteLength: 16, device: 0 }, [4])).toBe('INVALID_TARGET');
    expect(code({ pointer }, [4])).toBe('INVALID_TARGET');
    expect(code({}, [4])).toBe('INVALID_TARGET');
    tensor.dispose();
    expect(code(tensor, [4])).toBe('DISPOSED');
    expect(code({ pointer, byteLength: 16, device: 0 }, [4])).toBe('INVALID_TARGET');
  });
});

describe('fillModel', () => {
  it('is one allocation and one launch on a device, and the same values everywhere', async () => {
    const { fillModel, fillSync, DeviceTensor, Tensor } = await api();
    const kept = await fillModel(plan, { seed: 5, keep: 'device', device: 'cuda:1' });
    expect(fake.calls).toEqual(['probe', 'open', 'allocate(8452)', 'fill(3)']);
    const host = await fillModel(plan, { seed: 5, device: 'js' });
    const copied = await fillModel(plan, { seed: 5n, device: 'cuda' });
    expect([...kept.keys()]).toEqual(['a', 'empty', 'b', 'c']);
    for (const { name, shape, init, dtype } of plan.tensors) {
      const alone = fillSync(name, shape, init as never, {
        seed: 5,
        dtype: (dtype ?? plan.dtype) as 'float64',
        device: 'js',
      });
      const tensor = kept.get(name)!;
      expect(tensor).toBeInstanceOf(DeviceTensor);
      expect(tensor).toMatchObject({ name, shape, dtype: alone.dtype, device: 1 });
      expect(tensor.pointer % 256n).toBe(0n);
      expect((await tensor.toHost()).data).toEqual(alone.data);
      for (const model of [host, copied]) {
        expect(model.get(name)).toBeInstanceOf(Tensor);
        expect(model.get(name)).toEqual(alone);
      }
    }
    for (const tensor of kept.values()) {
      expect(fake.blocks.size).toBe(1);
      tensor.dispose();
    }
    expect(fake.blocks.size).toBe(0);
  });

  it('takes the dtype that is given over that of the plan', async () => {
    const { fillModel } = await api();
    const model = await fillModel(JSON.stringify(plan), { seed: 5, device: 'js', dtype: 'float16' });
    expect([...model.values()].map(({ dtype }) => dtype)).toEqual([
      'float16',
      'float16',
      'float64',
      'float32',
    ]);
  });

  it.each([
    ['no seed', plan, {}, 'INVALID_SEED'],
    ['an unknown option', plan, { seed: 1, slice: [] }, 'UNKNOWN_OPTION'],
    ['an unknown dtype', plan, { seed: 1, dtype: 'int8' }, 'INVALID_DTYPE'],
    ['an unknown place', plan, { seed: 1, keep: 'gpu' }, 'INVALID_OPTION'],
    ['no plan', {}, { seed: 1 }, 'PLAN_ERROR'],
    ['a CPU that is to keep it', plan, { seed: 1, keep: 'device', device: 'cpu' }, 'INVALID_OPTION'],
    [
      'more than a device has',
      { tensors: [{ name: 'w', shape: [2 ** 20], init: { kind: 'ones' } }] },
      { seed: 1, keep: 'device' },
      'OUT_OF_MEMORY',
    ],
    [
      'more than can be counted',
      { tensors: ['v', 'w'].map((name) => ({ name, shape: [2 ** 51 - 1], init: { kind: 'ones' } })) },
      { seed: 1, keep: 'device' },
      'TOO_LARGE',
    ],
    [
      'more than the host has',
      { tensors: [{ name: 'w', shape: [2 ** 45], init: { kind: 'ones' } }] },
      { seed: 1, device: 'js' },
      'OUT_OF_MEMORY',
    ],
  ])('refuses %s', async (_, source, options, code) => {
    const { fillModel } = await api();
    await expect(fillModel(source, options as never)).rejects.toMatchObject({ name: 'IsometryError', code });
    expect(fake.blocks.size).toBe(0);
  });

  it('is aborted before it begins', async () => {
    const { fillModel } = await api();
    const signal = AbortSignal.abort('no');
    for (const keep of ['host', 'device'] as const) {
      await expect(fillModel(plan, { seed: 1, keep, signal })).rejects.toBe('no');
    }
    expect(fake.calls).toEqual([]);
  });
});
