import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { plan } from '../../../src/cli/plan.js';
import { parsePlan } from '../../../src/index.js';
import { planHash } from '../../../src/model/plan/plan-hash.js';
import { capture } from '../../helpers/capture.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-plan-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let made = 0;
function write(tree: object): string {
  const path = join(dir, `${made++}.json`);
  writeFileSync(path, JSON.stringify(tree));
  return path;
}

const PLAN = {
  dtype: 'bfloat16',
  tensors: [
    { name: 'w', shape: [100, 50], init: { kind: 'normal', std: 0.02 } },
    { name: 'b\u001b[2J', shape: [100], init: { kind: 'zeros' }, dtype: 'float32' },
    { name: 'q', shape: [64, 64], init: { kind: 'orthogonal' } },
  ],
};

const GPT2 = { model_type: 'gpt2', n_layer: 1, n_embd: 8, n_head: 2, vocab_size: 50, n_positions: 20 };

test('a table for people: names, shapes, laws, std, dtypes, shards, bytes', async () => {
  const { code, stdout } = await capture((signal) => plan(write(PLAN), { maxShardSize: 10_400 }, signal));
  expect(code).toBe(0);
  expect(stdout.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    'tensor | shape | law | std | dtype | shard | bytes',
    'w | [100, 50] | normal | 0.02 | BF16 | 1 of 2 | 10,000',
    'b\\u{1b}[2J | [100] | zeros | 0 | F32 | 1 of 2 | 400',
    'q | [64, 64] | orthogonal (gain 1, method reflections) | 0.125 | BF16 | 2 of 2 | 8,192',
    '',
    '3 tensors, 9,196 parameters, 18.6 kB in 2 shards',
    '',
  ]);
});

test('records for programs, and --dtype', async () => {
  const { code, records } = await capture((signal) =>
    plan(write(PLAN), { json: true, dtype: 'float64' }, signal),
  );
  expect(code).toBe(0);
  expect(records()).toEqual([
    {
      type: 'tensor',
      name: 'w',
      shape: [100, 50],
      dtype: 'F64',
      bytes: 40_000,
      init: { kind: 'normal', mean: 0, std: 0.02 },
      law: 'normal',
      mean: 0,
      std: 0.02,
      rule: null,
      copyOf: null,
      shard: 'model.safetensors',
    },
    expect.objectContaining({ name: 'b\u001b[2J', dtype: 'F32', std: 0 }),
    expect.objectContaining({ name: 'q', dtype: 'F64' }),
    {
      type: 'summary',
      tensors: 3,
      parameters: 9196,
      bytes: 40_000 + 400 + 32_768,
      shards: 1,
      ties: 0,
      warnings: 0,
      files: [],
      plan_sha256: planHash(parsePlan(PLAN)),
    },
  ]);
});

test('a config.json, its ties and what is copied beside it', async () => {
  const directory = mkdtempSync(join(dir, 'config-'));
  writeFileSync(join(directory, 'config.json'), JSON.stringify(GPT2));
  const { stdout } = await capture((signal) => plan(directory, {}, signal));
  expect(stdout).toMatch(/^transformer\.h\.0\.attn\.c_attn\.weight +\[8, 24\] +normal +0\.02 +F32/m);
  expect(stdout).toContain('tied: lm_head.weight is transformer.wte.weight, and is not stored');
  expect(stdout).toContain('copied beside them: config.json');
});

test('--out writes a plan that init takes, and nothing half', async () => {
  const out = join(dir, 'out.json');
  const { code, stdout } = await capture((signal) => plan(write(PLAN), { out }, signal));
  expect(code).toBe(0);
  expect(stdout).toMatch(/^[^\n]*out\.json: the plan\n3 tensors/);
  expect(stdout).not.toContain('orthogonal');
  expect(planHash(parsePlan(readFileSync(out, 'utf8')))).toBe(planHash(parsePlan(PLAN)));
  const nowhere = join(dir, 'no', 'where.json');
  await expect(plan(write(PLAN), { out: nowhere }, new AbortController().signal)).rejects.toMatchObject({
    code: 'IO_ERROR',
  });
});

test('--out is none of the files that are read', async () => {
  const directory = mkdtempSync(join(dir, 'read-'));
  const config = join(directory, 'config.json');
  writeFileSync(config, JSON.stringify(GPT2));
  const before = readFileSync(config, 'utf8');
  for (const [source, options] of [
    [config, { out: config }],
    [directory, { out: config }],
    [write(GPT2), { out: config, base: config, recipe: 'mup' }],
  ] as const) {
    await expect(plan(source, options, new AbortController().signal)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(
        /^--out is the (plan or configuration|base) itself, .* would be overwritten/,
      ),
    });
    expect(readFileSync(config, 'utf8')).toBe(before);
  }
});

test('options of a recipe are checked', async () => {
  const config = write({ ...GPT2 });
  const run = (options: object) => plan(config, options, new AbortController().signal);
  await expect(run({ recipe: 'nothing' })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  await expect(run({ set: new Map([['std', 1]]) })).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
  await expect(run({ set: new Map([['__proto__', 1]]) })).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' });
});

test('a plan of many tensors is told row by row', async () => {
  const tensors = Array.from({ length: 3000 }, (_, index) => ({ name: `w.${index}`, shape: [2] }));
  const path = write({ rules: [{ match: '**', init: { kind: 'zeros' } }], tensors });
  const writes: number[] = [];
  const { stdout } = await capture(async (signal) => {
    const seen = setInterval(() => writes.push(vi.mocked(process.stdout.write).mock.calls.length), 0);
    const code = await plan(path, {}, signal);
    clearInterval(seen);
    return code;
  });
  expect(stdout.split('\n')).toHaveLength(3004);
  expect(stdout).toMatch(/^w\.2999 +\[2\] +zeros +0 +F32 +1 of 1 +8$/m);
  // Others had their turn while the table was half told.
  expect(writes.some((count) => count > 1000 && count < 3000)).toBe(true);
});

test('ties, copies and rules', async () => {
  const path = write({
    rules: [
      { match: 'head', tie: 'e' },
      { match: 'nothing.*', init: { kind: 'ones' } },
    ],
    tensors: [
      { name: 'e', shape: [4, 2], init: { kind: 'normal', std: 1 }, zeroRows: [0, 3] },
      { name: 'copy', copyOf: 'e' },
      { name: 'head', shape: [4, 2] },
    ],
  });
  const { stdout, stderr } = await capture((signal) => plan(path, {}, signal));
  expect(stdout).toMatch(/^e +\[4, 2\] +normal, rows 0, 3 zero /m);
  expect(stdout).toMatch(/^copy +\[4, 2\] +normal, rows 0, 3 zero, as e /m);
  expect(stdout).toContain('tied: head is e, and is not stored');
  expect(stderr).toMatch(/^isometry: warning: .*nothing/);
  const lines = (await capture((signal) => plan(path, { json: true }, signal))).records();
  expect(lines.map(({ type }) => type)).toEqual(['warning', 'tensor', 'tensor', 'tie', 'summary']);
  expect(lines[2]).toMatchObject({ name: 'copy', copyOf: 'e' });
  expect(lines.at(-1)).toMatchObject({ ties: 1, warnings: 1, tensors: 2 });
});

test('can be interrupted', async () => {
  const reason = new Error('stop');
  await expect(capture(() => plan(write(PLAN), {}, AbortSignal.abort(reason)))).rejects.toBe(reason);
});
