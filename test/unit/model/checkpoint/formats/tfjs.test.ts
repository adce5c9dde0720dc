import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { FileOps } from '../../../../../src/file-ops.js';
import { tfjs } from '../../../../../src/model/checkpoint/formats/tfjs.js';
import type { StoredPlanTensor } from '../../../../../src/model/plan/stored-tensors.js';
import { toFloat32 } from '../../../../../src/tensor.js';
import { errno, hookedOps } from '../../../../helpers/faulty-ops.js';
import { bytesOf, jobFor, tensor } from './job.js';

const MIB = 2 ** 20;
const TFJS = fileURLToPath(
  new URL('../../../../../bench/peers/node_modules/@tensorflow/tfjs/dist/tf.node.js', import.meta.url),
);
// Narrow ones first, to see that they are put last; the large one takes three files.
const TENSORS = [
  tensor('flags', 'BOOL', [7]),
  tensor('bytes', 'U8', [3]),
  tensor('half', 'F16', [5, 3]),
  tensor('a/kernel', 'F32', [1500, 1500]),
  tensor('empty', 'F32', [0, 3]),
  tensor('n', 'I32', []),
];

interface Weight {
  readonly name: string;
  readonly shape: number[];
  readonly dtype: string;
  readonly quantization?: { dtype: string; scale?: number; min?: number };
}

/** How many bytes of the files an element takes, as tf.io.decodeWeights has it. */
const SIZES = new Map([
  ['float32', 4],
  ['int32', 4],
  ['bool', 1],
  ['float16', 2],
  ['uint8', 1],
  ['uint16', 2],
]);

/** What a loader finds: the bytes of each weight. */
function load(directory: string): Map<string, { weight: Weight; data: Buffer }> {
  const { weightsManifest } = JSON.parse(readFileSync(join(directory, 'model.json'), 'utf8'));
  const found = new Map<string, { weight: Weight; data: Buffer }>();
  for (const { paths, weights } of weightsManifest) {
    const all = Buffer.concat(paths.map((path: string) => readFileSync(join(directory, path))));
    let at = 0;
    for (const weight of weights as Weight[]) {
      const size = SIZES.get(weight.quantization?.dtype ?? weight.dtype)!;
      const bytes = size * weight.shape.reduce((total, dim) => total * dim, 1);
      found.set(weight.name, { weight, data: all.subarray(at, at + bytes) });
      at += bytes;
    }
    expect(at).toBe(all.length);
  }
  return found;
}

