import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TargetOptions, targetOf } from '../../../src/cli/target.js';
import type { Plan } from '../../../src/index.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-target-'));
  mkdirSync(join(dir, 'there'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const PLAN: Plan = { tensors: [] };
const CONFIG: Plan = { tensors: [], files: [] };

const target = (out: string, options: Partial<TargetOptions> = {}, plan = PLAN) =>
  targetOf(plan, { out: join(dir, out), ...options });
const file = (out: string, format?: string) => ({
  path: join(dir, out),
  directory: false,
  ...(format === undefined ? {} : { format }),
});
const directory = (out: string, format?: string) => ({ ...file(`${out}/`, format), directory: true });

test('what the path says', async () => {
  for (const plan of [PLAN, CONFIG]) {
    expect(await target('m.safetensors', {}, plan)).toEqual(file('m.safetensors'));
    expect(await target('m.npz', {}, plan)).toEqual(file('m.npz', 'npz'));
    expect(await target('new/', {}, plan)).toEqual(directory('new'));
    expect(await target('there', {}, plan)).toEqual(directory('there'));
  }
});

test('else what the source is', async () => {
  expect(await target('m')).toEqual(file('m'));
  expect(await target('m', {}, CONFIG)).toEqual(directory('m'));
  for (const plan of [PLAN, CONFIG])
    expect(await target('m', { like: 'model.safetensors' }, plan)).toEqual(file('m'));
  expect(await target('m', { like: 'model.safetensors.index.json' })).toEqual(directory('m'));
  expect(await target('m', { like: dir })).toEqual(directory('m'));
});

test('else what the options need', async () => {
  for (const options of [{ rank: 0, world: 2 }, { world: 2 }, { slices: true }, { maxShardSize: 1 }] as const)
    expect(await target('m', options)).toEqual(directory('m'));
  expect(await target('m', { format: 'npy' })).toEqual(directory('m', 'npy'));
  expect(await target('m', { format: 'tfjs' })).toEqual(directory('m', 'tfjs'));
  expect(await target('m', { format: 'npz' }, CONFIG)).toEqual(file('m', 'npz'));
});

test.each([
  [{ rank: 0, world: 2 }, '--rank'],
  [{ world: 2 }, '--world'],
  [{ slices: true }, '--slices'],
  [{ maxShardSize: 1 }, '--max-shard-size'],
  [{ format: 'npy' }, '--format npy'],
] as [Partial<TargetOptions>, string][])('a file with %j', async (options, flag) => {
  await expect(target('m.safetensors', options)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(`expected a directory for --out with ${flag} but received the file`),
  });
});
