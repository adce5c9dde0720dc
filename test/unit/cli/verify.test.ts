import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from '../../../src/cli/verify.js';
import { writeCheckpoint } from '../../../src/index.js';
import { capture } from '../../helpers/capture.js';
import { writeSafetensors } from '../../helpers/safetensors.js';

const PLAN = {
  tensors: [
    { name: 'w', shape: [64, 64], init: { kind: 'normal', std: 1 } },
    { name: 'q\n', shape: [64, 64], init: { kind: 'orthogonal' } },
  ],
};

let dir: string;
let model: string;
let file: string;
let plan: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-cli-verify-'));
  model = join(dir, 'model/');
  file = join(dir, 'model.safetensors');
  plan = join(dir, 'plan.json');
  writeFileSync(plan, JSON.stringify(PLAN));
  await writeCheckpoint(PLAN, model, { seed: 1, maxShardSize: 20_000 });
  await writeCheckpoint(PLAN, file, { seed: 1 });
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (path: string, options: object = {}) =>
  capture((signal) => verify(path, { device: 'auto', ...options }, signal));

test('a directory that records what it was made from', async () => {
  const { code, stdout } = await run(model);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^2 tensors, 8,192 parameters, 3\d\.\d kB in 2 files$/m);
  expect(stdout).toMatch(/^seed 1, the plan recorded with it: 32\.8 kB of 2 tensors computed again, in /m);
  expect(stdout).toMatch(/all is as it should be\n$/);
});

test('a file, with the plan it was made from', async () => {
  expect((await run(file, { plan })).stdout).toContain('seed 1, the plan that was given: ');
  expect((await run(file)).stdout).toContain('no plan is recorded and none was given');
});

test('problems are a list and exit code 1, names escaped', async () => {
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  const bad = join(dir, 'bad.safetensors');
  writeFileSync(bad, bytes);
  const { code, stdout } = await run(bad, { plan, seed: 2n });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^origin: its metadata says that it was made with seed 1, not 2$/m);
  expect(stdout).toMatch(/^q\\u\{a\}: values: 4096 of 4096 elements/m);
  expect(stdout).toMatch(/^3 problems$/m);
  const json = (await run(bad, { plan, json: true })).records();
  expect(json).toEqual([
    { type: 'problem', kind: 'values', tensor: 'w', message: expect.stringContaining('1 of 4096') },
    expect.objectContaining({ type: 'summary', ok: false, problems: 1, skipped: 0, seed: '1' }),
  ]);
});

test('what is not compared is told', async () => {
  const huge = { tensors: [{ name: 'huge', shape: [4000, 4000], init: { kind: 'orthogonal' } }] };
  const [path, source] = [join(dir, 'huge.safetensors'), join(dir, 'huge.json')];
  writeFileSync(source, JSON.stringify(huge));
  writeSafetensors(path, [
    { name: 'huge', dtype: 'F32', shape: [4000, 4000], data: new Uint8Array(4 * 4000 ** 2) },
  ]);
  const options = { plan: source, seed: 1n };
  const { code, stdout } = await run(path, options);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^1 tensors of matrices were not computed again, .*--all does: huge$/m);
  const lines = (await run(path, { ...options, json: true })).records();
  expect(lines[0]).toMatchObject({ type: 'skipped', tensor: 'huge' });
});
