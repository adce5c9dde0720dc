// The CUDA backend as a library's user sees it: tensors and slices that stay on the device, memory of others, whole
// models in one launch, checkpoint files. Every byte is the CPU's.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  constant,
  DTYPE_NAMES,
  deviceMemory,
  fill,
  fillInto,
  fillModel,
  fillSync,
  glorotUniform,
  heNormal,
  type Initializer,
  type Plan,
  parsePlan,
  truncatedNormal,
  writeCheckpoint,
} from '../../src/index.js';
import { describeFakeCuda, openFakeHere, SLOW } from '../helpers/fake-cuda.js';

const SHAPES = [[], [1], [7], [0], [3, 5], [33, 65], [4, 3, 3, 3], [257, 129]] as const;
const INITIALIZERS: Record<string, Initializer> = {
  constant: constant({ value: 0.3 }),
  glorotUniform: glorotUniform(),
  heNormal: heNormal(),
  'a far tail': truncatedNormal({ std: 0.1, sigmas: [5, 7] }),
};

const bytesOf = ({ data }: { readonly data: ArrayBufferView }): Buffer =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** The first two blocks of GPT-2, embeddings left out, and what no real plan has: other dtypes and an empty tensor. */
async function firstLayers(): Promise<Plan> {
  const text = await readFile(new URL('../../examples/gpt2/plan.json', import.meta.url), 'utf8');
  const { tensors } = parsePlan(text);
  const few = tensors.filter(({ name, shape }) => /\.h\.[01]\.|ln_f/.test(name) && shape[1] !== 3072);
  return parsePlan({
    tensors: [
      ...few,
      { name: 'half', shape: [501], dtype: 'float16', init: { kind: 'normal', std: 0.5 } },
      { name: 'empty', shape: [0, 4], init: { kind: 'ones' } },
      { name: 'double', shape: [11, 13], dtype: 'float64', init: { kind: 'truncatedNormal', std: 0.5 } },
      { name: 'narrow', shape: [1001], init: { kind: 'truncatedNormal', sigmas: [0.1, 0.3] } },
    ],
  });
}

describeFakeCuda('cuda through the public API', () => {
  let folder: string;
  beforeAll(async () => {
    openFakeHere({ delay: 1000 }); // so that what is not waited for shows
    folder = await mkdtemp(join(tmpdir(), 'isometry-cuda-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(DTYPE_NAMES)('tensors of every shape in %s', SLOW, async (dtype) => {
    for (const [name, init] of Object.entries(INITIALIZERS)) {
      for (const shape of SHAPES) {
        if (shape.length < 2 && /heNormal|glorot/.test(name)) continue; // without fans
        const where = `${name} ${JSON.stringify(shape)}`;
        const options = { seed: 42, dtype };
        const expected = bytesOf(fillSync(name, shape, init, { ...options, device: 'cpu' }));
        const host = await fill(name, shape, init, { ...options, device: 'cuda' });
        expect(bytesOf(host).equals(expected), where).toBe(true);
        const device = await fill(name, shape, init, { ...options, keep: 'device' });
        const copy = await device.toHost();
        expect([copy.name, copy.shape, copy.dtype]).toEqual([name, shape, dtype]);
        expect(bytesOf(copy).equals(expected), where).toBe(true);
        // Over another tensor's bytes, at the element's own alignment only.
        const other = fillSync('other', [host.size + 3], constant({ value: 7 }), {
          ...options,
          keep: 'device',
        });
        const width = other.byteLength / other.size;
        const target = { pointer: other.pointer + BigInt(width), byteLength: device.byteLength, device: 0 };
        fillInto(target, name, shape, init, options);
        const around = bytesOf(await other.toHost());
        expect(around.subarray(width, width + expected.length).equals(expected), where).toBe(true);
        const sevens = bytesOf(fillSync('other', [3], constant({ value: 7 }), options));
        expect(
          Buffer.concat([around.subarray(0, width), around.subarray(width + expected.length)]).equals(sevens),
        ).toBe(true);
        device.dispose();
        other.dispose();
      }
    }
    expect(deviceMemory().allocations).toBe(0);
  });

  it('slices', async () => {
    for (const slice of [
      [[3, 30], null],
      [null, [7, 8]],
      [
        [5, 33],
        [1, 64],
      ],
      [[4, 4], null],
    ] as const) {
      const options = { seed: 42, dtype: 'bfloat16', slice } as const;
      const expected = fillSync('w', [33, 65], heNormal(), { ...options, device: 'cpu' });
      const device = await fill('w', [33, 65], heNormal(), { ...options, keep: 'device' });
      const copy = await device.toHost();
      expect(copy.shape).toEqual(expected.shape);
      expect(bytesOf(copy).equals(bytesOf(expected)), JSON.stringify(slice)).toBe(true);
      device.dispose();
    }
  });

  it('a model, in one block of memory', SLOW, async () => {
    const plan = await firstLayers();
    for (const dtype of ['float32', 'bfloat16'] as const) {
      const onHost = await fillModel(plan, { seed: 42, dtype, device: 'cpu' });
      const fromGpu = await fillModel(plan, { seed: 42, dtype, device: 'cuda' });
      const onDevice = await fillModel(plan, { seed: 42, dtype, keep: 'device' });
      expect([...onDevice.keys()]).toEqual(plan.tensors.map(({ name }) => name));
      expect(deviceMemory().allocations).toBe(1);
      for (const [name, tensor] of onDevice) {
        const expected = bytesOf(onHost.get(name)!);
        expect(bytesOf(fromGpu.get(name)!).equals(expected), name).toBe(true);
        expect(bytesOf(await tensor.toHost()).equals(expected), name).toBe(true);
        tensor.dispose();
      }
      expect(deviceMemory().allocations).toBe(0);
    }
  });

  it('a checkpoint file', SLOW, async () => {
    const plan = await firstLayers();
    for (const dtype of ['float32', 'float16'] as const) {
      const files: Buffer[] = [];
      for (const device of ['cpu', 'cuda'] as const) {
        const path = join(folder, `${device}-${dtype}.safetensors`);
        await writeCheckpoint(plan, path, { seed: 42, dtype, device });
        files.push(await readFile(path));
      }
      expect(files[0]!.length).toBeGreaterThan(10_000_000);
      expect(files[0]!.equals(files[1]!)).toBe(true);
    }
  });
});
