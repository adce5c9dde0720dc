import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeCheckpoint } from '../../../../src/model/checkpoint/checkpoint.js';
import {
  encodeManifest,
  isFileName,
  isShardName,
  type Manifest,
  manifestDifferences,
  parseManifest,
  readManifest,
} from '../../../../src/model/checkpoint/manifest.js';
import { MODEL } from '../../../helpers/directory.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-manifest-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const HASH = '0123456789abcdef'.repeat(4);
const MANIFEST: Manifest = {
  manifest_version: 1,
  generator: 'isometry',
  version: '9.9.9',
  stream_version: 1,
  seed: '18446744073709551615',
  plan_sha256: HASH,
  dtype: 'bfloat16',
  format: 'safetensors',
  max_shard_size: 5_000_000_000,
  plan: 'isometry-plan.json',
  shards: [{ file: 'model.safetensors', bytes: 10, tensors: 1, header_sha256: HASH }],
  files: [{ name: 'config.json', bytes: 2, sha256: HASH }],
};

test('what a checkpoint has can be read; where there is none, nothing is', async () => {
  expect(await readManifest(dir)).toBeUndefined();
  expect(await readManifest(join(dir, 'none'))).toBeUndefined();
  await writeCheckpoint(MODEL, dir, { seed: 5, dtype: 'float16', maxShardSize: '1kB' });
  const manifest = (await readManifest(dir))!;
  expect(manifest).toMatchObject({
    seed: '5',
    dtype: 'float16',
    max_shard_size: 1000,
    generator: 'isometry',
  });
  expect(manifest.shards.length).toBeGreaterThan(2);
});

test('is read as it is written', () => {
  const bytes = encodeManifest(MANIFEST);
  expect(bytes.at(-1)).toBe(10);
  expect(JSON.parse(JSON.stringify(parseManifest(bytes, 'x')))).toEqual(MANIFEST);
});

describe('what is no manifest is refused', () => {
  test('a seed that none can be', () => {
    const bytes = Buffer.from(encodeManifest({ ...MANIFEST, seed: '18446744073709551616' }));
    refused(bytes, /its seed cannot be "18446744073709551616"/);
  });

  const refused = (bytes: Uint8Array, message: RegExp): void =>
    expect(() => parseManifest(bytes, 'PATH')).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_ERROR', message: expect.stringMatching(message) }),
    );
  const shard = MANIFEST.shards[0]!;
  const file = MANIFEST.files[0]!;

  test.each<[string, RegExp]>([
    ['', /PATH/],
    ['[]', /it is \[\] of type Array/],
    ['{"a":1}', /manifest_version is undefined/],
    ['{"a":1,"a":2}', /duplicate|twice/i],
    ['[[[[[[]]]]]]', /nest|deep/i],
  ])('%j', (text, message) => refused(Buffer.from(text), message));

  test('other bytes', () => refused(Uint8Array.of(0xff), /not UTF-8/));

  test.each<[string, object]>([
    ['manifest_version', { manifest_version: 2 }],
    ['generator', { generator: 'other' }],
    ['version', { version: 1 }],
    ['stream_version', { stream_version: 0 }],
    ['seed', { seed: 5 }],
    ['seed', { seed: '-1' }],
    ['plan_sha256', { plan_sha256: 'abc' }],
    ['dtype', { dtype: 'float33' }],
    ['format', { format: 'npy' }],
    ['max_shard_size', { max_shard_size: 0.5 }],
    ['slices', { slices: 0 }],
    ['plan', { plan: '../plan.json' }],
    ['shards', { shards: [] }],
    ['shards', { shards: {} }],
    ['shards', { shards: [{ ...shard, file: '../model.safetensors' }] }],
    ['shards', { shards: [{ ...shard, file: '/etc/passwd' }] }],
    ['shards', { shards: [{ ...shard, bytes: -1 }] }],
    ['shards', { shards: [{ ...shard, tensors: 1.5 }] }],
    ['shards', { shards: [{ ...shard, header_sha256: 'X'.repeat(64) }] }],
    ['shards', { shards: [{ ...shard, more: 1 }] }],
    ['shards', { shards: [null] }],
    ['names a file twice', { shards: [shard, shard] }],
    ['files', { files: [{ ...file, name: 'a/b' }] }],
    ['files', { files: [{ ...file, name: '__proto__/..' }] }],
    ['names a file twice', { files: [file, file] }],
    ['unknown key "extra"', { extra: 1 }],
  ])('%s', (word, change) =>
    refused(Buffer.from(JSON.stringify({ ...MANIFEST, ...change })), new RegExp(word)),
  );

  test('a file of gigabytes is not read', async () => {
    writeFileSync(join(dir, 'isometry.json'), '');
    truncateSync(join(dir, 'isometry.json'), 2 ** 40);
    await expect(readManifest(dir)).rejects.toMatchObject({ code: 'CHECKPOINT_ERROR' });
  });
});

test('more files than can be read are not written', () => {
  const shards = Array.from({ length: 500_000 }, () => MANIFEST.shards[0]!);
  expect(() => encodeManifest({ ...MANIFEST, shards })).toThrow(
    expect.objectContaining({ code: 'TOO_LARGE', message: expect.stringMatching(/larger maxShardSize/) }),
  );
});

test('differences in words', () => {
  expect(manifestDifferences(MANIFEST, MANIFEST)).toBe('');
  const { max_shard_size: _, ...sliced } = { ...MANIFEST, seed: '1', slices: 4, files: [] };
  expect(manifestDifferences(sliced, MANIFEST)).toBe(
    'its seed is 1 and not 18446744073709551615, its max_shard_size is not set and not 5000000000, its slices is 4 and not not set, its files are others',
  );
});

test('which names are those of shards, and which can be beside them', () => {
  for (const name of [
    'model.safetensors',
    'model-00001-of-00003.safetensors',
    'model-100000-of-123456.safetensors',
    'shard-00002-model-00001-of-00001.safetensors',
  ]) {
    expect(isShardName(name), name).toBe(true);
    expect(isFileName(name), name).toBe(false);
  }
  for (const name of [
    'xmodel.safetensors',
    'model-1-of-3.safetensors',
    'model-00001-of-00003.safetensors\n',
    'a/model.safetensors',
  ])
    expect(isShardName(name), name).toBe(false);
  for (const name of ['config.json', 'vocab.txt', 'été.json']) expect(isFileName(name), name).toBe(true);
  for (const name of [
    '',
    '.',
    '..',
    '.hidden',
    'a/b',
    'a\\b',
    'a\0',
    'x'.repeat(256),
    'isometry.json',
    'model.safetensors.index.json',
    3,
  ])
    expect(isFileName(name), String(name)).toBe(false);
});
