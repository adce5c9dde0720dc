import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCheckpoint } from '../../../../src/model/checkpoint/checkpoint.js';
import { finalizeCheckpoint } from '../../../../src/model/checkpoint/finalize.js';
import { parsePlan, withFiles } from '../../../../src/model/plan/plan.js';
import { contents, MODEL } from '../../../helpers/directory.js';

let dir: string;
let out: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-finalize-'));
  out = join(dir, 'model');
});
afterEach(() => rmSync(dir, { recursive: true }));

const INDEX = 'model.safetensors.index.json';
const PLAN = withFiles(parsePlan(MODEL), [{ name: 'config.json', bytes: Buffer.from('{"a":1}') }]);
const write = (options: object = {}, path = out): Promise<unknown> =>
  writeCheckpoint(PLAN, path, { seed: 1, maxShardSize: 2000, ...options });
const problem = (directory = out): Promise<unknown> =>
  finalizeCheckpoint(directory).then(
    () => 'none',
    (error) => {
      expect(error.code).toBe('CHECKPOINT_ERROR');
      return error.message;
    },
  );
const shard = (number: number): string => join(out, `model-0000${number}-of-00007.safetensors`);

test('is idempotent, and makes the index that one process makes', async () => {
  await write();
  const before = contents(out);
  const index = readFileSync(join(out, INDEX), 'utf8');
  rmSync(join(out, INDEX));
  const summary = await finalizeCheckpoint(`${out}/`);
  expect(await finalizeCheckpoint(out)).toEqual(summary);
  expect(contents(out)).toEqual(before);
  expect(summary).toMatchObject({
    path: out,
    shards: 7,
    tensors: PLAN.tensors.length,
    parameters: JSON.parse(index).metadata.total_parameters,
  });
});

test('counters are no parameters', async () => {
  const tensors = [
    { name: 'w', shape: [10], init: { kind: 'normal', std: 1 } },
    { name: 'n', shape: [3], init: { kind: 'zeros' }, dtype: 'int64' },
  ];
  await writeCheckpoint({ tensors }, out, { seed: 1, maxShardSize: 40 });
  const { metadata } = JSON.parse(readFileSync(join(out, INDEX), 'utf8'));
  expect(metadata).toEqual({ total_parameters: 10, total_size: 64 });
});

describe('a directory that is not complete', () => {
  test('every missing rank is named', async () => {
    await write({ rank: 1, world: 3 });
    const message = await problem();
    for (const number of [1, 3, 4, 6, 7])
      expect(message).toContain(`model-0000${number}-of-00007.safetensors is missing`);
    for (const number of [2, 5]) expect(message).not.toContain(`model-0000${number}-of`);
    expect(message).toContain('config.json is missing');
    expect(message).toContain('let the processes that make them run again');
    expect(() => readFileSync(join(out, INDEX))).toThrow();
  });

  test.each<[string, () => void, RegExp]>([
    [
      'longer',
      () => appendFileSync(shard(2), 'x'),
      /model-00002-of-00007.safetensors has \d+ bytes and not \d+/,
    ],
    ['foreign', () => swap(shard(2)), /model-00002-of-00007.safetensors is of another checkpoint/],
    [
      'no safetensors file',
      () => zero(shard(3)),
      /model-00003-of-00007.safetensors is of another checkpoint/,
    ],
    [
      'another config',
      () => writeFileSync(join(out, 'config.json'), '{"a":2}'),
      /config.json is not the one/,
    ],
    ['no plan', () => rmSync(join(out, 'isometry-plan.json')), /isometry-plan.json is missing/],
  ])('a file is %s', async (_, act, message) => {
    await write();
    rmSync(join(out, INDEX));
    act();
    expect(await problem()).toMatch(message);
    expect(() => readFileSync(join(out, INDEX))).toThrow();
  });

  test('long lists are cut', async () => {
    const tensors = Array.from({ length: 40 }, (_, i) => ({
      name: `t${i}`,
      shape: [9],
      init: { kind: 'ones' },
    }));
    await writeCheckpoint({ tensors }, out, { seed: 1, maxShardSize: 1, rank: 0, world: 40 });
    const message = await problem();
    expect(message).toMatch(/ and 19 more; let/);
  });
});

/** Another seed of as many digits: the same size. */
function swap(path: string): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf('"seed":"1"');
  expect(at).toBeGreaterThan(0);
  bytes.write('"seed":"2"', at);
  writeFileSync(path, bytes);
}

function zero(path: string): void {
  writeFileSync(path, Buffer.alloc(readFileSync(path).length, 255));
}

test('what an earlier checkpoint left goes, other files stay', async () => {
  await write();
  const before = contents(out);
  for (const name of [
    'model-00001-of-00003.safetensors',
    'model.safetensors',
    'shard-00001-model-00001-of-00001.safetensors',
  ])
    writeFileSync(join(out, name), 'x');
  writeFileSync(join(out, 'adapter.safetensors'), 'x');
  await finalizeCheckpoint(out);
  const { 'adapter.safetensors': kept, ...rest } = contents(out);
  expect(kept).toBeDefined();
  expect(rest).toEqual(before);
});

test('no directory, no manifest, no text, an abort', async () => {
  expect(await problem(join(dir, 'none'))).toMatch(/expected isometry.json in .*none, but there is none/);
  mkdirSync(out);
  expect(await problem()).toMatch(/there is none/);
  for (const path of ['', 'a\0b', 3, undefined]) {
    await expect(finalizeCheckpoint(path as string)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  await expect(finalizeCheckpoint(out, { sginal: 1 } as object)).rejects.toMatchObject({
    code: 'UNKNOWN_OPTION',
  });
  await write();
  const reason = new Error('stop');
  await expect(finalizeCheckpoint(out, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
});