describe('tfjs', () => {
  test('is a manifest and files of 4 MiB', async () => {
    const done: number[] = [];
    const job = jobFor(TENSORS, { onWritten: (bytes) => done.push(bytes) });
    const files = await tfjs.write(job);
    expect(readdirSync(job.path).sort()).toEqual(files.map(({ file }) => file).sort());
    const total = TENSORS.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(files.slice(0, 3)).toEqual([
      { file: 'group1-shard1of3.bin', bytes: 4 * MIB },
      { file: 'group1-shard2of3.bin', bytes: 4 * MIB },
      { file: 'group1-shard3of3.bin', bytes: total - 8 * MIB },
    ]);
    for (const { file, bytes } of files) expect(readFileSync(join(job.path, file)).length).toBe(bytes);
    const found = load(job.path);
    for (const stored of TENSORS) {
      const { weight, data } = found.get(stored.name)!;
      expect(weight.shape).toEqual(stored.shape);
      expect(data.equals(bytesOf(stored))).toBe(true);
    }
    expect(
      [...found.values()].map(({ weight: { name, dtype, quantization } }) => [name, dtype, quantization]),
    ).toEqual([
      ['a/kernel', 'float32', undefined],
      ['empty', 'float32', undefined],
      ['n', 'int32', undefined],
      ['half', 'float32', { dtype: 'float16' }],
      ['flags', 'bool', undefined],
      ['bytes', 'int32', { dtype: 'uint8', scale: 1, min: 0 }],
    ]);
    const model = JSON.parse(readFileSync(join(job.path, 'model.json'), 'utf8'));
    expect(model.userDefinedMetadata).toEqual({ seed: '1' });
    expect(model.generatedBy).toMatch(/^isometry \d/);
    expect(done.at(-1)).toBe(total);
  });

  test('what a tensor is computed from does not show where files are cut', async () => {
    const small: StoredPlanTensor[] = [tensor('w', 'F32', [2 * MIB + 1])];
    const job = jobFor(small);
    await tfjs.write(job);
    expect(load(job.path).get('w')!.data.equals(bytesOf(small[0]!))).toBe(true);
  });

  test('no tensors, or only empty ones', async () => {
    for (const tensors of [[], [tensor('e', 'F32', [0])]]) {
      const job = jobFor(tensors);
      await tfjs.write(job);
      expect([...load(job.path).keys()]).toEqual(tensors.map(({ name }) => name));
      expect(readdirSync(job.path)).toContain('group1-shard1of1.bin');
    }
  });

  test.each([
    ['BF16', /received bfloat16; use float32 or float16/],
    ['F64', /received float64; use float32/],
    ['I64', /received I64; use int32/],
  ] as const)('%s is refused before anything is written', async (dtype, message) => {
    const job = jobFor([...TENSORS, tensor('x', dtype, [1])]);
    await expect(tfjs.write(job)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_DTYPE', message: expect.stringMatching(message) }),
    );
    expect(() => tfjs.check(job)).toThrow(message);
    expect(() => readdirSync(job.path)).toThrow(/ENOENT/);
  });

  test('model.json comes last, and another one goes first', async () => {
    const small = [tensor('a', 'F32', [3])];
    const order: string[] = [];
    const job = jobFor(small, { metadata: new Map([['seed', '2']]) });
    mkdirSync(job.path);
    const model = join(job.path, 'model.json');
    writeFileSync(model, '{"format":"layers-model"}');
    writeFileSync(join(job.path, 'group1-shard1of2.bin'), '');
    await expect(tfjs.write(job)).rejects.toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_ERROR',
        message: expect.stringMatching(/has "model.json"/),
      }),
    );
    rmSync(model);
    await expect(tfjs.write(job)).rejects.toThrow(/has "group1-shard1of2.bin"/);
    writeFileSync(model, '{"format":"layers-model"}');
    const real = hookedOps(() => {});
    const named = (path: string): string => path.slice(job.path.length + 1);
    const ops: FileOps = {
      ...real,
      unlink(path) {
        order.push(`- ${named(path)}`);
        return real.unlink(path);
      },
      rename(from, to) {
        order.push(`+ ${named(to)}`);
        return real.rename(from, to);
      },
    };
    await tfjs.write({ ...job, overwrite: true, ops });
    expect(order).toEqual([
      '- model.json',
      '- group1-shard1of2.bin',
      '+ group1-shard1of1.bin',
      '+ model.json',
    ]);
    // The same model again: nothing is in the way.
    await tfjs.write(job);
    expect(readdirSync(job.path).sort()).toEqual(['group1-shard1of1.bin', 'model.json']);
  });

  test('a failure leaves no model.json and nothing unfinished', async () => {
    const large = [tensor('a', 'F32', [4 * MIB])];
    let writes = 0;
    const ops = hookedOps((operation) => {
      if (operation === 'write' && ++writes === 3) throw errno('EIO');
    });
    const job = jobFor(large, { ops });
    await expect(tfjs.write(job)).rejects.toThrow(expect.objectContaining({ code: 'IO_ERROR' }));
    const controller = new AbortController();
    const stopped = jobFor(large, {
      signal: controller.signal,
      onWritten: () => controller.abort(new Error('enough')),
    });
    await expect(tfjs.write(stopped)).rejects.toThrow('enough');
    for (const { path } of [job, stopped]) {
      for (const name of readdirSync(path)) {
        expect(name).toMatch(/^group1-shard\dof4\.bin$/);
        expect(readFileSync(join(path, name)).length).toBe(4 * MIB);
      }
    }
  });

  // Where the benchmark's peers are installed (bench/peers).
  test.runIf(existsSync(TFJS))('TensorFlow.js itself gets these tensors', async () => {
    const tf = await import(TFJS);
    const tensors = TENSORS.filter(({ name }) => name !== 'half');
    const job = jobFor([...tensors, tensor('half', 'F16', [251])]);
    await tfjs.write(job);
    const model = JSON.parse(readFileSync(join(job.path, 'model.json'), 'utf8'));
    const files = (paths: string[]): Buffer[] => paths.map((path) => readFileSync(join(job.path, path)));
    const artifacts = await tf.io.getModelArtifactsForJSON(model, async (manifest: { paths: string[] }[]) => {
      const data = Buffer.concat(files(manifest[0]!.paths));
      return [tf.io.getWeightSpecs(manifest), new Uint8Array(data).buffer];
    });
    const decoded = tf.io.decodeWeights(artifacts.weightData, artifacts.weightSpecs);
    for (const stored of tensors) {
      const found = decoded[stored.name];
      expect([found.shape, found.dtype]).toEqual([stored.shape, LOADED.get(stored.dtype)]);
      const data = Buffer.from((await found.data()).buffer);
      const bytes = bytesOf(stored);
      const expected = stored.dtype === 'U8' ? Buffer.from(Int32Array.from(bytes).buffer) : bytes;
      expect(data.equals(expected)).toBe(true);
    }
    const half = await decoded['half'].data();
    const expected = toFloat32(
      new Uint16Array(new Uint8Array(bytesOf(job.tensors.at(-1)!)).buffer),
      'float16',
    );
    expect(half).toEqual(expected);
  });
});

/** What TensorFlow.js makes of a dtype. */
const LOADED = new Map([
  ['F32', 'float32'],
  ['I32', 'int32'],
  ['U8', 'int32'],
  ['BOOL', 'bool'],
]);
