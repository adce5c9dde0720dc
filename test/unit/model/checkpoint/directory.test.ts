import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsBackend } from '../../../../src/backends/js.js';
import type { Backend } from '../../../../src/backends/types.js';
import {
  type CheckpointShard,
  type CheckpointSummary,
  writeCheckpoint,
  writeCheckpointWith,
} from '../../../../src/model/checkpoint/checkpoint.js';
import { finalizeCheckpoint } from '../../../../src/model/checkpoint/finalize.js';
import type { CheckpointProgress } from '../../../../src/model/checkpoint/progress.js';
import { planLike } from '../../../../src/model/plan/like.js';
import { parsePlan, withFiles } from '../../../../src/model/plan/plan.js';
import { verifyCheckpoint } from '../../../../src/model/verify/verify.js';
import { SafetensorsReader } from '../../../../src/safetensors/read.js';
import { contents, MODEL } from '../../../helpers/directory.js';
import { errno, hookedOps } from '../../../helpers/faulty-ops.js';

let dir: string;
let out: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-directory-'));
  out = join(dir, 'model');
});
afterEach(() => rmSync(dir, { recursive: true }));

const PLAN = parsePlan(MODEL);
const INDEX = 'model.safetensors.index.json';
const OPTIONS = { seed: 1, maxShardSize: 2000, device: 'js' } as const;
const write = (options: object = {}, path = out): Promise<CheckpointSummary> =>
  writeCheckpoint(PLAN, path, { ...OPTIONS, ...options });
const states = ({ shards }: CheckpointSummary): string[] => shards.map(({ state }) => state);
const failure = (promise: Promise<unknown>): Promise<{ code: string; message: string }> =>
  promise.then(
    () => {
      throw new Error('no failure');
    },
    (error) => error,
  );

/** All tensors of the shards of a directory, by name. */
async function tensorsOf(directory: string): Promise<Map<string, Buffer>> {
  const tensors = new Map<string, Buffer>();
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.safetensors'))) {
    const reader = await SafetensorsReader.open(join(directory, name));
    for (const entry of reader.tensors) {
      expect(tensors.has(entry.name), entry.name).toBe(false);
      const pieces: Buffer[] = [];
      for await (const piece of reader.chunks(entry, new Uint8Array(4096))) pieces.push(Buffer.from(piece));
      tensors.set(entry.name, Buffer.concat(pieces));
    }
    await reader.close();
  }
  return tensors;
}

