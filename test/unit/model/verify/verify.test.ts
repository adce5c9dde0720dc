import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type VerifyReport, verifyCheckpoint, writeCheckpoint } from '../../../../src/index.js';
import { planLike } from '../../../../src/model/plan/like.js';
import { parsePlan, withFiles } from '../../../../src/model/plan/plan.js';
import { SafetensorsReader } from '../../../../src/safetensors/read.js';
import { type TestTensor, writeSafetensors } from '../../../helpers/safetensors.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-verify-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const PLAN = {
  tensors: [
    { name: 'w', shape: [300, 200], init: { kind: 'normal', std: 0.02 } },
    { name: 'v', shape: [300, 200], init: { kind: 'heUniform' } },
    { name: 'q', shape: [64, 32], init: { kind: 'orthogonal' } },
    { name: 'b', shape: [300], init: { kind: 'zeros' } },
    { name: 'g', shape: [300], init: { kind: 'ones' }, dtype: 'float64' },
    { name: 'h', shape: [300, 300], init: { kind: 'normal', std: 1 }, dtype: 'bfloat16' },
    { name: 'none', shape: [0, 4], init: { kind: 'normal', std: 1 } },
  ],
};

let made = 0;
async function write(plan: object = PLAN, seed = 42, dtype?: 'float16'): Promise<string> {
  const path = join(dir, `${made++}.safetensors`);
  await writeCheckpoint(plan, path, { seed, ...(dtype === undefined ? {} : { dtype }) });
  return path;
}

const kinds = ({ problems }: VerifyReport): string[] =>
  problems.map(({ kind, tensor }) => (tensor === undefined ? kind : `${kind} ${tensor}`));

/** A copy of a file in which `change` has changed the bytes of a tensor. */
async function tampered(path: string, name: string, change: (data: Buffer) => void): Promise<string> {
  const copy = join(dir, `${made++}.safetensors`);
  copyFileSync(path, copy);
  const bytes = readFileSync(copy);
  const reader = await SafetensorsReader.open(copy);
  const { begin, end } = reader.tensors.find((tensor) => tensor.name === name)!;
  await reader.close();
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  change(bytes.subarray(start + begin, start + end));
  writeFileSync(copy, bytes);
  return copy;
}

describe('a checkpoint that is as it should be', () => {
  test.each(['auto', 'js'] as const)('on %s', async (device) => {
    const path = await write();
    const report = await verifyCheckpoint(path, { plan: PLAN, device });
    expect(report).toMatchObject({
      path,
      ok: true,
      problems: [],
      problemCount: 0,
      tensors: 7,
      parameters: 300 * 400 + 64 * 32 + 300 * 302,
      files: 1,
      bytes: readFileSync(path).length,
      plan: 'given',
      seed: '42',
      compared: { tensors: 6 },
      skippedCount: 0,
    });
    // All but the empty one, which are small, are compared as a whole.
    expect(report.compared.bytes).toBe(300 * 400 * 4 + 64 * 32 * 4 + 300 * 4 + 300 * 8 + 300 * 300 * 2);
  });

  test('with a dtype that the plan does not have', async () => {
    const path = await write(PLAN, 7, 'float16');
    expect(await verifyCheckpoint(path, { plan: PLAN })).toMatchObject({ ok: true, seed: '7' });
  });

  test('the seed may be given, too', async () => {
    const path = await write();
    expect(await verifyCheckpoint(path, { plan: PLAN, seed: 42n })).toMatchObject({ ok: true });
  });

  test('progress, for each tensor and stage', async () => {
    const path = await write();
    const seen: string[] = [];
    await verifyCheckpoint(path, {
      plan: PLAN,
      onProgress: ({ stage, tensor, tensorsDone, tensorsTotal }) => {
        expect(tensorsDone).toBeLessThan(tensorsTotal);
        seen.push(`${stage} ${tensor}`);
      },
    });
    expect(seen.sort()).toEqual([
      ...['h', 'q', 'v', 'w'].map((name) => `duplicates ${name}`),
      ...['b', 'g', 'h', 'q', 'v', 'w'].map((name) => `values ${name}`),
    ]);
  });
});

