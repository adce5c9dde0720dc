import { mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../../../src/backends/cuda.js';
import { jsBackend } from '../../../../src/backends/js.js';
import type { Backend } from '../../../../src/backends/types.js';
import { dtypeInfo } from '../../../../src/dtype.js';
import { writeCheckpointWith } from '../../../../src/model/checkpoint/checkpoint.js';
import { FakeCuda, fakeDevice } from '../../../helpers/fake-binding.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-pipeline-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const DTYPES = ['float64', 'float32', 'float16', 'bfloat16'] as const;

/** 600 tensors of all dtypes and odd sizes, and one of many chunks. */
const PLAN = {
  tensors: [
    ...Array.from({ length: 600 }, (_, k) => ({
      name: `w${k}`,
      shape: [k % 37, 3],
      dtype: DTYPES[k % 4],
      init: k % 3 === 0 ? { kind: 'truncatedNormal' } : { kind: 'uniform', min: -1, max: 1 },
    })),
    { name: 'large', shape: [300, 301], init: { kind: 'normal', std: 1 } },
  ],
};

async function write(
  backend: Backend,
  chunkBytes: number | undefined,
  signal?: AbortSignal,
): Promise<Buffer> {
  const path = join(dir, 'model.safetensors');
  const seams = {
    selectBackend: () => ({ backend, reason: '' }),
    ...(chunkBytes === undefined ? {} : { chunkBytes }),
  };
  await writeCheckpointWith(PLAN, path, { seed: 3, ...(signal === undefined ? {} : { signal }) }, seams);
  return readFileSync(path);
}

describe('a backend that computes into files', () => {
  it('writes the same file, the chunks it takes and those it leaves', async () => {
    const one = await write(jsBackend, undefined);
    const data = one.length - 8 - Number(one.readBigUInt64LE(0));
    for (const chunkBytes of [undefined, 65_536, 4096]) {
      let [taken, left] = [0, 0];
      const backend: Backend = {
        ...jsBackend,
        fillFile(parts) {
          if (parts.length % 2 === 0) {
            left++;
            return undefined;
          }
          taken++;
          return async (fd, position) => {
            for (const { request, start, length, byteOffset } of parts) {
              const part = new (dtypeInfo(request.dtype).array)(length);
              jsBackend.fillSync(request, part, start);
              writeSync(fd, new Uint8Array(part.buffer), 0, part.byteLength, position + byteOffset);
            }
          };
        },
      };
      expect((await write(backend, chunkBytes)).equals(one)).toBe(true);
      // A chunk of more tensors than are prepared at once is nobody's but the buffer's.
      expect(taken + left).toBe(chunkBytes === undefined ? 0 : Math.ceil(data / chunkBytes));
      if (chunkBytes !== undefined) expect(taken).toBeGreaterThan(2);
      if (chunkBytes === 4096) expect(left).toBeGreaterThan(2);
    }
  });

  it('fails as any other, with the file that could not be written', async () => {
    const full = Object.assign(new Error('ENOSPC: write'), { code: 'ENOSPC' });
    const backend: Backend = { ...jsBackend, fillFile: () => () => Promise.reject(full) };
    await expect(write(backend, 65_536)).rejects.toMatchObject({
      code: 'IO_ERROR',
      message: expect.stringMatching(/^could not write .*model\.safetensors: ENOSPC; no space left/),
      cause: full,
    });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is stopped between its chunks', async () => {
    const controller = new AbortController();
    let calls = 0;
    const backend: Backend = {
      ...jsBackend,
      fillFile: () => async () => {
        if (++calls === 5) controller.abort('enough');
      },
    };
    await expect(write(backend, 4096, controller.signal)).rejects.toBe('enough');
    expect(calls).toBeLessThan(9);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('a backend that takes many tensors at once', () => {
  it('writes the same file, with few calls, whatever the size of the chunks', async () => {
    const one = await write(jsBackend, undefined);
    const data = one.length - 8 - Number(one.readBigUInt64LE(0));
    for (const [chunkBytes, calls] of [
      [undefined, 2], // one chunk, of 512 tensors and the rest
      [65_536, Math.ceil(data / 65_536)],
      [4096, Math.ceil(data / 4096)],
    ] as const) {
      const fake = new FakeCuda();
      const grouped = await write(createCudaBackend(fake.binding, fakeDevice(0)), chunkBytes);
      expect(grouped.equals(one)).toBe(true);
      expect(fake.calls).toHaveLength(calls);
      expect(fake.calls.every((call) => /^fill\(\d+\)$/.test(call))).toBe(true);
    }
  });

  it('says by itself how large a chunk suits it', async () => {
    const fake = new FakeCuda();
    const backend = { ...createCudaBackend(fake.binding, fakeDevice(0)), chunkBytes: 65_536 };
    await write(backend, undefined);
    expect(fake.calls.length).toBeGreaterThan(6);
  });

  it('fails and stops as any other', async () => {
    const fake = new FakeCuda();
    fake.failures.set('fill', { code: 'DEVICE_ERROR', message: 'broken' });
    const backend = createCudaBackend(fake.binding, fakeDevice(0));
    await expect(write(backend, 4096)).rejects.toMatchObject({ code: 'DEVICE_ERROR', message: 'broken' });
    fake.failures.clear();
    const controller = new AbortController();
    const binding = {
      ...fake.binding,
      cudaFillAsync: (...args: Parameters<typeof fake.binding.cudaFillAsync>) => {
        if (fake.calls.length === 20) controller.abort('enough');
        return fake.binding.cudaFillAsync(...args);
      },
    };
    await expect(write(createCudaBackend(binding, fakeDevice(0)), 4096, controller.signal)).rejects.toBe(
      'enough',
    );
    expect(fake.calls.length).toBeLessThan(25);
  });
});