describe('a new directory', () => {
  test('has shards, an index, the plan and a manifest, and the tensors of the single file', async () => {
    const summary = await write();
    const shards = summary.shards.map(({ file }) => file);
    expect(shards.length).toBeGreaterThan(3);
    expect(readdirSync(out).sort()).toEqual(['isometry-plan.json', 'isometry.json', ...shards, INDEX].sort());
    expect(summary).toMatchObject({ path: out, tensors: PLAN.tensors.length, complete: true });
    expect(new Set(states(summary))).toEqual(new Set(['written']));
    for (const { file, bytes } of summary.shards) expect(statSync(join(out, file)).size).toBe(bytes);
    expect(summary.bytes).toBe(summary.shards.reduce((total, { bytes }) => total + bytes, 0));

    const alone = join(dir, 'alone');
    mkdirSync(alone);
    await writeCheckpoint(PLAN, join(alone, 'model.safetensors'), { seed: 1 });
    const [ours, whole] = [await tensorsOf(out), await tensorsOf(alone)];
    expect([...ours.keys()].sort()).toEqual([...whole.keys()].sort());
    for (const [name, bytes] of whole) expect(ours.get(name)!.equals(bytes), name).toBe(true);

    const index = JSON.parse(readFileSync(join(out, INDEX), 'utf8'));
    expect(index.metadata.total_parameters).toBe(summary.parameters);
    expect(Object.keys(index.weight_map)).toEqual([...whole.keys()].sort());
  });

  test('of one shard is the single file, without an index', async () => {
    const alone = join(dir, 'alone.safetensors');
    await writeCheckpoint(PLAN, alone, { seed: 1 });
    const summary = await writeCheckpoint(PLAN, `${out}/`, { seed: 1 });
    expect(readdirSync(out).sort()).toEqual(['isometry-plan.json', 'isometry.json', 'model.safetensors']);
    expect(readFileSync(join(out, 'model.safetensors')).equals(readFileSync(alone))).toBe(true);
    expect(summary.shards).toHaveLength(1);
  });

  test('is made with those above it, and is the same wherever and with however many files at a time', async () => {
    const deep = join(dir, 'a/b/c');
    await write({ concurrency: 1 }, `${deep}/`);
    const real = join(dir, 'real');
    mkdirSync(real);
    symlinkSync(real, out);
    await write({ concurrency: 64, device: 'auto' });
    expect(contents(real)).toEqual(contents(deep));
    expect(lstatSync(out).isSymbolicLink()).toBe(true);
  });

  test("gets the plan's files", async () => {
    const files = [
      { name: 'config.json', bytes: Buffer.from('{}') },
      { name: 'tokenizer.model', bytes: Buffer.alloc(3_000_000, 7) },
    ];
    await writeCheckpoint(withFiles(PLAN, files), out, OPTIONS);
    for (const { name, bytes } of files) expect(readFileSync(join(out, name)).equals(bytes)).toBe(true);
    const bad = withFiles(PLAN, [{ name: '../x', bytes: Buffer.from('') }]);
    const failed = await failure(writeCheckpoint(bad, join(dir, 'bad'), OPTIONS));
    expect(failed).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(existsSync(join(dir, 'bad'))).toBe(false);
  });
});

describe('writing again', () => {
  test('keeps what is there and right, by its content', async () => {
    await write();
    const before = contents(out);
    utimesSync(join(out, 'model-00001-of-00007.safetensors'), 1, 1);
    const summary = await write();
    expect(new Set(states(summary))).toEqual(new Set(['kept']));
    expect(contents(out)).toEqual(before);
    expect(statSync(join(out, 'model-00001-of-00007.safetensors')).mtimeMs).toBe(1000);
    expect(statSync(join(out, INDEX)).size).toBeGreaterThan(0);
  });

  const damages: [string, (path: string) => void][] = [
    ['is missing', (path) => rmSync(path)],
    ['is empty', (path) => truncateSync(path, 0)],
    ['is shorter', (path) => truncateSync(path, statSync(path).size - 1)],
    ['is longer', (path) => appendFileSync(path, 'x')],
    ['has another header', (path) => damage(path, 60)],
    ['has other data at its beginning', (path) => damage(path, dataOf(path))],
    ['has other data at its end', (path) => damage(path, statSync(path).size - 1)],
    ['has other data in its middle', (path) => damage(path, (dataOf(path) + statSync(path).size) >> 1)],
    ['is another shard', (path) => cpSync(path.replace('00002-of', '00003-of'), path)],
    [
      'is a link to the right bytes',
      (path) => {
        renameSync(path, join(dir, 'elsewhere'));
        symlinkSync(join(dir, 'elsewhere'), path);
      },
    ],
  ];
  test.each(damages)('replaces a shard that %s', async (_, act) => {
    await write();
    const before = contents(out);
    const second = join(out, 'model-00002-of-00007.safetensors');
    act(second);
    expect(states(await write())).toEqual(['kept', 'written', ...Array(5).fill('kept')]);
    expect(lstatSync(second).isFile()).toBe(true);
    expect(contents(out)).toEqual(before);
  });

  test('replaces the index, the plan and other files that differ', async () => {
    const plan = withFiles(PLAN, [{ name: 'config.json', bytes: Buffer.from('{}') }]);
    await writeCheckpoint(plan, out, OPTIONS);
    const before = contents(out);
    for (const name of [INDEX, 'config.json', 'isometry-plan.json']) writeFileSync(join(out, name), 'x');
    await writeCheckpoint(plan, out, OPTIONS);
    expect(contents(out)).toEqual(before);
  });

  test('a directory in the place of a shard is an error that names it', async () => {
    mkdirSync(join(out, 'model-00002-of-00007.safetensors'), { recursive: true });
    expect(await failure(write({ overwrite: true }))).toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringContaining('model-00002-of-00007.safetensors'),
    });
  });
});

