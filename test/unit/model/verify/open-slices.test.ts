import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeCheckpoint } from '../../../../src/index.js';
import { openCheckpoint } from '../../../../src/model/verify/open-checkpoint.js';
import { type TestTensor, writeSafetensors } from '../../../helpers/safetensors.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-slices-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let made = 0;

/** Writes a directory of slices: one file for each list of tensors with their offsets. */
function write(files: readonly (readonly (TestTensor & { offsets?: unknown })[])[], info?: string): string {
  const path = join(dir, String(made++));
  mkdirSync(path);
  for (const [index, tensors] of files.entries()) {
    const offsets = tensors.map(({ name, offsets }) => [name, { saved_offsets: offsets }] as const);
    const file = `shard-0000${index + 1}-model-00001-of-00001.safetensors`;
    writeSafetensors(join(path, file), tensors, {
      seed: '1',
      shard: String(index),
      ...(info === '' ? {} : { DCP_SHARDING_INFO: info ?? JSON.stringify(Object.fromEntries(offsets)) }),
    });
  }
  return path;
}

const rows = (name: string, from: number, count: number, offsets: unknown = [from, 0]) => ({
  name,
  dtype: 'I32' as const,
  shape: [count, 3],
  data: Int32Array.from({ length: count * 3 }, (_, index) => from * 3 + index),
  offsets,
});

async function read(path: string, name: string, bufferBytes: number, part?: readonly [number, number]) {
  const checkpoint = await openCheckpoint(path);
  const tensor = checkpoint.tensors.find((entry) => entry.name === name)!;
  const bytes: number[] = [];
  const [begin, end] = part ?? [tensor.begin, tensor.end];
  for await (const piece of checkpoint.chunks({ ...tensor, begin, end }, new Uint8Array(bufferBytes)))
    bytes.push(...piece);
  await checkpoint.close();
  return [...new Int32Array(Uint8Array.from(bytes).buffer)];
}

test.runIf(process.platform === 'linux')('takes no descriptor for each file', async () => {
  const path = write(Array.from({ length: 9 }, (_, index) => [rows('w', 2 * index, 2)]));
  const open = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
      } catch {
        return false; // that of the listing itself
      }
    }).length;
  const checkpoint = await openCheckpoint(path);
  expect(open()).toBe(0);
  for await (const _ of checkpoint.chunks(checkpoint.tensors[0]!, new Uint8Array(64)));
  expect(open()).toBeLessThan(9);
  await checkpoint.close();
  expect(open()).toBe(0);
});

test('slices are put together, in any order and pieces', async () => {
  const scalar = { name: 's', dtype: 'I32' as const, shape: [], data: Int32Array.of(7), offsets: [] };
  const path = write([[rows('w', 4, 2), scalar], [rows('w', 0, 4)], [rows('w', 6, 1)]]);
  const checkpoint = await openCheckpoint(path);
  expect(checkpoint.tensors).toMatchObject([
    { name: 's', shape: [], elements: 1 },
    { name: 'w', shape: [7, 3], elements: 21, begin: 0, end: 84 },
  ]);
  expect(checkpoint.files).toBe(3);
  expect([...checkpoint.metadata]).toEqual([['seed', '1']]);
  await checkpoint.close();
  const whole = Array.from({ length: 21 }, (_, index) => index);
  for (const size of [8, 40, 80, 1000]) expect(await read(path, 'w', size)).toEqual(whole);
  expect(await read(path, 'w', 1000, [44, 76])).toEqual(whole.slice(11, 19));
  expect(await read(path, 's', 8)).toEqual([7]);
});

test('what writeCheckpoint writes as slices is what it writes whole', async () => {
  const plan = { tensors: [{ name: 'w', shape: [5, 3], init: { kind: 'normal', std: 1 } }] };
  const [sliced, whole] = [join(dir, 'sliced/'), join(dir, 'whole.safetensors')];
  for (const rank of [0, 1]) await writeCheckpoint(plan, sliced, { seed: 1, rank, world: 2, slices: true });
  await writeCheckpoint(plan, whole, { seed: 1 });
  expect(await read(sliced, 'w', 1000)).toEqual(await read(whole, 'w', 1000));
});

test.each([
  ['a missing first slice', [[rows('w', 2, 2)]], 'rows 0 to 2 are missing'],
  ['a hole', [[rows('w', 0, 1)], [rows('w', 2, 2)]], 'rows 1 to 2 are missing'],
  ['an overlap', [[rows('w', 0, 3)], [rows('w', 2, 2)]], 'missing or overlap'],
  ['another axis', [[rows('w', 0, 2, [0, 1])]], 'another axis'],
  ['too few offsets', [[rows('w', 0, 2, [0])]], 'does not say where "w" belongs'],
  ['odd offsets', [[rows('w', 0, 2, [0.5, 0])]], 'does not say where "w" belongs'],
  ['no offsets', [[rows('w', 0, 2, null)]], 'does not say where "w" belongs'],
  ['another width', [[rows('w', 0, 2)], [{ ...rows('w', 2, 3), shape: [9, 1] }]], 'do not fit together'],
])('%s', async (_, files, message) => {
  await expect(openCheckpoint(write(files))).rejects.toMatchObject({
    code: 'FORMAT_ERROR',
    message: expect.stringContaining(message),
  });
});

test.each([
  ['', 'no DCP_SHARDING_INFO'],
  ['{', 'DCP_SHARDING_INFO is not valid'],
  ['[]', 'does not say where "w" belongs'],
  ['{"__proto__":{"saved_offsets":[0,0]}}', 'does not say where "w" belongs'],
])('DCP_SHARDING_INFO %j', async (info, message) => {
  await expect(openCheckpoint(write([[rows('w', 0, 1)]], info))).rejects.toMatchObject({
    code: 'FORMAT_ERROR',
    message: expect.stringContaining(message),
  });
});
