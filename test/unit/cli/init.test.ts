import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { finalize } from '../../../src/cli/finalize.js';
import { type InitOptions, init } from '../../../src/cli/init.js';
import { verify } from '../../../src/cli/verify.js';
import { diffCheckpoints } from '../../../src/index.js';
import { capture } from '../../helpers/capture.js';

let dir: string;
let config: string;
let plan: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-cli-init-'));
  config = join(dir, 'gpt2');
  const model = { model_type: 'gpt2', n_layer: 2, n_embd: 16, n_head: 2, vocab_size: 50, n_positions: 20 };
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), JSON.stringify(model));
  writeFileSync(join(config, 'tokenizer.json'), '{}');
  plan = join(dir, 'plan.json');
  writeFileSync(
    plan,
    JSON.stringify({ tensors: [{ name: 'w', shape: [4, 4], init: { kind: 'normal', std: 1 } }] }),
  );
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const LAUNCHERS = ['RANK', 'WORLD_SIZE', 'SLURM_PROCID', 'SLURM_NTASKS', 'JOB_COMPLETION_INDEX'];

const run = (source: string, options: Partial<InitOptions>) => {
  for (const name of LAUNCHERS) if (!(name in process.env)) vi.stubEnv(name, '');
  return capture((signal) => init(source, { out: '', seed: 42n, device: 'auto', ...options }, signal));
};

/** Names and bytes of all files. */
const contents = (path: string): [string, string][] =>
  readdirSync(path)
    .sort()
    .map((name) => [name, readFileSync(join(path, name), 'latin1')]);

describe('a config.json', () => {
  test('makes a directory, with what lies beside it', async () => {
    const out = join(dir, 'model');
    const { code, stdout, stderr } = await run(config, { out });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readdirSync(out).sort()).toEqual([
      'config.json',
      'isometry-plan.json',
      'isometry.json',
      'model.safetensors',
      'tokenizer.json',
    ]);
    expect(stdout).toMatch(/model: 28 tensors, 7,\d{3} parameters, \d+\.\d kB\n.*backend/);
    expect((await capture((signal) => verify(out, { device: 'auto' }, signal))).code).toBe(0);
  });

  test('or a file, where it is called one', async () => {
    const out = join(dir, 'model.safetensors');
    expect((await run(join(config, 'config.json'), { out })).code).toBe(0);
    expect(readFileSync(out).length).toBeGreaterThan(1000);
  });

  test('in shards, which are kept the second time', async () => {
    const out = join(dir, 'sharded/');
    const first = await run(config, { out, maxShardSize: 10_000 });
    expect(first.stdout).toMatch(/^(\d+) of \1 shards written$/m);
    const again = await run(config, { out, maxShardSize: 10_000 });
    expect(again.stdout).toMatch(/^0 of (\d+) shards written, \1 were there already$/m);
    expect(existsSync(join(out, 'model.safetensors.index.json'))).toBe(true);
  });

  test('another model in the directory is refused, unless it may be replaced', async () => {
    const out = join(dir, 'other/');
    await run(config, { out });
    await expect(run(config, { out, seed: 43n })).rejects.toMatchObject({ code: 'CHECKPOINT_ERROR' });
    expect((await run(config, { out, seed: 43n, overwrite: true })).code).toBe(0);
  });

  test('a recipe and its options reach the plan', async () => {
    await expect(run(config, { out: join(dir, 'r'), recipe: 'nothing' })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('recipe'),
    });
  });
});

