import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspect } from '../../../src/cli/inspect.js';
import { planFrom, writeCheckpoint } from '../../../src/index.js';
import { capture } from '../../helpers/capture.js';

const CONFIG = { model_type: 'gpt2', n_layer: 2, n_embd: 16, n_head: 2, vocab_size: 50, n_positions: 20 };

let dir: string;
let model: string;
let config: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-inspect-'));
  model = join(dir, 'model/');
  config = join(dir, 'config');
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), JSON.stringify(CONFIG));
  await writeCheckpoint(await planFrom(CONFIG), model, { seed: 1, maxShardSize: 10_000 });
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (path: string, options: object = {}) => capture((signal) => inspect(path, options, signal));

test('a sharded model, against the configuration it was made from', async () => {
  for (const path of [model, join(model, 'model.safetensors.index.json')]) {
    const { code, stdout } = await run(path, { plan: config });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^28 tensors, 7,712 parameters, \d\d\.\d kB in \d files$/m);
    expect(stdout).toContain('every tensor follows its law');
  }
});

test('each tensor says which file it is in', async () => {
  const lines = (await run(model, { json: true })).records();
  const files = new Set(lines.slice(0, -1).map(({ file }) => file));
  expect(files.size).toBe(lines.at(-1)!['files']);
  expect([...files].every((file) => String(file).startsWith(model))).toBe(true);
});

test('integers have no moments, and their dtype is held against the plan', async () => {
  const tensors = [{ name: 'n', shape: [2], dtype: 'int64', init: { kind: 'ones' } }];
  const [file, plan, other] = ['n.safetensors', 'n.json', 'o.json'].map((name) => join(dir, name));
  writeFileSync(plan!, JSON.stringify({ tensors }));
  writeFileSync(other!, JSON.stringify({ tensors: [{ ...tensors[0], dtype: 'int32' }] }));
  await writeCheckpoint({ tensors }, file!, { seed: 1 });
  const { code, stdout } = await run(file!, { plan });
  expect({ code, line: stdout.split('\n')[1] }).toEqual({
    code: 0,
    line: expect.stringMatching(/^n +I64 +\[2\] +- +-/),
  });
  expect(await run(file!, { plan: other })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('the plan has int32'),
  });
});
