import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { npyHeader } from '../../../../../src/model/checkpoint/formats/npy-header.js';
import { npz } from '../../../../../src/model/checkpoint/formats/npz.js';
import type { StoredPlanTensor } from '../../../../../src/model/plan/stored-tensors.js';
import { hookedOps } from '../../../../helpers/faulty-ops.js';
import { bytesOf, jobFor, tensor } from './job.js';

const TENSORS = [
  tensor('layers/0/kernel', 'F32', [5, 10]),
  tensor('é', 'F64', []),
  tensor('empty', 'F16', [0, 3]),
  tensor('n', 'I64', [100]),
];

/** Reads a small zip file from its end, as readers do, and checks that both headers agree. */
function unzip(file: Buffer): [name: string, data: Buffer][] {
  const end = file.length - 22;
  expect(file.readUInt32LE(end)).toBe(0x06054b50);
  const count = file.readUInt16LE(end + 10);
  let at = file.readUInt32LE(end + 16);
  expect(at + file.readUInt32LE(end + 12)).toBe(end);
  const entries: [string, Buffer][] = [];
  let position = 0;
  for (let i = 0; i < count; i++) {
    expect(file.readUInt32LE(at)).toBe(0x02014b50);
    expect(file.readUInt16LE(at + 10)).toBe(0);
    const [size, nameLength] = [file.readUInt32LE(at + 24), file.readUInt16LE(at + 28)];
    const name = file.toString('utf8', at + 46, at + 46 + nameLength);
    const local = file.readUInt32LE(at + 42);
    expect(local).toBe(position);
    expect(file.readUInt32LE(local)).toBe(0x04034b50);
    expect(file.subarray(local + 6, local + 28)).toEqual(file.subarray(at + 8, at + 30));
    const begin = local + 30 + nameLength + file.readUInt16LE(local + 28);
    const data = file.subarray(begin, begin + size);
    expect(crc32(data)).toBe(file.readUInt32LE(at + 16));
    entries.push([name, data]);
    position = begin + size;
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return entries;
}

const contents = (tensors: readonly StoredPlanTensor[]): unknown =>
  tensors.map((stored) => [`${stored.name}.npy`, Buffer.concat([npyHeader(stored), bytesOf(stored)])]);

test('is a zip file of .npy files in the plan’s order, the same bytes every time', async () => {
  const done: number[] = [];
  const job = jobFor(TENSORS, { onWritten: (bytes) => done.push(bytes) });
  const [file, ...others] = await npz.write(job);
  const bytes = readFileSync(job.path);
  expect(file).toEqual({ file: expect.stringMatching(/^\d+$/), bytes: bytes.length });
  expect(others).toEqual([]);
  expect(unzip(bytes)).toEqual(contents(TENSORS));
  expect(done).toEqual([...done].sort((a, b) => a - b));
  expect(done.at(-1)).toBe(TENSORS.reduce((total, stored) => total + stored.bytes, 0));
  const again = jobFor(TENSORS, { chunkBytes: 1 << 20, ops: hookedOps(() => {}, 13) });
  await npz.write(again);
  expect(readFileSync(again.path)).toEqual(bytes);
});

test('no tensors at all', async () => {
  const job = jobFor([]);
  await npz.write(job);
  expect(unzip(readFileSync(job.path))).toEqual([]);
});

test('names and dtypes are checked before anything is written; an abort leaves an old file as it was', async () => {
  for (const bad of [tensor('x', 'BF16', [1]), tensor('../x', 'F32', [1]), tensor('n.npy', 'F32', [1])]) {
    const job = jobFor([...TENSORS, bad]);
    await expect(npz.write(job)).rejects.toThrow(/expected a/);
    expect(existsSync(job.path)).toBe(false);
  }
  const controller = new AbortController();
  const job = jobFor(TENSORS, {
    signal: controller.signal,
    onWritten: () => controller.abort(new Error('enough')),
  });
  writeFileSync(job.path, 'old');
  await expect(npz.write(job)).rejects.toThrow('enough');
  expect(readFileSync(job.path, 'utf8')).toBe('old');
});