describe('values', () => {
  test('one changed bit is found where all is compared, and told', async () => {
    const path = await tampered(await write(), 'w', (data) => {
      data[4 * 1234]! ^= 1;
    });
    const report = await verifyCheckpoint(path, { plan: PLAN });
    expect(report.ok).toBe(false);
    expect(report.problems).toEqual([
      {
        kind: 'values',
        tensor: 'w',
        message: expect.stringMatching(/^1 of 60000 elements .* by up to .*; the first is element 1234$/),
      },
    ]);
  });

  test.each(['w', 'v', 'q', 'b', 'g', 'h'])('of every law and dtype: %s', async (name) => {
    const path = await tampered(await write(), name, (data) =>
      data.fill(data.at(-2)! ^ 0x11, data.length - 2),
    );
    expect(kinds(await verifyCheckpoint(path, { plan: PLAN }))).toEqual([`values ${name}`]);
  });

  test('another seed', async () => {
    const report = await verifyCheckpoint(await write(), { plan: PLAN, seed: 43 });
    expect(kinds(report).sort()).toEqual(['origin', 'values h', 'values q', 'values v', 'values w']);
    expect(report.problems[0]!.message).toBe('its metadata says that it was made with seed 42, not 43');
  });

  test('of large tensors samples, which are the same each time; of all of them all', async () => {
    const large = { tensors: [{ name: 'l', shape: [1000, 1000], init: { kind: 'normal', std: 1 } }] };
    const good = await write(large);
    const few = { plan: large, samples: 3 };
    const [report, again] = [await verifyCheckpoint(good, few), await verifyCheckpoint(good, few)];
    expect(report.compared).toEqual({ tensors: 1, samples: 3, bytes: 3 * 65_536 });
    expect(again.compared).toEqual(report.compared);
    const bad = await tampered(good, 'l', (data) => {
      data[4 * 500_000]! ^= 1;
    });
    expect(await verifyCheckpoint(bad, { plan: large, all: true })).toMatchObject({
      ok: false,
      compared: { bytes: 4_000_000 },
    });
    // Half of them changed is found by three samples, whichever they are: each meets a changed element.
    const half = await tampered(good, 'l', (data) => {
      for (let at = 0; at < data.length; at += 8) data[at]! ^= 1;
    });
    expect(kinds(await verifyCheckpoint(half, few))).toEqual(['values l']);
  });

  test('matrices by QR are equal to rounding', async () => {
    const plan = {
      tensors: [{ name: 'q', shape: [96, 64], init: { kind: 'orthogonal', method: 'qr', gain: 2 } }],
    };
    const good = await write(plan);
    const nudge = (by: number) => (data: Buffer) => {
      const values = new Float32Array(data.buffer, data.byteOffset, data.length / 4);
      for (let i = 0; i < values.length; i++) values[i]! += by * (i % 2 === 0 ? 1 : -1);
    };
    const rounded = await tampered(good, 'q', nudge(1e-6));
    const other = await tampered(good, 'q', nudge(0.1));
    expect(await verifyCheckpoint(rounded, { plan })).toMatchObject({ ok: true });
    expect(kinds(await verifyCheckpoint(other, { plan }))).toEqual(['values q']);
  });

  test('what must be computed whole is capped, and the report says so', async () => {
    const plan = {
      tensors: [
        { name: 'huge', shape: [6000, 6000], init: { kind: 'orthogonal' } },
        { name: 'w', shape: [100], init: { kind: 'normal', std: 1 } },
      ],
    };
    const path = join(dir, 'huge.safetensors');
    // Not computed here, either: what is in it does not matter.
    const [huge, w] = [new Uint8Array(6000 * 6000 * 4), await write({ tensors: [plan.tensors[1]!] })];
    writeSafetensors(path, [
      { name: 'huge', dtype: 'F32', shape: [6000, 6000], data: huge },
      { name: 'w', dtype: 'F32', shape: [100], data: readFileSync(w).subarray(-400) },
    ]);
    const report = await verifyCheckpoint(path, { plan, seed: 42 });
    expect(report).toMatchObject({
      ok: true,
      compared: { tensors: 1, bytes: 400 },
      skippedCount: 1,
      skipped: [{ tensor: 'huge', reason: expect.stringContaining('computed whole') }],
    });
  });
});

