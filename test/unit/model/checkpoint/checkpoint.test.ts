import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { jsBackend } from '../../../../src/backends/js.js';
import type { Backend } from '../../../../src/backends/types.js';
import type { DType, TensorArray } from '../../../../src/dtype.js';
import { fillSync } from '../../../../src/fill.js';
import {
  type CheckpointSeams,
  writeCheckpoint,
  writeCheckpointWith,
} from '../../../../src/model/checkpoint/checkpoint.js';
import type { CheckpointProgress } from '../../../../src/model/checkpoint/progress.js';
import { parsePlan } from '../../../../src/model/plan/plan.js';
import { planHash } from '../../../../src/model/plan/plan-hash.js';
import { SafetensorsReader } from '../../../../src/safetensors/read.js';
import { VERSION } from '../../../../src/version.js';
import { hookedOps } from '../../../helpers/faulty-ops.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-checkpoint-'));
  path = join(dir, 'model.safetensors');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Every dtype, a scalar, empty tensors, odd sizes, and one tensor of many chunks. */
const PLAN = parsePlan({
  dtype: 'float32',
  metadata: { license: 'mit', format: 'flax' },
  tensors: [
    { name: 'large', shape: [700, 301], init: { kind: 'normal', std: 0.02 } },
    { name: 'bias', shape: [301], init: { kind: 'zeros' } },
    { name: 'double', shape: [333], init: { kind: 'uniform', min: -1, max: 1 }, dtype: 'float64' },
    { name: 'half', shape: [17, 19], init: { kind: 'heNormal' }, dtype: 'float16' },
    { name: 'brain', shape: [5, 7, 3], init: { kind: 'glorotUniform' }, dtype: 'bfloat16', layout: 'EOI' },
    { name: 'scalar', shape: [], init: { kind: 'constant', value: 2.5 } },
    { name: 'empty', shape: [3, 0], init: { kind: 'ones' } },
    { name: 'empty.double', shape: [0], init: { kind: 'ones' }, dtype: 'float64' },
    { name: '\u{1f600}', shape: [9], init: { kind: 'truncatedNormal' } },
  ],
});

const js = { selectBackend: () => ({ backend: jsBackend, reason: 'test' }) };

/** What the file must hold, tensor by tensor, computed whole and alone. */
async function expectContent(file: string, seed: bigint, plan = PLAN, dtype?: 'bfloat16'): Promise<void> {
  const reader = await SafetensorsReader.open(file);
  expect(reader.tensors).toHaveLength(plan.tensors.length);
  for (const { name, shape, init, ...own } of plan.tensors) {
    const entry = reader.tensors.find((tensor) => tensor.name === name)!;
    const options = { dtype: dtype ?? plan.dtype ?? 'float32', ...(own as { dtype?: DType }) };
    expect(entry.shape).toEqual(shape);
    expect(entry.dtype.dtype, name).toBe(options.dtype);
    const pieces: Buffer[] = [];
    for await (const piece of reader.chunks(entry, new Uint8Array(4096))) pieces.push(Buffer.from(piece));
    const { data } = fillSync(name, shape, init, { ...options, seed, device: 'js' });
    const alone = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    expect(Buffer.concat(pieces).equals(alone), name).toBe(true);
  }
  await reader.close();
}

describe('the file', () => {
  test('holds every tensor as it is alone, whatever the size of the chunks', async () => {
    const files: Buffer[] = [];
    for (const chunkBytes of [8, 64, 1000, 4096, 123_456, 2 ** 23]) {
      if (chunkBytes === 8) {
        // Eight bytes a chunk would be a hundred thousand writes: only the small tensors.
        const small = parsePlan({ tensors: PLAN.tensors.filter(({ name }) => name !== 'large') });
        await writeCheckpointWith(small, path, { seed: 7 }, { ...js, chunkBytes });
        await expectContent(path, 7n, small);
        continue;
      }
      await writeCheckpointWith(
        PLAN,
        path,
        { seed: 7 },
        { ...js, chunkBytes: Math.ceil(chunkBytes / 8) * 8 },
      );
      files.push(readFileSync(path));
    }
    await expectContent(path, 7n);
    for (const file of files) expect(file.equals(files[0]!)).toBe(true);
  });

  test('is the same from the automatic device, from one number as bigint and from another order of tensors', async () => {
    await writeCheckpoint(PLAN, path, { seed: 123 });
    const first = readFileSync(path);
    await writeCheckpoint({ ...PLAN, tensors: [...PLAN.tensors].reverse() }, path, {
      seed: 123n,
      device: 'js',
    });
    expect(readFileSync(path).equals(first)).toBe(true);
    await writeCheckpoint(PLAN, path, { seed: 124 });
    expect(readFileSync(path).equals(first)).toBe(false);
  });

  test('says where it comes from, without anything that changes from run to run', async () => {
    await writeCheckpoint(PLAN, path, { seed: 2n ** 64n - 1n, metadata: { license: 'apache', note: 'é' } });
    const reader = await SafetensorsReader.open(path);
    await reader.close();
    expect([...reader.metadata]).toEqual([
      ['format', 'flax'],
      ['generator', 'isometry'],
      ['license', 'apache'],
      ['note', 'é'],
      ['plan_sha256', planHash(PLAN)],
      ['seed', '18446744073709551615'],
      ['stream_version', '1'],
      ['version', VERSION],
    ]);
  });

  test("the dtype given wins over the plan's, a tensor's own over both", async () => {
    await writeCheckpoint(PLAN, path, { seed: 1, dtype: 'bfloat16' });
    await expectContent(path, 1n, PLAN, 'bfloat16');
  });

  test('the summary counts', async () => {
    const summary = await writeCheckpointWith(PLAN, path, { seed: 1 }, js);
    expect(summary).toMatchObject({ path, tensors: 9, backend: 'js', reason: 'test' });
    expect(summary.parameters).toBe(700 * 301 + 301 + 333 + 17 * 19 + 5 * 7 * 3 + 1 + 9);
    expect(summary.bytes).toBe(statSync(path).size);
    expect(summary.seconds).toBeGreaterThan(0);
  });
});

