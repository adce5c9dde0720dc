import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { npy } from '../../../../../src/model/checkpoint/formats/npy.js';
import { npyHeader } from '../../../../../src/model/checkpoint/formats/npy-header.js';
import { errno, hookedOps } from '../../../../helpers/faulty-ops.js';
import { bytesOf, jobFor, tensor } from './job.js';

const TENSORS = [
  tensor('a.weight', 'F32', [5, 10]),
  tensor('b', 'F64', []),
  tensor('empty', 'F16', [0, 3]),
  tensor('flags', 'BOOL', [7]),
  tensor('n', 'I64', [100]),
];

describe('npy', () => {
  test('is a directory of files, each a header and the bytes', async () => {
    const done: number[] = [];
    const job = jobFor(TENSORS, { onWritten: (bytes) => done.push(bytes), concurrency: 3 });
    const files = await npy.write(job);
    expect(readdirSync(job.path).sort()).toEqual(TENSORS.map(({ name }) => `${name}.npy`).sort());
    for (const [index, stored] of TENSORS.entries()) {
      const found = readFileSync(join(job.path, `${stored.name}.npy`));
      expect(found).toEqual(Buffer.concat([npyHeader(stored), bytesOf(stored)]));
      expect(files[index]).toEqual({ file: `${stored.name}.npy`, bytes: found.length });
    }
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(TENSORS.reduce((total, { bytes }) => total + bytes, 0));
  });

  test('nothing is there before all is checked', async () => {
    for (const bad of [tensor('x', 'BF16', [1]), tensor('a/b', 'F32', [1]), tensor('B', 'F32', [1])]) {
      const job = jobFor([...TENSORS, bad]);
      await expect(npy.write(job)).rejects.toThrow(/expected a/);
      expect(() => readdirSync(job.path)).toThrow(/ENOENT/);
    }
  });

  test('another model is refused, or removed; the same one is written again', async () => {
    const job = jobFor(TENSORS);
    mkdirSync(job.path);
    writeFileSync(join(job.path, 'other.npy'), '');
    writeFileSync(join(job.path, 'b.npy'), 'of an earlier run');
    writeFileSync(join(job.path, 'notes.txt'), '');
    await expect(npy.write(job)).rejects.toThrow(
      expect.objectContaining({
        code: 'CHECKPOINT_ERROR',
        message: expect.stringMatching(/has "other.npy"; /),
      }),
    );
    expect(readFileSync(join(job.path, 'b.npy'), 'utf8')).toBe('of an earlier run');
    await npy.write({ ...job, overwrite: true });
    expect(readdirSync(job.path).sort()).toEqual(
      [...TENSORS.map(({ name }) => `${name}.npy`), 'notes.txt'].sort(),
    );
    await npy.write(job);
    const b = readFileSync(join(job.path, 'b.npy'));
    // Another value, as of another seed; and a file that is not whole.
    for (const other of [Buffer.concat([b.subarray(0, -1), Buffer.of(b.at(-1)! ^ 1)]), b.subarray(0, -1)]) {
      writeFileSync(join(job.path, 'b.npy'), other);
      const message = /without another model, but it has "b\.npy"; write elsewhere, or with overwrite/;
      await expect(npy.write(job)).rejects.toThrow(message);
      expect(readFileSync(join(job.path, 'b.npy'))).toEqual(other);
    }
    await npy.write({ ...job, overwrite: true });
    expect(readFileSync(join(job.path, 'b.npy'))).toEqual(
      Buffer.concat([npyHeader(TENSORS[1]!), bytesOf(TENSORS[1]!)]),
    );
  });

  test('a full disk, before and during the work, and an abort leave no unfinished file', async () => {
    const full = jobFor(TENSORS, { ops: { ...hookedOps(() => {}), freeBytes: async () => 100 } });
    await expect(npy.write(full)).rejects.toThrow(/ENOSPC/);
    expect(readdirSync(full.path)).toEqual([]);
    let writes = 0;
    const ops = hookedOps((operation) => {
      if (operation === 'write' && writes++ === 3) throw errno('ENOSPC');
    });
    const during = jobFor(TENSORS, { ops });
    await expect(npy.write(during)).rejects.toThrow(expect.objectContaining({ code: 'IO_ERROR' }));
    for (const name of readdirSync(during.path)) {
      const stored = TENSORS.find((candidate) => name === `${candidate.name}.npy`)!;
      expect(readFileSync(join(during.path, name)).length).toBe(npyHeader(stored).length + stored.bytes);
    }
    const controller = new AbortController();
    const stopped = jobFor(TENSORS, {
      signal: controller.signal,
      onWritten: () => controller.abort(new Error('enough')),
    });
    await expect(npy.write(stopped)).rejects.toThrow('enough');
    expect(readdirSync(stopped.path)).toEqual([]);
  });
});
