import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillSync, normal } from '../../../../src/index.js';
import { type Candidate, type Duplicate, findDuplicates } from '../../../../src/model/verify/duplicates.js';
import { openCheckpoint } from '../../../../src/model/verify/open-checkpoint.js';
import { writeSafetensors } from '../../../helpers/safetensors.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-duplicates-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Numbers that look random, as float32. */
const random = (stream: string, length: number): Float32Array =>
  fillSync(stream, [length], normal({ std: 1 }), { seed: 1 }).data;

async function find(
  tensors: Record<string, { data: Float32Array; shape?: number[]; repeats?: Candidate['repeats'] }>,
  expected: (duplicate: Duplicate) => boolean = () => false,
): Promise<readonly Duplicate[]> {
  const path = join(dir, 'file.safetensors');
  writeSafetensors(
    path,
    Object.entries(tensors).map(([name, { data, shape }]) => ({
      name,
      dtype: 'F32',
      shape: shape ?? [data.length],
      data,
    })),
  );
  const checkpoint = await openCheckpoint(path);
  try {
    const candidates = checkpoint.tensors.map((tensor) => ({
      tensor,
      repeats: tensors[tensor.name]!.repeats ?? 'anywhere',
    }));
    return await findDuplicates(checkpoint, candidates, async (duplicate) => expected(duplicate));
  } finally {
    await checkpoint.close();
  }
}

test('different tensors are no duplicates', async () => {
  expect(await find({ a: { data: random('a', 1000) }, b: { data: random('b', 1000) } })).toEqual([]);
});

test('two equal tensors, large enough to be read in pieces', async () => {
  const data = random('a', 600_000);
  expect(await find({ a: { data }, b: { data } })).toEqual([
    { a: { name: 'a', element: 0 }, b: { name: 'b', element: 0 }, elements: 600_000, whole: true },
  ]);
});

test('one begins as another: a stream that is used twice', async () => {
  const data = random('a', 5000);
  expect(await find({ long: { data }, short: { data: data.slice(0, 700) } })).toEqual([
    { a: { name: 'long', element: 0 }, b: { name: 'short', element: 0 }, elements: 700, whole: false },
  ]);
});

test.each([2, 3, 4, 8])('%i processes with one seed: the rows of a tensor repeat', async (world) => {
  const rows = 24 / world;
  const part = random('part', rows * 50);
  const data = Float32Array.from({ length: 24 * 50 }, (_, index) => part[index % part.length]!);
  expect(await find({ w: { data, shape: [24, 50] } })).toEqual([
    expect.objectContaining({ a: { name: 'w', element: 0 }, b: { name: 'w', element: rows * 50 } }),
  ]);
});

test('a row of zeros before them hides nothing', async () => {
  const data = random('a', 100 * 10);
  data.fill(0, 0, 100);
  const found = await find({ a: { data, shape: [10, 100] }, b: { data, shape: [10, 100] } });
  expect(found).toMatchObject([{ a: { name: 'a' }, b: { name: 'b' } }]);
});

test('equal by chance: constants, few values, few elements', async () => {
  const coarse = Float32Array.from(random('a', 200), (value) => (value > 0 ? 1 : 0.996));
  expect(
    await find({
      zeros: { data: new Float32Array(500) },
      zeros2: { data: new Float32Array(500) },
      coarse: { data: coarse },
      coarse2: { data: coarse },
      tiny: { data: random('t', 15) },
      tiny2: { data: random('t', 15) },
    }),
  ).toEqual([]);
});

test('a structure of its own may repeat in itself, but not be equal to another as a whole', async () => {
  const half = random('half', 640);
  const block = Float32Array.from({ length: 1280 }, (_, index) => half[index % 640]!);
  const almost = block.slice();
  almost[300]! += 1;
  const shape = [20, 64];
  const repeats = 'whole' as const;
  expect(await find({ a: { data: block, shape, repeats } })).toEqual([]);
  expect(
    await find({ a: { data: block, shape, repeats }, b: { data: block, shape, repeats } }),
  ).toMatchObject([{ whole: true }]);
});

test('what is expected to be equal is left out', async () => {
  const data = random('a', 100);
  const asked: Duplicate[] = [];
  const expected = (duplicate: Duplicate): boolean => asked.push(duplicate) > 0;
  expect(await find({ a: { data }, b: { data } }, expected)).toEqual([]);
  expect(asked).toMatchObject([{ whole: true, elements: 100 }]);
});

test('16-bit values, which are few, still tell tensors apart', async () => {
  const fill = (name: string) =>
    fillSync(name, [4000], normal({ std: 0.02 }), { seed: 1, dtype: 'bfloat16' });
  const path = join(dir, 'half.safetensors');
  const names = Array.from({ length: 200 }, (_, index) => `t${index}`);
  writeSafetensors(
    path,
    names.map((name) => ({ name, dtype: 'BF16', shape: [4000], data: fill(name).data })),
  );
  const checkpoint = await openCheckpoint(path);
  const candidates = checkpoint.tensors.map((tensor) => ({ tensor, repeats: 'anywhere' as const }));
  expect(await findDuplicates(checkpoint, candidates, async () => false)).toEqual([]);
  const reason = new Error('stop');
  const stopped = findDuplicates(checkpoint, candidates, async () => false, AbortSignal.abort(reason));
  await expect(stopped).rejects.toBe(reason);
  await checkpoint.close();
});