function dataOf(path: string): number {
  return 8 + Number(readFileSync(path).readBigUInt64LE(0));
}

function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
}

describe('another model in the directory', () => {
  test.each<[string, object, RegExp]>([
    [
      'seed',
      { seed: 2 },
      /its seed is 1 and not 2, its shards are others; write elsewhere, or with overwrite/,
    ],
    ['dtype', { dtype: 'bfloat16' }, /its dtype is float32 and not bfloat16/],
    ['size of shards', { maxShardSize: 4000 }, /its max_shard_size is 2000 and not 4000/],
    ['metadata', { metadata: { a: 'b' } }, /its shards are others/],
    [
      'kind',
      { maxShardSize: undefined, slices: true },
      /its max_shard_size is 2000 and not not set, its slices is/,
    ],
  ])('of another %s is an error, unless it may be overwritten', async (_, options, message) => {
    await write();
    const before = contents(out);
    const failed = await failure(write(options));
    expect(failed).toMatchObject({ code: 'CHECKPOINT_ERROR', message: expect.stringMatching(message) });
    expect(contents(out)).toEqual(before);
    await write({ ...options, overwrite: true });
    await write(options, join(dir, 'fresh'));
    expect(contents(out)).toEqual(contents(join(dir, 'fresh')));
  });

  test('of another order of tensors, too: the shards are cut elsewhere', async () => {
    await write();
    const reversed = { ...(MODEL as { tensors: object[] }) };
    reversed.tensors = [...reversed.tensors].reverse();
    const failed = await failure(writeCheckpoint(reversed, out, OPTIONS));
    expect(failed).toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringMatching(/its shards are others/),
    });
  });

  test.each([['model.safetensors'], ['adapter_model.safetensors'], [INDEX]])(
    '%s of somebody else is an error; with overwrite ours goes beside what cannot be mistaken',
    async (name) => {
      mkdirSync(out);
      writeFileSync(join(out, name), 'x');
      expect(await failure(write())).toMatchObject({
        code: 'CHECKPOINT_ERROR',
        message: expect.stringContaining(`it has "${name}" and no isometry.json`),
      });
      expect(readdirSync(out)).toEqual([name]);
      await write({ overwrite: true });
      expect(existsSync(join(out, name))).toBe(name !== 'model.safetensors');
      if (name === INDEX) expect(JSON.parse(readFileSync(join(out, name), 'utf8')).weight_map).toBeDefined();
    },
  );

  test('a config.json that ours would replace is an error, the same one is not', async () => {
    const plan = withFiles(PLAN, [{ name: 'config.json', bytes: Buffer.from('{}') }]);
    mkdirSync(out);
    writeFileSync(join(out, 'config.json'), '{"a":1}');
    writeFileSync(join(out, 'notes.txt'), 'kept');
    expect(await failure(writeCheckpoint(plan, out, OPTIONS))).toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringContaining('"config.json"'),
    });
    writeFileSync(join(out, 'config.json'), '{}');
    await writeCheckpoint(plan, out, OPTIONS);
    expect(readFileSync(join(out, 'notes.txt'), 'utf8')).toBe('kept');
  });

  test.each([['{'], ['{}'], ['{"manifest_version":2}'], ['']])('a manifest %j is an error', async (text) => {
    mkdirSync(out);
    writeFileSync(join(out, 'isometry.json'), text);
    expect(await failure(write())).toMatchObject({ code: 'CHECKPOINT_ERROR' });
    await write({ overwrite: true });
    expect((await finalizeCheckpoint(out)).shards).toBe(7);
  });

  test('a manifest that is a link is not followed', async () => {
    mkdirSync(out);
    writeFileSync(join(dir, 'victim'), 'victim');
    symlinkSync(join(dir, 'victim'), join(out, 'isometry.json'));
    expect(await failure(write())).toMatchObject({ code: 'CHECKPOINT_ERROR' });
    await write({ overwrite: true });
    expect(readFileSync(join(dir, 'victim'), 'utf8')).toBe('victim');
    expect(lstatSync(join(out, 'isometry.json')).isFile()).toBe(true);
  });

  test('is refused where another index, which is nobody’s to remove, would stay', async () => {
    mkdirSync(out);
    writeFileSync(join(out, 'adapter.safetensors'), 'x');
    writeFileSync(join(out, 'diffusion.safetensors.index.json'), '{}');
    const message = /no other index than model\.safetensors\.index\.json, but it has "diffusion/;
    expect(await failure(write({ overwrite: true }))).toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringMatching(message),
    });
    expect(readdirSync(out).sort()).toEqual(['adapter.safetensors', 'diffusion.safetensors.index.json']);
    rmSync(join(out, 'diffusion.safetensors.index.json'));
    await write({ overwrite: true });
    expect((await verifyCheckpoint(out)).ok).toBe(true);
    writeFileSync(join(out, 'diffusion.safetensors.index.json'), '{}');
    expect((await failure(write({ seed: 2, overwrite: true }))).message).toMatch(message);
  });

  test('goes in an order that shows no mixed model: the index first, then its shards, then its manifest', async () => {
    await write({ maxShardSize: 3000 });
    const removed: string[] = [];
    const real = hookedOps(() => {});
    const ops = {
      ...real,
      unlink: async (path: string) => {
        removed.push(path.slice(out.length + 1));
        await real.unlink(path);
      },
      rename: async (from: string, to: string) => {
        removed.push(`+${to.slice(out.length + 1)}`);
        await real.rename(from, to);
      },
    };
    await writeCheckpointWith(PLAN, out, { ...OPTIONS, overwrite: true }, { ops });
    expect(removed[0]).toBe(INDEX);
    const manifest = removed.indexOf('+isometry.json');
    const stale = removed.filter((name) => /^model-.*-of-0000[^7]\.safetensors$/.test(name));
    expect(stale.length).toBeGreaterThan(1);
    for (const name of stale) expect(removed.indexOf(name)).toBeLessThan(manifest);
    expect(removed.findIndex((name) => name.startsWith('+model-'))).toBeGreaterThan(manifest);
    expect(removed.at(-1)).toBe(`+${INDEX}`);
  });
});

