import { appendFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Initializer, normal, ones, zeros } from '../../../../src/initializers/index.js';
import { writeCheckpoint } from '../../../../src/model/checkpoint/checkpoint.js';
import { fillModel } from '../../../../src/model/fill-model.js';
import { planLike } from '../../../../src/model/plan/like.js';
import { type Plan, parsePlan, serializePlan } from '../../../../src/model/plan/plan.js';
import { ModelReader } from '../../../../src/safetensors/read-model.js';
import { type TestTensor, writeSafetensors, writeSharded } from '../../../helpers/safetensors.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isometry-like-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Bytes that no initializer makes. */
const noise = (bytes: number, salt: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 37 + salt * 11) & 0x7f);

const TRAINED: readonly TestTensor[] = [
  { name: 'embed.weight', dtype: 'BF16', shape: [6, 4], data: noise(48, 1) },
  { name: 'h.0.mlp.weight', dtype: 'F32', shape: [8, 4], data: noise(128, 2) },
  { name: 'h.1.mlp.weight', dtype: 'F32', shape: [8, 4], data: noise(128, 3) },
  { name: 'h.1.scale', dtype: 'F8_E4M3', shape: [5], data: noise(5, 4) },
  { name: 'steps', dtype: 'I64', shape: [], data: noise(8, 5) },
];
const makeable = TRAINED.filter(({ dtype }) => dtype !== 'F8_E4M3');

let count = 0;
/** A file of these tensors. */
function fileOf(tensors: readonly TestTensor[] = TRAINED, metadata: Record<string, string> = {}): string {
  const path = join(folder, `${++count}.safetensors`);
  writeSafetensors(path, tensors, metadata);
  return path;
}

/** What a checkpoint holds, by name. */
async function contents(
  path: string,
): Promise<Map<string, { dtype: string; shape: readonly number[]; bytes: Buffer }>> {
  const reader = await ModelReader.open(path);
  const found = new Map();
  for (const tensor of reader.tensors) {
    const pieces: Buffer[] = [];
    for await (const piece of reader.chunks(tensor, new Uint8Array(64))) pieces.push(Buffer.from(piece));
    found.set(tensor.name, { dtype: tensor.dtype.name, shape: tensor.shape, bytes: Buffer.concat(pieces) });
  }
  await reader.close();
  return found;
}

const bytesOf = (data: ArrayBufferView): Buffer => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

const law = normal({ std: 0.02 });
const RULES = {
  rules: [
    { match: 'steps', init: zeros() },
    { match: '**', init: law },
  ],
};

/** The plan that the file would be of. */
function planOf(
  tensors: readonly { name: string; shape?: readonly number[]; init?: Initializer; [key: string]: unknown }[],
): Plan {
  return parsePlan({ tensors });
}
const FULL = planOf([
  { name: 'embed.weight', shape: [6, 4], init: law },
  { name: 'h.0.mlp.weight', shape: [8, 4], init: law },
  { name: 'h.1.mlp.weight', shape: [8, 4], init: law, layout: 'IO' },
  { name: 'steps', shape: [], dtype: 'int64', init: ones() },
]);

