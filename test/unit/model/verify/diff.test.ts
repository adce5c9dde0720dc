import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffCheckpoints } from '../../../../src/model/verify/diff.js';
import { type TestTensor, writeSafetensors } from '../../../helpers/safetensors.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-diff-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let made = 0;
function file(tensors: readonly TestTensor[], metadata?: Record<string, string>): string {
  const path = join(dir, `${made++}.safetensors`);
  writeSafetensors(path, tensors, metadata);
  return path;
}

const f32 = (name: string, values: number[], shape = [values.length]): TestTensor => ({
  name,
  dtype: 'F32',
  shape,
  data: Float32Array.from(values),
});

test('equal files', async () => {
  const tensors = [f32('a', [1, 2]), f32('b', [Number.NaN])];
  const [a, b] = [file(tensors, { seed: '1' }), file(tensors, { seed: '1' })];
  expect(await diffCheckpoints(a, b)).toEqual({
    equal: true,
    onlyInA: [],
    onlyInB: [],
    changed: [],
    metadata: [],
    tensors: 2,
    bytes: 12,
  });
});

test('names, shapes, dtypes, values and metadata', async () => {
  const half: TestTensor = { name: 'd', dtype: 'F16', shape: [1], data: new Uint16Array(1) };
  const a = file([f32('gone', [1]), f32('s', [1, 2]), f32('d', [0]), f32('v', [1, 2, 3]), f32('same', [5])], {
    seed: '1',
    old: 'x',
  });
  const b = file(
    [f32('__proto__', [1]), f32('s', [1, 2], [2, 1]), half, f32('v', [1, 4, 2]), f32('same', [5])],
    {
      seed: '2',
      new: 'y',
    },
  );
  const diff = await diffCheckpoints(a, b);
  expect(diff).toMatchObject({
    equal: false,
    onlyInA: ['gone'],
    onlyInB: ['__proto__'],
    tensors: 4,
    bytes: 16,
  });
  const nothing = { differing: null, first: null, maxAbs: null, nonFinite: 0 };
  expect(diff.changed).toEqual(
    expect.arrayContaining([
      {
        name: 's',
        kind: 'shape',
        a: { dtype: 'F32', shape: [2] },
        b: { dtype: 'F32', shape: [2, 1] },
        ...nothing,
      },
      {
        name: 'd',
        kind: 'dtype',
        a: { dtype: 'F32', shape: [1] },
        b: { dtype: 'F16', shape: [1] },
        ...nothing,
      },
      {
        name: 'v',
        kind: 'values',
        a: { dtype: 'F32', shape: [3] },
        b: { dtype: 'F32', shape: [3] },
        differing: 2,
        first: 1,
        maxAbs: 2,
        nonFinite: 0,
      },
    ]),
  );
  expect(diff.changed).toHaveLength(3);
  expect(diff.metadata).toEqual([
    { key: 'new', a: null, b: 'y' },
    { key: 'old', a: 'x', b: null },
    { key: 'seed', a: '1', b: '2' },
  ]);
});

test('metadata need not count', async () => {
  const [a, b] = [file([f32('a', [1])], { seed: '1' }), file([f32('a', [1])], { seed: '2' })];
  expect(await diffCheckpoints(a, b)).toMatchObject({ equal: false });
  expect(await diffCheckpoints(a, b, { metadata: false })).toMatchObject({ equal: true, metadata: [] });
});

test('tensors larger than the buffer: first, last and count over all pieces', async () => {
  const size = 2_500_000; // 10 MB, in pieces of 4 MiB
  const values = Float32Array.from({ length: size }, (_, i) => i);
  const other = values.slice();
  other[1_200_000]! += 2;
  other[2_400_000] = Number.NaN;
  other[size - 1]! -= 7;
  const tensor = (data: Float32Array): TestTensor => ({ name: 'w', dtype: 'F32', shape: [size], data });
  const [a, b] = [file([tensor(values)]), file([tensor(other)])];
  const { changed, bytes } = await diffCheckpoints(a, b);
  expect(changed).toMatchObject([
    { kind: 'values', differing: 3, first: 1_200_000, maxAbs: 7, nonFinite: 1 },
  ]);
  expect(bytes).toBe(4 * size);
});

test('progress per tensor; abort and what onProgress throws stop it', async () => {
  const a = file([f32('a', [1, 2]), f32('b', [1])]);
  const seen: object[] = [];
  await diffCheckpoints(a, a, { onProgress: (progress) => seen.push(progress) });
  expect(seen).toEqual([
    { tensor: 'a', tensorsDone: 0, tensorsTotal: 2, bytesDone: 0, bytesTotal: 12 },
    { tensor: 'b', tensorsDone: 1, tensorsTotal: 2, bytesDone: 8, bytesTotal: 12 },
  ]);
  const reason = new Error('enough');
  await expect(diffCheckpoints(a, a, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const stop = (): void => {
    throw reason;
  };
  await expect(diffCheckpoints(a, a, { onProgress: stop })).rejects.toBe(reason);
});

describe('bad input', () => {
  test.each([
    [{ metadata: 'no' }, 'INVALID_OPTION'],
    [{ onProgress: 1 }, 'INVALID_OPTION'],
    [{ signal: 1 }, 'INVALID_OPTION'],
    [{ meta: true }, 'UNKNOWN_OPTION'],
  ])('%j', async (options, code) => {
    await expect(diffCheckpoints('a', 'b', options as object)).rejects.toMatchObject({ code });
  });

  test('a file that is none, on either side', async () => {
    const good = file([f32('a', [1])]);
    const bad = join(dir, 'bad');
    writeFileSync(bad, 'text of some length');
    await expect(diffCheckpoints(good, bad)).rejects.toMatchObject({ code: 'FORMAT_ERROR' });
    await expect(diffCheckpoints(bad, good)).rejects.toMatchObject({ code: 'FORMAT_ERROR' });
    await expect(diffCheckpoints(good, join(dir, 'none'))).rejects.toMatchObject({ code: 'IO_ERROR' });
  });
});