describe('names, shapes and dtypes', () => {
  const f32 = (name: string, values: ArrayLike<number>, shape = [values.length]): TestTensor => ({
    name,
    dtype: 'F32',
    shape,
    data: Float32Array.from(values),
  });

  test('missing, unexpected, other shape, other dtype', async () => {
    const path = join(dir, 'shapes.safetensors');
    writeSafetensors(path, [
      f32('s', [0, 0, 0, 0], [2, 2]),
      f32('d', [0]),
      f32('__proto__', [0]),
      f32('tied', [0]),
    ]);
    const zeros = { kind: 'zeros' };
    const plan = {
      tensors: [
        { name: 's', shape: [4], init: zeros },
        { name: 'd', shape: [1], init: zeros, dtype: 'float64' },
        { name: 'lost', shape: [1], init: zeros },
      ],
    };
    const report = await verifyCheckpoint(path, { plan, seed: 1 });
    expect(kinds(report).sort()).toEqual([
      'dtype d',
      'missing lost',
      'shape s',
      'unexpected __proto__',
      'unexpected tied',
    ]);
    expect(report.problems.find(({ kind }) => kind === 'shape')!.message).toBe(
      'its shape is [2, 2], but the plan has [4]',
    );
  });

  test('a dtype that most tensors do not have', async () => {
    const path = join(dir, 'mixed.safetensors');
    writeSafetensors(path, [
      f32('a', [0]),
      { name: 'b', dtype: 'F16', shape: [1], data: new Uint16Array(1) },
    ]);
    const init = { kind: 'zeros' };
    const tensors = [
      { name: 'a', shape: [1], init },
      { name: 'b', shape: [1], init },
    ];
    expect(kinds(await verifyCheckpoint(path, { plan: { tensors }, seed: 1 }))).toEqual(['dtype b']);
  });

  test('another plan than the one it was made from', async () => {
    const other = {
      tensors: [...PLAN.tensors.slice(1), { ...PLAN.tensors[0]!, init: { kind: 'normal', std: 0.03 } }],
    };
    expect(kinds(await verifyCheckpoint(await write(), { plan: other }))).toEqual(['origin', 'values w']);
  });

  test('of a million problems a thousand are listed, and all counted', async () => {
    const path = join(dir, 'many.safetensors');
    writeSafetensors(
      path,
      Array.from({ length: 1500 }, (_, index) => f32(`x${index}`, [0])),
    );
    const plan = { tensors: [{ name: 'w', shape: [1], init: { kind: 'zeros' } }] };
    const report = await verifyCheckpoint(path, { plan, seed: 1 });
    expect(report.problems).toHaveLength(1000);
    expect(report.problemCount).toBe(1501);
  });
});

describe('repetitions', () => {
  test('two tensors with one stream, and the rows of processes with one seed', async () => {
    const good = await write();
    const { tensors, chunks, close } = await open(good);
    const data = new Map<string, Uint8Array>();
    for (const tensor of tensors) data.set(tensor.name, await chunks(tensor));
    await close();
    const w = data.get('w')!;
    const rows = Buffer.concat([w.subarray(0, w.length / 2), w.subarray(0, w.length / 2)]);
    const path = join(dir, 'repeated.safetensors');
    writeSafetensors(
      path,
      tensors.map(({ name, dtype, shape }) => ({
        name,
        dtype: dtype.name,
        shape,
        data: name === 'v' ? w : name === 'w' ? rows : data.get(name)!,
      })),
    );
    const report = await verifyCheckpoint(path, { plan: PLAN, seed: 42 });
    expect(kinds(report).filter((kind) => kind.startsWith('duplicate'))).toEqual([
      'duplicate w',
      'duplicate v',
    ]);
    expect(report.problems.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/repeats, from element 30000 on, 30000 elements of "w" from element 0 on/),
    );
  });

  async function open(path: string) {
    const reader = await SafetensorsReader.open(path);
    const chunks = async (tensor: (typeof reader.tensors)[number]): Promise<Uint8Array> => {
      const buffer = new Uint8Array(Math.ceil((tensor.end - tensor.begin) / 8) * 8);
      for await (const _ of reader.chunks(tensor, buffer));
      return buffer.subarray(0, tensor.end - tensor.begin);
    };
    return { tensors: reader.tensors, chunks, close: () => reader.close() };
  }

  test('what is the same for every seed may repeat', async () => {
    const init = { kind: 'dirac' };
    const tensors = ['a', 'b'].map((name) => ({ name, shape: [40, 40, 3], init }));
    expect(await verifyCheckpoint(await write({ tensors }), { plan: { tensors } })).toMatchObject({
      ok: true,
    });
  });
});

