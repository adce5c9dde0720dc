// Through the public API, on a real device: the bytes of `cuda` are those of `cpu`, wherever they are kept. The C++
// suite (test/native/gpu) does the same in far more cases, but without the addon.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import {
  constant,
  DTYPE_NAMES,
  type DType,
  deviceMemory,
  fill,
  fillInto,
  fillModel,
  heNormal,
  type Initializer,
  normal,
  type Slice,
  type Tensor,
  truncatedNormal,
  uniform,
  writeCheckpoint,
} from '../../src/index.js';
import { describeGpu, onFake } from './device.js';

const LAWS: Record<string, Initializer> = {
  constant: constant({ value: 0.1 }),
  uniform: uniform({ min: -0.3, max: 0.7 }),
  normal: normal({ mean: 0.3, std: 0.02 }),
  truncated: truncatedNormal({ std: 0.05, rescale: true }),
  'far tail': truncatedNormal({ sigmas: [8, 9] }),
  he: heNormal(),
};
const SHAPES: readonly (readonly number[])[] = [
  [1, 1],
  [1, 3],
  [5, 13],
  [257, 63],
  onFake ? [64, 65] : [3000, 1777],
];
const SLICES: readonly Slice[] = [
  [[3, 200], null],
  [null, [1, 62]],
  [
    [5, 250],
    [7, 8],
  ],
];

const bytes = ({ data }: Tensor): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const same = (a: Tensor, b: Tensor): boolean => bytes(a).equals(bytes(b));
const combinations = Object.entries(LAWS).flatMap(([law, init]) =>
  DTYPE_NAMES.map((dtype): [string, DType, Initializer] => [law, dtype, init]),
);

describeGpu('cuda = cpu, to the byte', () => {
  it.each(combinations)('%s %s', async (name, dtype, init) => {
    for (const shape of SHAPES) {
      const options = { seed: 2n ** 63n + 5n, dtype };
      const expected = await fill(name, shape, init, { ...options, device: 'cpu' });
      expect(same(await fill(name, shape, init, { ...options, device: 'cuda' }), expected)).toBe(true);
      const kept = await fill(name, shape, init, { ...options, device: 'cuda', keep: 'device' });
      expect(same(await kept.toHost(), expected)).toBe(true);
      kept.dispose();
    }
    for (const slice of SLICES) {
      const options = { seed: 1, dtype, slice };
      const expected = await fill(name, [257, 63], init, { ...options, device: 'cpu' });
      expect(same(await fill(name, [257, 63], init, { ...options, device: 'cuda' }), expected)).toBe(true);
    }
  });

  it('fills memory that is already there, at any element', async () => {
    const law = normal({ std: 0.02 });
    const memory = await fill('memory', [1000], constant({ value: 7 }), {
      seed: 1,
      device: 'cuda',
      keep: 'device',
    });
    for (const start of [0, 1, 2, 3, 5, 500]) {
      const target = {
        pointer: memory.pointer + BigInt(4 * start),
        byteLength: 4 * 333,
        device: memory.device,
      };
      expect(fillInto(target, 'w', [333], law, { seed: 3 })).toBe(target);
      const expected = await fill('w', [333], law, { seed: 3, device: 'cpu' });
      const { data } = await memory.toHost();
      expect(Array.from(data.subarray(start, start + 333))).toEqual(Array.from(expected.data));
    }
    memory.dispose();
  });

  it('a model in one launch, and a checkpoint', async () => {
    const tensors = Array.from({ length: 30 }, (_, k) => ({
      name: `layer.${k}`,
      shape: [17 + k, 64],
      init: k % 3 === 0 ? constant({ value: 0 }) : heNormal(),
      ...(k % 4 === 0 ? { dtype: 'bfloat16' as const } : {}),
    }));
    const plan = { tensors };
    const before = deviceMemory().allocations;
    const model = await fillModel(plan, { seed: 9, device: 'cuda', keep: 'device' });
    expect(deviceMemory().allocations).toBe(before + 1);
    const expected = await fillModel(plan, { seed: 9, device: 'cpu' });
    for (const [name, tensor] of model) {
      expect(same(await tensor.toHost(), expected.get(name) as Tensor), name).toBe(true);
      tensor.dispose();
    }
    expect(deviceMemory().allocations).toBe(before);

    const folder = await mkdtemp(join(tmpdir(), 'isometry-gpu-'));
    try {
      const files = { cuda: join(folder, 'cuda.safetensors'), cpu: join(folder, 'cpu.safetensors') };
      await writeCheckpoint(plan, files.cuda, { seed: 9, device: 'cuda' });
      await writeCheckpoint(plan, files.cpu, { seed: 9, device: 'cpu' });
      expect(
        createHash('sha256')
          .update(await readFile(files.cuda))
          .digest('hex'),
      ).toBe(
        createHash('sha256')
          .update(await readFile(files.cpu))
          .digest('hex'),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('more than the device has: needed and available, and nothing kept', async () => {
    const before = deviceMemory();
    const large = fill('w', [2 ** 20, 2 ** 20], heNormal(), { seed: 1, device: 'cuda', keep: 'device' });
    await expect(large).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/needed.*available/),
    });
    expect(deviceMemory()).toEqual(before);
  });

  it('two worker threads on one device', async () => {
    const dist = new URL('../../dist/index.js', import.meta.url).href;
    const code = `
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(dist)}).then(async ({ fill, heNormal }) => {
        let good = true;
        for (let turn = 0; turn < 20; turn++) {
          const a = await fill('w', [400, 100], heNormal(), { seed: turn, device: 'cuda' });
          const b = await fill('w', [400, 100], heNormal(), { seed: turn, device: 'cpu' });
          good &&= Buffer.from(a.data.buffer).equals(Buffer.from(b.data.buffer));
        }
        parentPort.postMessage(good);
      });`;
    const results = [1, 2].map(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker(code, { eval: true });
          worker.on('message', resolve);
          worker.on('error', reject);
        }),
    );
    expect(await Promise.all(results)).toEqual([true, true]);
  });
});
