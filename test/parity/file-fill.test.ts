// What the addon computes into a file without an array between is what it computes into an array: every law and dtype,
// windows that cut, parts that lie one behind the other, every SIMD target; and what can go wrong with the file.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cpuBackend, fillFileWith, fillSyncWith } from '../../src/backends/cpu.js';
import { requestWords } from '../../src/backends/encode.js';
import type { Part } from '../../src/backends/types.js';
import { dtypeInfo } from '../../src/dtype.js';
import type { FillRequest, Region } from '../../src/job.js';
import { describeNative, native, simdTargets } from '../helpers/native.js';
import { CASES, type Case } from './laws.js';

/** Of all outputs: some of the blocks in which they are written, and a rest. */
const LENGTH = 300_011;
const POSITION = 1003;

let dir: string;
let file: FileHandle;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-file-fill-'));
  file = await open(join(dir, 'file'), 'w+');
});
afterEach(async () => {
  await file.close();
  rmSync(dir, { recursive: true });
});

function request({ primitive, dtype }: Case, region: Partial<Region> = {}, length = LENGTH): FillRequest {
  const whole = {
    shape: [length],
    sourceOffset: 0,
    sourceStrides: [1],
    targetOffset: 0,
    targetStrides: [1],
  };
  return { seed: 77n, dtype, length, jobs: [{ primitive, stream: 5n, region: { ...whole, ...region } }] };
}

function part(fill: FillRequest, start: number, length: number): Part {
  return { request: fill, start, length, byteOffset: 0 };
}

/** The same windows through arrays. */
function expected(parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map(({ request, start, length }) => {
      const target = new (dtypeInfo(request.dtype).array)(length);
      fillSyncWith(request, target, start, { simd: simdTargets[0]!, threads: 1 });
      return new Uint8Array(target.buffer);
    }),
  );
}

async function written(parts: readonly Part[], simd: string): Promise<Buffer> {
  const direct = fillFileWith(parts, { simd, threads: 2 });
  await direct!(file.fd, POSITION);
  return readFileSync(join(dir, 'file')).subarray(POSITION);
}

const direct = simdTargets.filter((name) => name !== 'portable');

describeNative('a fill into a file', () => {
  if (native?.fileFill === undefined) return;

  it.each(CASES)('of $name is the fill of an array', async (test) => {
    const fill = request(test);
    const parts = [part(fill, 0, LENGTH), part(fill, 7, 65_536), part(fill, LENGTH - 1, 1)];
    for (const simd of direct) expect((await written(parts, simd)).equals(expected(parts)), simd).toBe(true);
  });

  it('of many parts of several dtypes has them one behind the other', async () => {
    const cases = ['float64', 'float32', 'bfloat16'].map(
      (dtype) => CASES.find((test) => test.dtype === dtype && test.name.startsWith('uniform [-1'))!,
    );
    const strided = { shape: [100, 30], sourceStrides: [1, 200], targetStrides: [30, 1] };
    const parts = cases.flatMap((test) => [
      part(request(test, strided, 3000), 11, 2900),
      part(request(test), 0, 0),
      ...Array.from({ length: 300 }, (_, k) => part(request(test), k, (k * 7) % 501)),
    ]);
    for (const simd of direct) expect((await written(parts, simd)).equals(expected(parts)), simd).toBe(true);
  });

  it('of nothing writes nothing', async () => {
    await fillFileWith([], { threads: 2, simd: direct[0]! })!(file.fd, 0);
    expect((await file.stat()).size).toBe(0);
  });

  it('is left to arrays where the pool of Node would be slower, and for matrices', () => {
    const parts = [part(request(CASES[0]!), 0, 10)];
    expect(fillFileWith(parts, { threads: 2, simd: 'portable' })).toBeUndefined();
    const threads = (threads: number) => fillFileWith(parts, { threads, simd: direct[0]! });
    expect([1, 2, 4, 5].map((count) => threads(count) !== undefined)).toEqual([false, true, true, false]);
    vi.stubEnv('UV_THREADPOOL_SIZE', '3');
    expect([2, 3, 4].map((count) => threads(count) !== undefined)).toEqual([true, true, false]);
    vi.unstubAllEnvs();
    const [job] = parts[0]!.request.jobs;
    const matrix = {
      ...parts[0]!.request,
      jobs: [{ ...job!, primitive: { kind: 'computed' } as never }],
    };
    expect(cpuBackend.fillFile!([...parts, part(matrix, 0, 10)])).toBeUndefined();
  });

  it.each([
    ['ENOSPC', () => open('/dev/full', 'w')],
    ['EBADF', () => open(join(dir, 'file'), 'r')],
  ])('reports %s', async (code, openBad) => {
    const bad = await openBad();
    const fill = fillFileWith([part(request(CASES[0]!), 0, LENGTH)], { threads: 2, simd: direct[0]! })!;
    const error = { code, syscall: 'write', message: `${code}: write` };
    await expect(fill(bad.fd, 0)).rejects.toMatchObject(error);
    await bad.close();
  });

  const words = requestWords(request(CASES[0]!));
  const bad: [string, unknown[]][] = [
    ['no descriptor', [-1, 0, [words], new Float64Array([0, 1]), undefined, () => {}]],
    ['a position between bytes', [1, 0.5, [words], new Float64Array([0, 1]), undefined, () => {}]],
    ['no list', [1, 0, words, new Float64Array([0, 1]), undefined, () => {}]],
    ['other arrays', [1, 0, [new Float32Array(3)], new Float64Array([0, 1]), undefined, () => {}]],
    ['words that are no request', [1, 0, [words.subarray(1)], new Float64Array([0, 1]), undefined, () => {}]],
    ['a window too few', [1, 0, [words], new Float64Array([0]), undefined, () => {}]],
    ['windows that are no numbers', [1, 0, [words], [0, 1], undefined, () => {}]],
    ['a negative start', [1, 0, [words], new Float64Array([-1, 1]), undefined, () => {}]],
    ['a length of NaN', [1, 0, [words], new Float64Array([0, Number.NaN]), undefined, () => {}]],
    ['a window beyond 2^53', [1, 0, [words], new Float64Array([2 ** 53 - 1, 1]), undefined, () => {}]],
    ['an unknown SIMD target', [1, 0, [words], new Float64Array([0, 1]), 'mmx', () => {}]],
    ['no callback', [1, 0, [words], new Float64Array([0, 1]), undefined]],
  ];
  it.each(bad)('refuses %s', (_, args) => {
    const fileFill = native!.fileFill as (...args: unknown[]) => void;
    expect(() => fileFill(...args)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });

  it('refuses elements that would not lie at a multiple of their size', () => {
    const of = (dtype: string) => requestWords(request(CASES.find((test) => test.dtype === dtype)!));
    const list = [of('bfloat16'), of('float32')];
    expect(() => native!.fileFill!(1, 0, list, new Float64Array([0, 1, 0, 1]), undefined, () => {})).toThrow(
      /multiple of their size/,
    );
  });
});
