import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fillSync } from '../../../../src/fill.js';
import { normal } from '../../../../src/initializers/index.js';
import { writeCheckpoint } from '../../../../src/model/checkpoint/checkpoint.js';
import type { CheckpointProgress } from '../../../../src/model/checkpoint/progress.js';
import { parsePlan, withFiles } from '../../../../src/model/plan/plan.js';

let dir: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-format-'));
  out = join(dir, 'model');
});
afterEach(() => rmSync(dir, { recursive: true }));

const PLAN = withFiles(
  parsePlan({
    tensors: [
      { name: 'b', shape: [3], init: { kind: 'zeros' } },
      { name: 'a', shape: [500, 7], init: { kind: 'normal', std: 1 } },
    ],
  }),
  [{ name: 'config.json', bytes: Buffer.from('{}') }],
);

test('npy: a file for each tensor, and what lies beside them', async () => {
  const seen: CheckpointProgress[] = [];
  const onProgress = (progress: CheckpointProgress): void => void seen.push(progress);
  const summary = await writeCheckpoint(PLAN, out, { seed: 1, format: 'npy', onProgress });
  expect(readdirSync(out).sort()).toEqual(['a.npy', 'b.npy', 'config.json']);
  expect(summary).toMatchObject({ path: out, tensors: 2, parameters: 3503, complete: true });
  expect(summary.shards.map(({ file, tensors, state }) => [file, tensors, state])).toEqual([
    ['b.npy', 1, 'written'],
    ['a.npy', 1, 'written'],
  ]);
  expect(summary.bytes).toBe(statSync(join(out, 'a.npy')).size + statSync(join(out, 'b.npy')).size);
  const { data } = fillSync('a', [500, 7], normal({ std: 1 }), { seed: 1 });
  expect(readFileSync(join(out, 'a.npy')).subarray(-14_000).equals(Buffer.from(data.buffer))).toBe(true);
  expect(seen.at(-1)).toMatchObject({ bytesDone: 14_012, bytesTotal: 14_012, shardsDone: 1, tensorsDone: 2 });
});

test('npz: one file', async () => {
  const path = join(dir, 'model.npz');
  const summary = await writeCheckpoint(PLAN, path, { seed: 1, format: 'npz' });
  expect(readdirSync(dir)).toEqual(['model.npz']);
  expect(summary.shards).toEqual([
    { file: 'model.npz', bytes: statSync(path).size, tensors: 2, rank: 0, state: 'written' },
  ]);
  await expect(writeCheckpoint(PLAN, `${out}/`, { seed: 1, format: 'npz' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  });
});

test('tfjs: model.json and its files', async () => {
  const summary = await writeCheckpoint(PLAN, `${out}/`, { seed: 1, format: 'tfjs' });
  expect(readdirSync(out).sort()).toEqual(['config.json', 'group1-shard1of1.bin', 'model.json']);
  expect(summary.shards.map(({ tensors }) => tensors)).toEqual([0, 0]);
});

test("another model's config.json is not replaced without being asked for", async () => {
  await writeCheckpoint(PLAN, out, { seed: 1, format: 'npy' });
  writeFileSync(join(out, 'config.json'), '{"a":1}');
  await expect(writeCheckpoint(PLAN, out, { seed: 1, format: 'npy' })).rejects.toMatchObject({
    code: 'CHECKPOINT_ERROR',
  });
  await writeCheckpoint(PLAN, out, { seed: 1, format: 'npy', overwrite: true });
  expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe('{}');
});

test('what the format cannot hold is found before anything is written', async () => {
  const options = { seed: 1, format: 'npy', dtype: 'bfloat16' } as const;
  await expect(writeCheckpoint(PLAN, out, options)).rejects.toMatchObject({ code: 'INVALID_DTYPE' });
  expect(existsSync(out)).toBe(false);
});
