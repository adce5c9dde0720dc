import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCheckpoint } from '../../../../src/model/checkpoint/checkpoint.js';
import { sliceFiles, sourceOfPart } from '../../../../src/model/checkpoint/dcp.js';
import { finalizeCheckpoint } from '../../../../src/model/checkpoint/finalize.js';
import { parsePlan } from '../../../../src/model/plan/plan.js';
import type { StoredPlanTensor } from '../../../../src/model/plan/stored-tensors.js';
import type { StoredDType } from '../../../../src/safetensors/dtypes.js';
import { SafetensorsReader } from '../../../../src/safetensors/read.js';
import { contents, MODEL } from '../../../helpers/directory.js';

const stored = (name: string, shape: number[], dtype: StoredDType, bytes: number): StoredPlanTensor =>
  ({ name, shape, dtype, bytes, source: {} }) as unknown as StoredPlanTensor;

describe('sliceFiles', () => {
  const tensors = [
    stored('w', [5, 3], 'F32', 60),
    stored('scalar', [], 'F32', 4),
    stored('empty', [0, 3], 'F32', 0),
    stored('inner', [4, 0], 'F32', 0),
    stored('__proto__', [2], 'BF16', 4),
  ];

  test('every rank has its rows; scalars and what is empty go to the first', () => {
    const files = sliceFiles(tensors, 3);
    expect(files.map(({ file, rank }) => [file, rank])).toEqual([
      ['shard-00001-model-00001-of-00001.safetensors', 0],
      ['shard-00002-model-00001-of-00001.safetensors', 1],
      ['shard-00003-model-00001-of-00001.safetensors', 2],
    ]);
    const parts = files.map(({ tensors: all }) =>
      all.map(({ name, shape, begin, bytes }) => [name, shape, begin, bytes]),
    );
    expect(parts).toEqual([
      [
        ['w', [2, 3], 0, 24],
        ['scalar', [], 0, 4],
        ['empty', [0, 3], 0, 0],
        ['inner', [4, 0], 0, 0],
        ['__proto__', [1], 0, 2],
      ],
      [
        ['w', [2, 3], 24, 24],
        ['__proto__', [1], 2, 2],
      ],
      [['w', [1, 3], 48, 12]],
    ]);
    expect(files[0]!.metadata.get('DCP_SHARDING_INFO')).toBe(
      '{"w":{"saved_offsets":[0,0]},"scalar":{"saved_offsets":[]},"empty":{"saved_offsets":[0,0]},"inner":{"saved_offsets":[0,0]},"__proto__":{"saved_offsets":[0]}}',
    );
    expect(files[1]!.metadata.get('DCP_SHARDING_INFO')).toBe(
      '{"w":{"saved_offsets":[2,0]},"__proto__":{"saved_offsets":[1]}}',
    );
    expect(files[2]!.metadata.get('DCP_VERSION')).toBe('1.0');
  });

  test('a rank that would have nothing has no file', () => {
    expect(sliceFiles(tensors, 9).map(({ rank }) => rank)).toEqual([0, 1, 2, 3, 4]);
    expect(sliceFiles([stored('s', [], 'F32', 4)], 2 ** 24).map(({ rank }) => rank)).toEqual([0]);
  });

  test('rows that do not fill bytes, and too many slices', () => {
    expect(() => sliceFiles([stored('f4', [2, 3], 'F4', 3)], 2)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(/"f4" have 1.5 bytes/),
      }),
    );
    const many = Array.from({ length: 3 }, (_, i) => stored(`t${i}`, [2 ** 24, 1], 'F32', 2 ** 26));
    expect(() => sliceFiles(many, 2 ** 24)).toThrow(expect.objectContaining({ code: 'TOO_LARGE' }));
  });
});

test('what makes bytes makes those of a part', async () => {
  const whole = stored('w', [4, 2], 'I16', 16);
  const [, second] = sliceFiles([whole], 2).map(({ tensors }) => tensors[0]!);
  const asked: number[] = [];
  const source = sourceOfPart(second!, () => ({ kind: 'bytes', read: (_, at) => void asked.push(at) }));
  if (source.kind === 'bytes') await source.read(new Uint8Array(2), 6);
  expect(asked).toEqual([14]);
});

describe('a checkpoint of slices', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'isometry-dcp-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const PLAN = parsePlan(MODEL);

  /** All tensors of a directory, put together from their slices. */
  async function assembled(directory: string): Promise<Map<string, Buffer>> {
    const parts = new Map<string, [number, Buffer][]>();
    for (const name of readdirSync(directory).filter((file) => file.endsWith('.safetensors'))) {
      const reader = await SafetensorsReader.open(join(directory, name));
      const info = JSON.parse(reader.metadata.get('DCP_SHARDING_INFO') ?? 'null');
      for (const entry of reader.tensors) {
        const pieces: Buffer[] = [];
        for await (const piece of reader.chunks(entry, new Uint8Array(4096))) pieces.push(Buffer.from(piece));
        const list = parts.get(entry.name) ?? [];
        parts.set(entry.name, [...list, [info?.[entry.name].saved_offsets[0] ?? 0, Buffer.concat(pieces)]]);
      }
      await reader.close();
    }
    return new Map(
      [...parts].map(([name, list]) => [
        name,
        Buffer.concat(list.sort(([a], [b]) => a - b).map(([, bytes]) => bytes)),
      ]),
    );
  }

  test.each([1, 2, 3, 8, 200])('of %i ranks has the bytes of the whole one', async (world) => {
    await writeCheckpoint(PLAN, join(dir, 'whole/'), { seed: 3 });
    const out = join(dir, 'slices');
    const ranks = world === 200 ? [0, 1, 2, 99, 199] : Array.from({ length: world }, (_, rank) => rank);
    const all = await Promise.all(
      ranks.map((rank) => writeCheckpoint(PLAN, out, { seed: 3, slices: true, rank, world })),
    );
    if (world === 200) {
      // 100 rows at most: ranks from 100 on have nothing to do, which is no error.
      expect(all.at(-1)).toMatchObject({ tensors: 0, bytes: 0 });
      expect(all[0]!.shards).toHaveLength(100);
      await expect(finalizeCheckpoint(out)).rejects.toMatchObject({ code: 'CHECKPOINT_ERROR' });
      return;
    }
    const summary = await finalizeCheckpoint(out);
    expect(summary).toMatchObject({ shards: world, tensors: PLAN.tensors.length });
    expect(readdirSync(out)).not.toContain('model.safetensors.index.json');
    const [ours, whole] = [await assembled(out), await assembled(join(dir, 'whole'))];
    expect(ours.size).toBe(whole.size);
    for (const [name, bytes] of whole) expect(ours.get(name)!.equals(bytes), name).toBe(true);
    const before = contents(out);
    const again = await writeCheckpoint(PLAN, out, { seed: 3, slices: true, rank: 0, world });
    expect(again.shards[0]!.state).toBe('kept');
    expect(contents(out)).toEqual(before);
  });
});