describe('two writers at once', () => {
  test('of the same model both succeed, and the bytes are right', async () => {
    await write({}, join(dir, 'alone'));
    await Promise.all(Array.from({ length: 6 }, () => write()));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('of different models exactly one gets the directory', async () => {
    const seeds = Array.from({ length: 6 }, (_, seed) => seed);
    const outcomes = await Promise.allSettled(seeds.map((seed) => write({ seed })));
    const winners = seeds.filter((seed) => outcomes[seed]!.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('CHECKPOINT_ERROR');
    }
    await write({ seed: winners[0]! }, join(dir, 'alone'));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('a manifest that appears between two looks at it is read', async () => {
    let looks = 0;
    const ops = hookedOps(async (name) => {
      // At the directory, and then at what is where the manifest could not be opened: by now another rank's.
      if (name === 'inspect' && ++looks === 2) await write({ rank: 0, world: 2 });
    });
    const late = { ...OPTIONS, rank: 1, world: 2 };
    expect(states(await writeCheckpointWith(PLAN, out, late, { ops }))).toContain('written');
    await finalizeCheckpoint(out);
    await write({}, join(dir, 'alone'));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('a shard of the same model that appears while the directory is looked at is nobody else’s', async () => {
    let lists = 0;
    const ops = hookedOps(async (name) => {
      // There is no manifest yet; before the second look at the names another rank claims the directory and is done.
      if (name === 'list' && ++lists === 2) await write({ rank: 0, world: 2 });
    });
    const late = { ...OPTIONS, rank: 1, world: 2 };
    expect(states(await writeCheckpointWith(PLAN, out, late, { ops }))).toContain('written');
    await finalizeCheckpoint(out);
    await write({}, join(dir, 'alone'));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test.each([
    [1, 'its first shard'],
    [4, 'its last shard'],
    [5, 'a file beside them'],
  ])('who loses the directory to an overwrite leaves it alone: file %d, %s', async (file) => {
    await write({ rank: 1, world: 2 });
    let files = 0;
    const ops = hookedOps(async (name) => {
      // Before a file of the loser gets its name, another seed's checkpoint is complete.
      if (name === 'sync' && ++files === file) await write({ seed: 2, overwrite: true });
    });
    const loser = { ...OPTIONS, rank: 0, world: 2, concurrency: 1 };
    expect(await failure(writeCheckpointWith(PLAN, out, loser, { ops }))).toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringMatching(/somebody has replaced it/),
    });
    await write({ seed: 2 }, join(dir, 'alone'));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('where links cannot be made, who lost the directory at the end says so', async () => {
    const ops = hookedOps((name) => {
      if (name === 'link') throw errno('EPERM');
    });
    await writeCheckpointWith(PLAN, out, OPTIONS, { ops });
    expect((await finalizeCheckpoint(out)).shards).toBe(7);
    let writes = 0;
    const stolen = hookedOps((name) => {
      // Another model's manifest takes the place of ours while shards are written.
      if (name === 'write' && ++writes === 3) writeFileSync(join(dir, 'other/isometry.json'), '{}');
    });
    expect(
      await failure(writeCheckpointWith(PLAN, join(dir, 'other/'), OPTIONS, { ops: stolen })),
    ).toMatchObject({
      code: 'CHECKPOINT_ERROR',
      message: expect.stringMatching(/somebody has replaced it/),
    });
    expect(existsSync(join(dir, 'other', INDEX))).toBe(false);
  });
});

describe('ranks', () => {
  test.each([1, 2, 3, 8])('%i of them make the directory that one makes', async (world) => {
    await write({}, join(dir, 'alone'));
    const all = await Promise.all(Array.from({ length: world }, (_, rank) => write({ rank, world })));
    if (world > 1) expect(existsSync(join(out, INDEX))).toBe(false);
    for (const [rank, { shards, complete, tensors }] of all.entries()) {
      expect(complete).toBe(world === 1);
      const own = shards.filter((shard: CheckpointShard) => shard.rank === rank);
      for (const { state } of own) expect(state).toBe('written');
      expect(shards.filter(({ state }) => state === 'left')).toHaveLength(shards.length - own.length);
      expect(tensors).toBe(own.reduce((total, shard) => total + shard.tensors, 0));
    }
    const summary = await finalizeCheckpoint(out);
    expect(summary).toMatchObject({ path: out, shards: 7, tensors: PLAN.tensors.length });
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('may do it again, in another world, after one has finished it all', async () => {
    await write();
    const before = contents(out);
    const summary = await write({ rank: 1, world: 4 });
    expect(summary.shards.filter(({ state }) => state === 'kept').map(({ rank }) => rank)).toEqual([1, 1]);
    expect(contents(out)).toEqual(before);
  });

  test('overwrite in every rank: those that come later keep what the first ones wrote', async () => {
    await write({ seed: 9, maxShardSize: 1500 });
    for (const rank of [2, 0, 1]) await write({ rank, world: 3, overwrite: true });
    await finalizeCheckpoint(out);
    await write({}, join(dir, 'alone'));
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });
});

describe('progress', () => {
  test('counts files, tensors and bytes of all that are written at a time', async () => {
    const seen: CheckpointProgress[] = [];
    await write({ onProgress: (progress: CheckpointProgress) => seen.push(progress) });
    expect(new Set(seen.map(({ file }) => file)).size).toBe(7);
    for (const [i, progress] of seen.entries()) {
      expect(progress.bytesDone).toBeGreaterThanOrEqual(seen[i - 1]?.bytesDone ?? 0);
      expect(progress.fileBytesDone).toBeLessThanOrEqual(progress.fileBytesTotal);
    }
    const last = seen.at(-1)!;
    expect(last).toMatchObject({ shardsDone: 7, shardsTotal: 7, tensorsDone: PLAN.tensors.length });
    expect(last.bytesDone).toBe(last.bytesTotal);
  });

  test('of shards that are kept, and of one rank alone', async () => {
    await write();
    const seen: CheckpointProgress[] = [];
    const onProgress = (progress: CheckpointProgress): void => void seen.push(progress);
    await write({ onProgress, rank: 1, world: 2 });
    expect(seen).toHaveLength(3);
    expect(seen.at(-1)).toMatchObject({ shardsDone: 3, shardsTotal: 3 });
  });
});

describe('a failure', () => {
  const broken = (nth: number): Backend => {
    let count = 0;
    return {
      ...jsBackend,
      fillSync: (request, target, start) => {
        if (count++ === nth) throw new Error('broken');
        jsBackend.fillSync(request, target, start);
      },
    };
  };

  test('of the backend leaves whole shards only, and the next run keeps them', async () => {
    const seams = { selectBackend: () => ({ backend: broken(10), reason: '' }) };
    const options = { ...OPTIONS, concurrency: 1 };
    expect(await failure(writeCheckpointWith(PLAN, out, options, seams))).toMatchObject({
      message: 'broken',
    });
    expect(readdirSync(out).some((name) => name.endsWith('.tmp') || name === INDEX)).toBe(false);
    const again = states(await write());
    expect(again).toContain('kept');
    expect(again).toContain('written');
  });

  test('of every operation in turn, and then a run without: the same directory, nothing else in it', async () => {
    await write({}, join(dir, 'alone'));
    const expected = contents(join(dir, 'alone'));
    let failed = 0;
    for (let n = 0; ; n += 5) {
      rmSync(out, { recursive: true, force: true });
      let count = 0;
      const ops = hookedOps(() => {
        if (count++ === n) throw errno('EIO');
      });
      const outcome = await writeCheckpointWith(PLAN, out, OPTIONS, { ops }).then(
        () => undefined,
        (error) => error,
      );
      if (count <= n) break;
      // Sweeping is best effort.
      if (outcome !== undefined) {
        failed++;
        expect(outcome).toMatchObject({ code: 'IO_ERROR', cause: { code: 'EIO' } });
      }
      if (existsSync(out)) expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      await write();
      expect(contents(out)).toEqual(expected);
    }
    expect(failed).toBeGreaterThan(15);
  });

  test('an abort at many moments leaves whole files only', async () => {
    await write({}, join(dir, 'alone'));
    for (const n of [0, 5, 20, 40, 60]) {
      const controller = new AbortController();
      const reason = new Error('stop');
      let count = 0;
      const ops = hookedOps(() => {
        if (count++ === n) controller.abort(reason);
      });
      const options = { ...OPTIONS, signal: controller.signal };
      expect(await failure(writeCheckpointWith(PLAN, out, options, { ops })), String(n)).toBe(reason);
      if (existsSync(out)) expect(readdirSync(out).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }
    await write();
    expect(contents(out)).toEqual(contents(join(dir, 'alone')));
  });

  test('too little space is known before any shard is written, for all that this rank has to write', async () => {
    const ops = { ...hookedOps(() => {}), freeBytes: async () => 5000 };
    const failed = await failure(writeCheckpointWith(PLAN, out, OPTIONS, { ops }));
    expect(failed.message).toMatch(/ENOSPC; \d{5} bytes are needed and 5000 are available/);
    expect(readdirSync(out)).toEqual(['isometry.json']);
  });
});

describe('tensors that are copied from another checkpoint', () => {
  const again = { rules: [{ match: '**', init: { kind: 'ones' } }] };

  test('are recognized and kept as others are', async () => {
    await write();
    const plan = await planLike(out, again, { only: 'layers.3.*' });
    const target = join(dir, 'like');
    const { shards } = await writeCheckpoint(plan, target, OPTIONS);
    const before = contents(target);
    const damaged = join(target, shards[1]!.file);
    damage(damaged, statSync(damaged).size - 1);
    const summary = await writeCheckpoint(plan, target, OPTIONS);
    expect(states(summary).filter((state) => state === 'written')).toHaveLength(1);
    expect(contents(target)).toEqual(before);
    const [ours, theirs] = [await tensorsOf(target), await tensorsOf(out)];
    for (const [name, bytes] of theirs) {
      const made = name.startsWith('layers.3.');
      expect(ours.get(name)!.equals(bytes), name).toBe(!made);
    }
  });

  test('cannot be written over what they are copied from, by any name of the directory', async () => {
    await write();
    const before = contents(out);
    const link = join(dir, 'link');
    symlinkSync(out, link);
    const plan = await planLike(out, again, { only: 'layers.3.*' });
    for (const target of [out, `${out}/`, link, join(dir, 'x/../model')]) {
      expect(await failure(writeCheckpoint(plan, target, { ...OPTIONS, overwrite: true }))).toMatchObject({
        code: 'CHECKPOINT_ERROR',
        message: expect.stringMatching(/from which tensors are copied; write elsewhere/),
      });
    }
    expect(contents(out)).toEqual(before);
  });
});

describe('wrong arguments touch nothing', () => {
  test.each<[string, object, RegExp]>([
    ['rank without world', { rank: 0 }, /world beside rank/],
    ['world without rank', { world: 2 }, /rank beside world/],
    ['rank as large as world', { rank: 2, world: 2 }, /from 0 to 1 \(below world\) for rank/],
    ['no whole rank', { rank: 0.5, world: 2 }, /for rank/],
    ['world 0', { rank: 0, world: 0 }, /for world/],
    ['a size of 0', { maxShardSize: 0 }, /for maxShardSize/],
    ['a size that is none', { maxShardSize: '5 apples' }, /for maxShardSize/],
    ['null for a size', { maxShardSize: null }, /for maxShardSize/],
    ['slices with a size', { slices: true, maxShardSize: 5 }, /no maxShardSize with slices/],
    ['slices that are no boolean', { slices: 1 }, /true or false for slices/],
    ['overwrite that is no boolean', { overwrite: 'yes' }, /true or false for overwrite/],
    ['no concurrency', { concurrency: 0 }, /from 1 to 64 for concurrency/],
    ['too much concurrency', { concurrency: 65 }, /from 1 to 64 for concurrency/],
    ['an unknown format', { format: 'safetensor' }, /did you mean "safetensors"/],
    [
      'ranks of npy',
      { format: 'npy', rank: 0, world: 2 },
      /no maxShardSize with format npy|no rank with format npy/,
    ],
  ])('%s', async (_, options, message) => {
    const failed = await failure(write(options, `${out}/`));
    expect(failed).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(message) });
    expect(existsSync(out)).toBe(false);
  });

  test('a file name where a directory is needed, a file where one is', async () => {
    const named = await failure(write({}, join(dir, 'model.safetensors')));
    expect(named).toMatchObject({ code: 'INVALID_OPTION', message: expect.stringMatching(/end it in "\/"/) });
    writeFileSync(out, 'file');
    expect(await failure(write())).toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringMatching(/EEXIST/),
    });
    expect(await failure(write({}, `${out}/`))).toMatchObject({ code: 'IO_ERROR' });
    expect(readFileSync(out, 'utf8')).toBe('file');
  });
});