describe('directories', () => {
  const SIZE = 300_000;

  async function directory(options: object = {}): Promise<string> {
    const path = join(dir, `${made++}/`);
    await writeCheckpoint(PLAN, path, { seed: 42, maxShardSize: SIZE, ...options });
    return path;
  }

  test('the plan and the seed are recorded', async () => {
    const path = await directory({ dtype: 'float16' });
    const expected = { ok: true, plan: 'recorded', seed: '42', tensors: 7, compared: { tensors: 6 } };
    expect(await verifyCheckpoint(path)).toMatchObject(expected);
    expect(await verifyCheckpoint(join(path, 'model.safetensors.index.json'))).toMatchObject(expected);
    expect(await verifyCheckpoint(path, { plan: PLAN, seed: 42 })).toMatchObject({ ok: true, plan: 'given' });
  });

  test('another seed or plan than recorded', async () => {
    const path = await directory();
    const other = { tensors: PLAN.tensors.slice(0, 6) };
    expect(kinds(await verifyCheckpoint(path, { plan: other }))).toEqual([
      'origin',
      'origin',
      'unexpected none',
    ]);
    expect(kinds(await verifyCheckpoint(path, { seed: 1 })).slice(0, 2)).toEqual(['origin', 'origin']);
  });

  test('a shard of another seed among them', async () => {
    const [path, other] = [await directory(), await directory({ seed: 43 })];
    const [shard] = readdirSync(path).filter((name) => name.startsWith('model-00001-of-'));
    copyFileSync(join(other, shard!), join(path, shard!));
    const report = await verifyCheckpoint(path);
    expect(kinds(report)).toContain('values w');
    expect(report.problems[0]).toMatchObject({
      kind: 'origin',
      message: expect.stringContaining('do not all say'),
    });
  });

  test('a changed byte, a missing shard, a changed index, a changed plan', async () => {
    const names = readdirSync(await directory());
    const shard = names.find((name) => name.startsWith('model-00001-of-'))!;
    const cases: [string, (path: string) => void, string][] = [
      ['byte', (path) => flipLast(join(path, shard)), 'values'],
      ['shard', (path) => rmSync(join(path, shard)), 'structure'],
      ['index', (path) => edit(join(path, 'model.safetensors.index.json'), '"b"', '"B"'), 'structure'],
      ['plan', (path) => edit(join(path, 'isometry-plan.json'), '"w"', '"W"'), 'origin'],
    ];
    for (const [name, change, kind] of cases) {
      const path = await directory();
      change(path);
      const report = await verifyCheckpoint(path);
      expect(
        report.problems.map((problem) => problem.kind),
        name,
      ).toContain(kind);
    }
  });

  const flipLast = (path: string): void => {
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
  };
  const edit = (path: string, from: string, to: string): void => {
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
  };

  test('what lies beside the weights, and other sizes than were recorded', async () => {
    const files = [{ name: 'config.json', bytes: Buffer.from('{"a":1}') }];
    const cases: [(path: string) => void, RegExp][] = [
      [(path) => writeFileSync(join(path, 'config.json'), '{}'), /config\.json is not the one/],
      [(path) => rmSync(join(path, 'config.json')), /config\.json is missing/],
      [(path) => edit(join(path, 'isometry.json'), '"bytes": ', '"bytes": 1'), /of another|bytes and not/],
      [
        (path) => edit(join(path, 'isometry.json'), '"tensors": ', '"tensors": 1'),
        /is of another checkpoint/,
      ],
    ];
    for (const [change, message] of cases) {
      const path = join(dir, `${made++}/`);
      await writeCheckpoint(withFiles(parsePlan(PLAN), files), path, { seed: 42, maxShardSize: '300kB' });
      expect((await verifyCheckpoint(path)).ok).toBe(true);
      change(path);
      expect((await verifyCheckpoint(path)).problems).toEqual([
        { kind: 'structure', message: expect.stringMatching(message) },
      ]);
    }
  });

  test('one that is not finished', async () => {
    const path = await directory({ rank: 0, world: 2 });
    expect(kinds(await verifyCheckpoint(path))).toEqual(['structure']);
  });

  test('slices, as a whole; and without those of a rank', async () => {
    const path = join(dir, `${made++}/`);
    for (const rank of [0, 1, 2])
      await writeCheckpoint(PLAN, path, { seed: 42, rank, world: 3, slices: true });
    expect(await verifyCheckpoint(path)).toMatchObject({ ok: true, files: 3, compared: { tensors: 6 } });
    flipLast(join(path, 'shard-00002-model-00001-of-00001.safetensors'));
    expect(kinds(await verifyCheckpoint(path))).toEqual(['values h']);
    rmSync(join(path, 'shard-00003-model-00001-of-00001.safetensors'));
    expect(kinds(await verifyCheckpoint(path))).toContain('shape w');
  });
});