describe('planLike', () => {
  it('keeps names, shapes and dtypes; rules give the laws', async () => {
    const path = fileOf(makeable, { format: 'pt', note: 'x', seed: '1', __proto: 'y' });
    const plan = await planLike(path, RULES);
    expect(plan.copied).toBeUndefined();
    expect(plan.metadata).toEqual({ format: 'pt', note: 'x', __proto: 'y' });
    const out = join(folder, 'anew.safetensors');
    await writeCheckpoint(plan, out, { seed: 7 });
    const [before, after] = [await contents(path), await contents(out)];
    expect([...after].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual(
      [...before].map(([name, { dtype, shape }]) => [name, dtype, shape]),
    );
    const fresh = await fillModel(
      {
        tensors: [
          { name: 'embed.weight', shape: [6, 4], init: law, dtype: 'bfloat16' },
          { name: 'h.0.mlp.weight', shape: [8, 4], init: law },
          { name: 'h.1.mlp.weight', shape: [8, 4], init: law },
          { name: 'steps', shape: [], init: zeros(), dtype: 'int64' },
        ],
      },
      { seed: 7 },
    );
    for (const [name, { data }] of fresh) expect(after.get(name)!.bytes, name).toEqual(bytesOf(data));
  });

  it('with only copies the rest byte for byte, whatever its dtype', async () => {
    const path = fileOf();
    const plan = await planLike(path, RULES, { only: 'h.*.mlp.*' });
    expect(plan.tensors.map(({ name }) => name)).toEqual(['h.0.mlp.weight', 'h.1.mlp.weight']);
    const out = join(folder, 'only.safetensors');
    await writeCheckpoint(plan, out, { seed: 7 });
    const [before, after] = [await contents(path), await contents(out)];
    expect([...after.keys()]).toEqual([...before.keys()]);
    for (const name of ['embed.weight', 'h.1.scale', 'steps'])
      expect(after.get(name)).toEqual(before.get(name));
    const fresh = await fillModel(
      { tensors: [{ name: 'h.1.mlp.weight', shape: [8, 4], init: law }] },
      { seed: 7 },
    );
    expect(after.get('h.1.mlp.weight')!.bytes).toEqual(bytesOf(fresh.get('h.1.mlp.weight')!.data));
    expect(after.get('h.0.mlp.weight')!.bytes).not.toEqual(before.get('h.0.mlp.weight')!.bytes);
  });

  it('reads shards, and writes a directory', async () => {
    const source = join(folder, 'sharded');
    writeSharded(source, [TRAINED.slice(0, 2), TRAINED.slice(2)]);
    writeFileSync(join(source, 'config.json'), '{"model_type":"none"}');
    writeFileSync(join(source, 'tokenizer.json'), '{}');
    const plan = await planLike(source, RULES, { only: ['embed.*', 'h.0.**'] });
    expect(plan.files?.map(({ name }) => name)).toEqual(['config.json', 'tokenizer.json']);
    const out = join(folder, 'sharded-out/');
    await writeCheckpoint(plan, out, { seed: 7, maxShardSize: 150 });
    const [before, after] = [await contents(source), await contents(out)];
    expect(after.size).toBe(5);
    for (const name of ['h.1.mlp.weight', 'h.1.scale', 'steps'])
      expect(after.get(name)).toEqual(before.get(name));
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toBe('{"model_type":"none"}');
    // The directory that is copied from is not the one to write to.
    const target = `${source}/`;
    await expect(writeCheckpoint(plan, target, { seed: 7, overwrite: true })).rejects.toMatchObject({
      code: 'CHECKPOINT_ERROR',
    });
  });

  it('may replace the file that it copies from', async () => {
    const path = fileOf();
    const before = await contents(path);
    const plan = await planLike(path, RULES, { only: 'embed.weight' });
    await writeCheckpoint(plan, path, { seed: 7 });
    const after = await contents(path);
    expect(after.get('embed.weight')!.bytes).not.toEqual(before.get('embed.weight')!.bytes);
    before.delete('embed.weight');
    for (const [name, tensor] of before) expect(after.get(name)).toEqual(tensor);
    // And is another one then.
    await expect(writeCheckpoint(plan, join(folder, 'late'), { seed: 7 })).rejects.toMatchObject({
      code: 'FORMAT_ERROR',
      message: expect.stringContaining('replaced'),
    });
  });

  it('notices that the file has changed', async () => {
    for (const change of [
      (path: string) => appendFileSync(path, 'x'),
      (path: string) => utimesSync(path, 1, 1),
    ]) {
      const path = fileOf();
      const plan = await planLike(path, RULES, { only: 'embed.weight' });
      change(path);
      const out = join(folder, 'changed.safetensors');
      await expect(writeCheckpoint(plan, out, { seed: 7 })).rejects.toMatchObject({ code: 'FORMAT_ERROR' });
      await expect(contents(out)).rejects.toMatchObject({ code: 'IO_ERROR' });
    }
  });

  it('takes laws from a plan, by name', async () => {
    const path = fileOf(makeable);
    const plan = await planLike(path, FULL);
    expect(plan.tensors).toEqual([
      { name: 'embed.weight', shape: [6, 4], init: law, dtype: 'bfloat16' },
      { name: 'h.0.mlp.weight', shape: [8, 4], init: law, dtype: 'float32' },
      { name: 'h.1.mlp.weight', shape: [8, 4], init: law, dtype: 'float32', layout: 'IO' },
      { name: 'steps', shape: [], init: ones(), dtype: 'int64' },
    ]);
    // With what the plan does not know copied.
    const odd = await planLike(fileOf(), FULL, { only: ['h.1.mlp.*', 'embed.*'] });
    expect(odd.tensors.map(({ name }) => name)).toEqual(['embed.weight', 'h.1.mlp.weight']);
    expect(odd.order).toEqual(['embed.weight', 'h.0.mlp.weight', 'h.1.mlp.weight', 'steps', 'h.1.scale']);
  });

  it('fills in what is missing and copies all else', async () => {
    const path = fileOf(TRAINED.filter(({ name }) => name !== 'h.0.mlp.weight'));
    const plan = await planLike(path, FULL, { fillMissing: true });
    expect(plan.tensors).toEqual([{ name: 'h.0.mlp.weight', shape: [8, 4], init: law }]);
    const out = join(folder, 'filled.safetensors');
    await writeCheckpoint(plan, out, { seed: 7, dtype: 'float16' });
    const [before, after] = [await contents(path), await contents(out)];
    for (const [name, tensor] of before) expect(after.get(name), name).toEqual(tensor);
    expect(after.get('h.0.mlp.weight')!.dtype).toBe('F16');
    const both = await planLike(path, FULL, { fillMissing: true, only: ['embed.*', 'h.0.**'] });
    expect(both.tensors.map(({ name }) => name)).toEqual(['embed.weight', 'h.0.mlp.weight']);
    const neither = await planLike(fileOf(makeable.slice(1)), FULL);
    expect(neither.warnings).toEqual([
      expect.stringMatching(/1 of the plan's tensors.*"embed\.weight"; .*fillMissing/),
    ]);
  });

  describe('where the plan ties names', () => {
    const tied = planOf([
      { name: 'embed', shape: [2, 2], init: law },
      { name: 'head', tie: 'embed' },
    ]);
    const tensor = (name: string, salt: number, dtype: 'F32' | 'F64' = 'F32'): TestTensor => ({
      name,
      dtype,
      shape: [2, 2],
      data: noise(dtype === 'F32' ? 16 : 32, salt),
    });
    const [embed, head] = [tensor('embed', 1), tensor('head', 2)];

    it('gives both the same values, if both are stored', async () => {
      const plan = await planLike(fileOf([embed, head]), tied);
      expect(plan.ties).toBeUndefined();
      const model = await fillModel(plan, { seed: 3 });
      expect(model.get('head')!.data).toEqual(model.get('embed')!.data);
      expect(model.get('head')).not.toBe(model.get('embed'));
    });

    it('keeps the tie with the one that is stored', async () => {
      for (const options of [{}, { fillMissing: true }]) {
        const plan = await planLike(fileOf([embed]), tied, options);
        expect(plan.ties).toEqual([{ name: 'head', to: 'embed' }]);
        expect(plan.warnings).toBeUndefined();
        const other = await planLike(fileOf([head]), tied, options);
        expect(other.ties).toEqual([{ name: 'embed', to: 'head' }]);
        expect((await fillModel(other, { seed: 3 })).get('embed')!.name).toBe('head');
      }
      const made = await planLike(fileOf([tensor('x', 3)]), tied, { fillMissing: true });
      expect(made.tensors.map(({ name }) => name)).toEqual(['embed']);
      expect(made.ties).toEqual([{ name: 'head', to: 'embed' }]);
    });

    it('refuses to part them', async () => {
      await expect(planLike(fileOf([embed, head]), tied, { only: 'head' })).rejects.toMatchObject({
        code: 'PLAN_ERROR',
        message: expect.stringMatching(/all of "embed", "head".*only "head"/),
      });
      await expect(planLike(fileOf([embed, tensor('head', 2, 'F64')]), tied)).rejects.toMatchObject({
        message: expect.stringContaining('F32 and F64'),
      });
    });
  });

  it('reads rules from a file, as strictly as a plan', async () => {
    const rules = join(folder, 'rules.json');
    writeFileSync(rules, JSON.stringify(RULES));
    const path = fileOf(makeable);
    expect((await planLike(path, rules)).tensors).toEqual((await planLike(path, RULES)).tensors);
    writeFileSync(rules, '{"rules":[{"match":"**","init":{"kind":"ones","kind":"zeros"}}]}');
    await expect(planLike(path, rules)).rejects.toMatchObject({
      code: 'PLAN_ERROR',
      message: expect.stringMatching(/duplicate key "kind" \(line 1/),
    });
    writeFileSync(rules, serializePlan(FULL));
    expect((await planLike(path, rules)).tensors).toHaveLength(4);
  });

  it('of a configuration', async () => {
    const config = { model_type: 'gpt2', n_embd: 4, n_layer: 1, n_head: 2, vocab_size: 5, n_positions: 3 };
    const tensors = [
      { name: 'transformer.wte.weight', dtype: 'F16', shape: [5, 4], data: noise(40, 1) },
    ] as const;
    const plan = await planLike(fileOf(tensors), config, { recipe: 'nanogpt', fillMissing: true });
    expect(plan.copied).toHaveLength(1);
    expect(plan.tensors.length).toBeGreaterThan(10);
    expect(plan.metadata).toEqual({ preset: 'nanogpt/gpt2' });
  });

  it.each<[string, unknown, unknown, string, RegExp]>([
    ['an unknown option', RULES, { onyl: 'x' }, 'UNKNOWN_OPTION', /did you mean "only"/],
    ['globs that are none', RULES, { only: 3 }, 'INVALID_OPTION', /a glob/],
    ['no glob', RULES, { only: [] }, 'INVALID_OPTION', /at least one glob/],
    ['a glob for nothing', RULES, { only: ['embed.*', 'h.9.*'] }, 'INVALID_OPTION', /"h\.9\.\*"/],
    ['filling in by rules', RULES, { fillMissing: true }, 'INVALID_OPTION', /rules, which name no tensors/],
    ['a recipe with rules', RULES, { recipe: 'hf5' }, 'UNKNOWN_OPTION', /recipe/],
    ['a dtype that cannot be made', RULES, {}, 'PLAN_ERROR', /"h\.1\.scale".*F8_E4M3.*only/],
    [
      'a tensor without a rule',
      { rules: [{ match: 'h.**', init: law }] },
      { only: '{embed,h}.*' },
      'PLAN_ERROR',
      /"embed\.weight"/,
    ],
    ['drawn integers', { rules: [{ match: '**', init: law }] }, { only: 'steps' }, 'PLAN_ERROR', /int64/],
    ['a tensor that the plan lacks', FULL, {}, 'PLAN_ERROR', /lacks 1 of them: "h\.1\.scale"/],
    [
      'another shape',
      planOf([{ name: 'embed.weight', shape: [4, 6], init: law }]),
      { only: 'embed.*' },
      'PLAN_ERROR',
      /"embed\.weight" is \[6, 4\], and \[4, 6\] in the plan/,
    ],
    ['no source', {}, {}, 'CONFIG_ERROR', /model_type/],
    ['bad metadata', { ...RULES, metadata: 3 }, { only: 'embed.*' }, 'PLAN_ERROR', /metadata/],
  ])('refuses %s', async (_, source, options, code, message) => {
    await expect(planLike(fileOf(), source as object, options as object)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it('refuses names that a plan cannot have', async () => {
    const path = fileOf([{ name: '__proto__', dtype: 'F32', shape: [1], data: noise(4, 1) }]);
    await expect(planLike(path, RULES)).rejects.toMatchObject({ code: 'PLAN_ERROR' });
  });

  it('says what was copied in the plan that is kept, which cannot copy again', async () => {
    const plan = await planLike(fileOf(), RULES, { only: 'embed.*' });
    const kept = parsePlan(serializePlan(plan));
    expect(kept.copied?.map(({ name, dtype }) => [name, dtype])).toContainEqual(['h.1.scale', 'F8_E4M3']);
    expect(kept.order).toEqual(plan.order);
    await expect(writeCheckpoint(kept, join(folder, 'again'), { seed: 7 })).rejects.toMatchObject({
      code: 'PLAN_ERROR',
      message: expect.stringContaining('planLike'),
    });
  });
});
