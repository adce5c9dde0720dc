import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diff } from '../../../src/cli/diff.js';
import { capture } from '../../helpers/capture.js';
import { type TestTensor, writeSafetensors } from '../../helpers/safetensors.js';

let dir: string;
const path = (name: string): string => join(dir, `${name}.safetensors`);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-cli-diff-'));
  const f32 = (name: string, values: number[], shape = [values.length]): TestTensor => ({
    name,
    dtype: 'F32',
    shape,
    data: Float32Array.from(values),
  });
  const half: TestTensor = { name: 'd', dtype: 'F16', shape: [1], data: new Uint16Array(1) };
  const common = [f32('same', [1, 2])];
  writeSafetensors(
    path('a'),
    [...common, f32('gone\n', [1]), f32('s', [1, 2]), f32('d', [0]), f32('v', [1, 2])],
    {
      seed: '1',
    },
  );
  writeSafetensors(path('b'), [
    ...common,
    f32('new', [1]),
    f32('s', [1, 2], [2, 1]),
    half,
    f32('v', [1, NaN]),
  ]);
  writeSafetensors(path('c'), [...common, f32('v', [1, 2.5])]);
  writeSafetensors(path('d'), [...common, f32('v', [1, 2])], { seed: '2' });
});
afterAll(() => rmSync(dir, { recursive: true }));

const run = (a: string, b: string, options: object = {}) =>
  capture((signal) => diff(path(a), path(b), { metadata: true, ...options }, signal));

test('all kinds of differences, in words', async () => {
  const { code, stdout } = await run('a', 'b');
  expect(code).toBe(1);
  expect(stdout.split('\n').slice(0, -2).sort()).toEqual([
    'd: dtype F32 → F16',
    'metadata seed: "1" → -',
    'only in A: gone\\u{a}',
    'only in B: new',
    's: shape [2] → [2, 1]',
    'v: 1 of 2 elements differ, 1 of them NaN or infinite, the first is element 1',
  ]);
  expect(stdout).toContain(
    'different: 4 tensors in both, 16 B compared, 3 of them differ, 1 only in A, 1 only in B',
  );
  expect((await run('c', 'd')).stdout).toContain(
    'v: 1 of 2 elements differ, by at most 0.5, the first is element 1',
  );
});

test('and as records', async () => {
  const { records } = await run('a', 'b', { json: true });
  const lines = records();
  expect(lines.map(({ type }) => type)).toEqual([
    'only_in_a',
    'only_in_b',
    'changed',
    'changed',
    'changed',
    'metadata',
    'summary',
  ]);
  expect(lines).toContainEqual({ type: 'only_in_a', name: 'gone\n' });
  expect(lines).toContainEqual(
    expect.objectContaining({ type: 'changed', name: 'v', kind: 'values', differing: 1 }),
  );
  expect(lines.at(-1)).toEqual({
    type: 'summary',
    equal: false,
    tensors: 4,
    bytes: 16,
    changed: 3,
    onlyInA: 1,
    onlyInB: 1,
    metadata: 1,
  });
});

test('equal is exit code 0; metadata may be left out', async () => {
  expect(await run('a', 'a')).toMatchObject({ code: 0, stdout: 'equal: 5 tensors in both, 32 B compared\n' });
  expect(await run('c', 'd', { metadata: false })).toMatchObject({ code: 1 });
});