/** Writes the element's index, so that misplaced windows show; remembers what it was asked for. */
class CountingBackend implements Backend {
  readonly name = 'js';
  readonly buffers = new Set<ArrayBufferLike>();
  largest = 0;
  probe = jsBackend.probe;
  fillSync(_request: unknown, target: TensorArray, start: number): void {
    this.buffers.add(target.buffer);
    this.largest = Math.max(this.largest, target.byteLength);
    for (let i = 0; i < target.length; i++) target[i] = start + i;
  }
  async fill(request: unknown, target: TensorArray, start: number): Promise<void> {
    this.fillSync(request, target, start);
  }
}

describe('the pipeline', () => {
  test('holds three chunks in memory, however large the model is', async () => {
    const backend = new CountingBackend();
    const tensors = [{ name: 'w', shape: [1_000_003], init: { kind: 'zeros' } }];
    await writeCheckpointWith(
      { tensors },
      path,
      { seed: 1, dtype: 'float64' },
      {
        selectBackend: () => ({ backend, reason: '' }),
        chunkBytes: 65_536,
      },
    );
    expect(backend.buffers.size).toBe(3);
    expect(backend.largest).toBe(65_536);
    const file = readFileSync(path);
    const data = new Float64Array(
      file.buffer.slice(file.byteOffset + file.length - 8 * 1_000_003, file.byteOffset + file.length),
    );
    expect(data.every((value, i) => value === i)).toBe(true);
  });

  test('many small tensors share a chunk and a write', async () => {
    let writes = 0;
    const ops = hookedOps((name) => void (name === 'write' && writes++));
    const tensors = Array.from({ length: 5000 }, (_, i) => ({
      name: `t${i}`,
      shape: [3],
      init: { kind: 'ones' },
    }));
    await writeCheckpointWith({ tensors }, path, { seed: 1 }, { ...js, ops });
    expect(writes).toBe(2); // header and data
  });

  test('a write overlaps with the computing of the next chunk', async () => {
    const log: string[] = [];
    const slow: Backend = {
      name: 'js',
      probe: jsBackend.probe,
      fillSync: () => {},
      fill: async () => void log.push('fill'),
    };
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const ops = hookedOps(async (name) => {
      if (name !== 'write') return;
      log.push('write');
      if (log.length > 1) await held;
    });
    const tensors = [{ name: 'w', shape: [17_000 * 5], init: { kind: 'zeros' } }];
    const done = writeCheckpointWith(
      { tensors },
      path,
      { seed: 1 },
      {
        ops,
        selectBackend: () => ({ backend: slow, reason: '' }),
        chunkBytes: 17_000 * 4,
      },
    );
    const fills = (): string[] => log.filter((entry) => entry === 'fill');
    await vi.waitFor(() => expect(fills()).toHaveLength(3), { timeout: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    // All writes hang; three buffers are full, so the fourth chunk must wait.
    expect(fills()).toHaveLength(3);
    release();
    await done;
    expect(fills()).toHaveLength(5);
  });

  test('progress rises to the end and names tensors', async () => {
    const seen: CheckpointProgress[] = [];
    await writeCheckpointWith(
      PLAN,
      path,
      { seed: 1, onProgress: (progress: CheckpointProgress) => seen.push(progress) },
      {
        ...js,
        chunkBytes: 4096,
      },
    );
    const last = seen.at(-1)!;
    expect(last.tensorsDone).toBe(9);
    expect(last.tensorsTotal).toBe(9);
    expect(last.bytesDone).toBe(last.bytesTotal);
    for (const [i, progress] of seen.entries()) {
      expect(progress.bytesDone).toBeGreaterThanOrEqual(seen[i - 1]?.bytesDone ?? 0);
      expect(PLAN.tensors.map(({ name }) => name)).toContain(progress.tensor);
    }
  });
});

describe('failure leaves the old file', () => {
  const failing = async (options: object, seams: CheckpointSeams): Promise<unknown> => {
    writeFileSync(path, 'old');
    const error = await writeCheckpointWith(PLAN, path, { seed: 1, ...options }, seams).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeDefined();
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['model.safetensors']);
    return error;
  };

  test('a backend that fails', async () => {
    const broken: Backend = { ...jsBackend, fill: () => Promise.reject(new Error('broken')) };
    expect(await failing({}, { selectBackend: () => ({ backend: broken, reason: '' }) })).toMatchObject({
      message: 'broken',
    });
  });

  test('a write that fails while the next chunk is computed', async () => {
    let writes = 0;
    const ops = hookedOps((name) => {
      if (name === 'write' && ++writes === 3) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    expect(await failing({}, { ...js, ops, chunkBytes: 4096 })).toMatchObject({
      code: 'IO_ERROR',
      cause: { code: 'ENOSPC' },
    });
  });

  test('a progress callback that throws', async () => {
    const error = new Error('callback');
    const onProgress = (): void => {
      throw error;
    };
    expect(await failing({ onProgress }, { ...js, chunkBytes: 4096 })).toBe(error);
  });

  test('an abort: before, and at many moments in between', async () => {
    const reason = new Error('stop');
    expect(await failing({ signal: AbortSignal.abort(reason) }, js)).toBe(reason);
    for (const n of [1, 4, 7, 11]) {
      // The plan has twelve pieces of this size.
      const controller = new AbortController();
      let count = 0;
      const backend: Backend = {
        ...jsBackend,
        fill: (request, target, start, signal) => {
          if (++count === n) controller.abort(reason);
          return jsBackend.fill(request, target, start, signal);
        },
      };
      const seams = { selectBackend: () => ({ backend, reason: '' }), chunkBytes: 17_000 * 4 };
      expect(await failing({ signal: controller.signal }, seams)).toBe(reason);
    }
  });
});

describe('wrong arguments are found before anything is written', () => {
  test.each<[string, unknown, object, string]>([
    ['no seed', PLAN, { seed: undefined }, 'INVALID_SEED'],
    ['negative seed', PLAN, { seed: -1 }, 'INVALID_SEED'],
    ['seed of 2^64', PLAN, { seed: 2n ** 64n }, 'INVALID_SEED'],
    ['unknown option', PLAN, { sedd: 1 }, 'UNKNOWN_OPTION'],
    ['unknown dtype', PLAN, { dtype: 'float33' }, 'INVALID_DTYPE'],
    ['unknown device', PLAN, { device: 'gpu' }, 'INVALID_OPTION'],
    ['absent device', PLAN, { device: 'cuda:7' }, 'BACKEND_UNAVAILABLE'],
    ['signal', PLAN, { signal: 3 }, 'INVALID_OPTION'],
    ['onProgress', PLAN, { onProgress: 3 }, 'INVALID_OPTION'],
    ['metadata number', PLAN, { metadata: { a: 1 } }, 'INVALID_OPTION'],
    ['metadata of ours', PLAN, { metadata: { seed: '1' } }, 'INVALID_OPTION'],
    ['plan', { tensors: 3 }, {}, 'PLAN_ERROR'],
    ['plan with our metadata', { ...PLAN, metadata: { generator: 'x' } }, {}, 'PLAN_ERROR'],
    [
      'value beyond the dtype',
      { tensors: [{ name: 'w', shape: [1], init: { kind: 'constant', value: 1e30 }, dtype: 'float16' }] },
      {},
      'INVALID_OPTION',
    ],
    [
      'larger than any disk',
      { tensors: [{ name: 'w', shape: [2 ** 50], init: { kind: 'ones' } }] },
      {},
      'IO_ERROR',
    ],
    [
      'larger than the format',
      { tensors: [{ name: 'w', shape: [2 ** 52], init: { kind: 'ones' } }] },
      {},
      'TOO_LARGE',
    ],
  ])('%s', async (_, plan, options, code) => {
    let touched = false;
    const ops = hookedOps((name) => {
      touched ||= name === 'create';
    });
    const attempt = writeCheckpointWith(plan, path, { seed: 1, ...options }, { ops });
    await expect(attempt).rejects.toThrow(expect.objectContaining({ code }));
    expect(touched).toBe(false);
    expect(readdirSync(dir)).toEqual([]);
  });
});