describe('copies, ties and integers of the plan', () => {
  const tied = {
    tensors: [
      { name: 'e', shape: [90, 40], init: { kind: 'normal', std: 1 }, zeroRows: [0] },
      { name: 'copy', copyOf: 'e' },
      { name: 'head', tie: 'e' },
      { name: 'n', shape: [3], dtype: 'int64', init: { kind: 'ones' } },
    ],
  };

  test('are as they should be', async () => {
    const path = await write(tied);
    expect(await verifyCheckpoint(path, { plan: tied })).toMatchObject({
      ok: true,
      tensors: 3,
      compared: { tensors: 3 },
    });
  });

  test('a tied tensor that is stored, and an integer that is another', async () => {
    const path = await write({
      tensors: [...tied.tensors.slice(0, 2), { ...tied.tensors[1], name: 'head' }, tied.tensors[3]],
    });
    expect(kinds(await verifyCheckpoint(path, { plan: tied }))).toEqual(['origin', 'unexpected head']);
    const wrong = await tampered(await write(tied), 'n', (data) => data.fill(2, 8, 9));
    const report = await verifyCheckpoint(wrong, { plan: tied });
    expect(report.problems).toEqual([
      {
        kind: 'values',
        tensor: 'n',
        message: '1 of 3 elements that were computed again differ, by up to 1; the first is element 1',
      },
    ]);
  });
});

test('what is copied from another checkpoint is counted, and not compared', async () => {
  const path = join(dir, `${made++}/`);
  const like = await planLike(await write(), PLAN, { only: 'w' });
  await writeCheckpoint(like, path, { seed: 7 });
  expect(await verifyCheckpoint(path)).toMatchObject({
    ok: true,
    tensors: 7,
    copied: 6,
    compared: { tensors: 1 },
  });
});

describe('without a plan', () => {
  const values = (length: number, seed: number): Float32Array =>
    Float32Array.from({ length }, (_, index) => Math.sin(index * seed));

  test('structure, NaN and equal tensors', async () => {
    const path = join(dir, 'foreign.safetensors');
    const bad = values(100, 3);
    bad[7] = Number.NaN;
    bad[8] = Number.POSITIVE_INFINITY;
    const tensors: TestTensor[] = [
      { name: 'a', dtype: 'F32', shape: [100], data: values(100, 1) },
      { name: 'b', dtype: 'F32', shape: [10, 10], data: values(100, 1) },
      { name: 'c', dtype: 'F32', shape: [100], data: bad },
      { name: 'half', dtype: 'BF16', shape: [2], data: new Uint16Array([0x7f80, 1]) },
      { name: 'i', dtype: 'I64', shape: [1], data: new BigInt64Array(1) },
    ];
    writeSafetensors(path, tensors);
    const report = await verifyCheckpoint(path);
    expect(report).toMatchObject({ ok: false, plan: 'none', compared: { tensors: 0 } });
    expect(kinds(report).sort()).toEqual(['duplicate b', 'notFinite c', 'notFinite half']);
    expect(report.problems.find(({ tensor }) => tensor === 'c')!.message).toMatch(/^2 of 100 elements/);
  });

  test('a file that is none is a problem, one that is not there an error', async () => {
    const path = join(dir, 'text');
    writeFileSync(path, 'no checkpoint at all');
    expect(await verifyCheckpoint(path)).toMatchObject({
      ok: false,
      problems: [{ kind: 'structure', message: expect.stringContaining('expected a safetensors file') }],
    });
    await expect(verifyCheckpoint(join(dir, 'nothing'))).rejects.toMatchObject({ code: 'IO_ERROR' });
  });
});

describe('bad input', () => {
  test.each([
    [{ samples: 0 }, 'INVALID_OPTION'],
    [{ samples: 1.5 }, 'INVALID_OPTION'],
    [{ all: 1 }, 'INVALID_OPTION'],
    [{ device: 'gpu' }, 'INVALID_OPTION'],
    [{ seed: -1 }, 'INVALID_SEED'],
    [{ plan: { tensors: 1 } }, 'PLAN_ERROR'],
    [{ onProgress: 1 }, 'INVALID_OPTION'],
    [{ signal: {} }, 'INVALID_OPTION'],
    [{ sample: 1 }, 'UNKNOWN_OPTION'],
  ])('%j', async (options, code) => {
    await expect(verifyCheckpoint('x', options as object)).rejects.toMatchObject({ code });
  });

  test('a plan for a file that does not say its seed', async () => {
    const path = join(dir, 'seedless.safetensors');
    writeSafetensors(path, []);
    const plan = { tensors: [{ name: 'w', shape: [1], init: { kind: 'zeros' } }] };
    await expect(verifyCheckpoint(path, { plan })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('expected seed beside plan'),
    });
  });

  test('abort, before and on the way', async () => {
    const path = await write();
    const reason = new Error('enough');
    await expect(verifyCheckpoint(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = (): void => controller.abort(reason);
    await expect(verifyCheckpoint(path, { plan: PLAN, signal, onProgress })).rejects.toBe(reason);
  });
});