describe('several processes', () => {
  test('ranks and finalize make the directory that one process makes', async () => {
    const [many, one] = [join(dir, 'many/'), join(dir, 'one/')];
    const options = { out: many, maxShardSize: 10_000, world: 3 };
    for (const rank of [2, 0, 1]) {
      const { stdout } = await run(config, { ...options, rank });
      expect(stdout).toContain(`rank ${rank} of 3, from the options`);
      expect(stdout).toMatch(/shards written, \d are other ranks'/);
      expect(stdout).toContain(`when all ranks are done: isometry finalize ${many}`);
    }
    expect(existsSync(join(many, 'model.safetensors.index.json'))).toBe(false);
    const done = await capture((signal) => finalize(many, {}, signal));
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(/many\/: complete, \d+ shards, 28 tensors, 7,\d{3} parameters, /);
    const json = await capture((signal) => finalize(many, { json: true }, signal));
    expect(json.records()).toEqual([
      expect.objectContaining({ type: 'summary', tensors: 28, shards: expect.any(Number) }),
    ]);
    await run(config, { out: one, maxShardSize: 10_000 });
    expect(contents(many)).toEqual(contents(one));
  });

  test('the rank comes from the launcher, and is told', async () => {
    vi.stubEnv('RANK', '1');
    vi.stubEnv('WORLD_SIZE', '2');
    const { records } = await run(config, { out: join(dir, 'launched/'), maxShardSize: 10_000, json: true });
    expect(records()[0]).toEqual({ type: 'rank', rank: 1, world: 2, from: 'torchrun (RANK, WORLD_SIZE)' });
    const summary = records().at(-1)!;
    expect(summary).toMatchObject({ type: 'summary', complete: false });
    const shards = summary['shards'] as { rank: number; state: string }[];
    for (const { rank, state } of shards) expect(state).toBe(rank === 1 ? 'written' : 'left');
  });

  test('half of what a launcher sets is an error for a directory, and nothing to a file', async () => {
    vi.stubEnv('RANK', '1');
    await expect(run(config, { out: join(dir, 'half/') })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    expect(existsSync(join(dir, 'half'))).toBe(false);
    expect((await run(plan, { out: join(dir, 'half.safetensors') })).code).toBe(0);
  });

  test('finalize names the shards that are missing', async () => {
    const out = join(dir, 'unfinished/');
    await run(config, { out, maxShardSize: 10_000, rank: 0, world: 2 });
    await expect(capture((signal) => finalize(out, {}, signal))).rejects.toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringContaining('model-00002-of-'),
    });
  });
});

test('records: progress, one for each shard, summary', async () => {
  const { records } = await run(config, { out: join(dir, 'records/'), maxShardSize: 10_000, json: true });
  const lines = records();
  const shards = lines.filter(({ type }) => type === 'shard');
  const summary = lines.at(-1)!;
  expect(summary).toMatchObject({ type: 'summary', seed: '42', complete: true, tensors: 28 });
  expect(shards.map(({ file }) => file).sort()).toEqual(
    (summary['shards'] as { file: string }[]).map(({ file }) => file),
  );
  expect(shards.map(({ shardsDone }) => shardsDone)).toEqual(shards.map((_, index) => index + 1));
  expect(lines.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
    tensorsDone: 28,
    shardsDone: shards.length,
  });
});

test('other formats: a file by its name, directories by --format', async () => {
  const [npz, npy] = [join(dir, 'w.npz'), join(dir, 'npy')];
  expect((await run(plan, { out: npz })).code).toBe(0);
  expect(readFileSync(npz).subarray(0, 2).toString()).toBe('PK');
  expect((await run(plan, { out: npy, format: 'npy' })).code).toBe(0);
  expect(readdirSync(npy)).toContain('w.npy');
});

test('a checkpoint like another: some tensors anew, the others copied', async () => {
  const [first, second] = [join(dir, 'like.safetensors'), join(dir, 'liked.safetensors')];
  await run(config, { out: first });
  const { code, stdout } = await run(config, {
    out: second,
    like: first,
    only: ['transformer.h.0.**'],
    seed: 9n,
  });
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('28 tensors') });
  const { changed, onlyInA } = await diffCheckpoints(first, second);
  expect(onlyInA).toEqual([]);
  expect(changed.length).toBeGreaterThan(0);
  for (const { name } of changed) expect(name).toMatch(/^transformer\.h\.0\..*weight$/);
});

test('the plan is not overwritten', async () => {
  await expect(run(plan, { out: plan })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(
      /^--out is the plan or configuration itself, .*plan\.json, which would be/,
    ),
  });
  const model = join(dir, 'own');
  mkdirSync(model);
  writeFileSync(join(model, 'config.json'), readFileSync(join(config, 'config.json')));
  for (const source of [model, join(model, 'config.json')])
    await expect(run(source, { out: join(model, 'config.json') })).rejects.toThrow(/configuration itself/);
});

test('a launcher’s half a word, and its word, where one process writes the format', async () => {
  vi.stubEnv('JOB_COMPLETION_INDEX', '0');
  const out = join(dir, 'pod/');
  await expect(run(plan, { out })).rejects.toThrow(/give rank 0 and world 1/);
  expect((await run(plan, { out, format: 'npy' })).code).toBe(0);
  vi.stubEnv('RANK', '1');
  vi.stubEnv('WORLD_SIZE', '2');
  await expect(run(plan, { out, format: 'npy' })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message:
      'expected one process for format npy but this is rank 1 of 2, from torchrun (RANK, WORLD_SIZE); start one process, or write safetensors',
  });
});
