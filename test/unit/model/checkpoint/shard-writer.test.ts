import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsBackend } from '../../../../src/backends/js.js';
import type { Backend } from '../../../../src/backends/types.js';
import { nodeFileOps } from '../../../../src/file-ops.js';
import {
  isFinished,
  layOut,
  type Shard,
  type ShardWork,
  writeShard,
} from '../../../../src/model/checkpoint/shard-writer.js';
import { parsePlan } from '../../../../src/model/plan/plan.js';
import { storedTensors, TensorSources } from '../../../../src/model/plan/stored-tensors.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-shard-'));
  path = join(dir, 'model.safetensors');
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Elements that a backend was asked for. */
let computed = 0;
const counting: Backend = {
  ...jsBackend,
  fill: (request, target, start, signal) => {
    computed += target.length;
    return jsBackend.fill(request, target, start, signal);
  },
  fillSync: (request, target, start) => {
    computed += target.length;
    jsBackend.fillSync(request, target, start);
  },
};

function prepare(tensors: object[]): { shard: Shard; work: ShardWork } {
  const plan = parsePlan({ tensors });
  const sources = new TensorSources({ seed: 1n, dtype: 'float32' });
  const shard = layOut('model.safetensors', 0, storedTensors(plan, 'float32'), [['seed', '1']]);
  const source: ShardWork['source'] = (tensor) => {
    if ('whole' in tensor) throw new Error('no slices here');
    return sources.of(tensor);
  };
  return {
    shard,
    work: { backend: counting, source, signal: undefined, ops: nodeFileOps, chunkBytes: undefined },
  };
}

const normal = { kind: 'normal', std: 1 };

describe('a finished shard', () => {
  const LARGE = [
    { name: 'a', shape: [400_000], init: normal },
    ...Array.from({ length: 50 }, (_, i) => ({
      name: `b${i}`,
      shape: [3, 7],
      init: normal,
      dtype: 'float16',
    })),
    { name: 'c', shape: [200_003], init: normal },
  ];

  test('is recognized by some of its elements', async () => {
    const { shard, work } = prepare(LARGE);
    await writeShard(shard, path, work, { sweep: false });
    computed = 0;
    expect(await isFinished(shard, path, work)).toBe(true);
    expect(computed).toBeGreaterThan(10_000);
    expect(computed).toBeLessThan(100_000);
  });

  test('that is zero from anywhere on for an eighth of its data is none', async () => {
    const { shard, work } = prepare(LARGE);
    await writeShard(shard, path, work, { sweep: false });
    const good = readFileSync(path);
    const data = good.length - shard.header.length;
    for (let part = 0; part <= 28; part++) {
      const bad = Buffer.from(good);
      const begin = shard.header.length + Math.floor((part / 32) * data);
      bad.fill(0, begin, begin + Math.ceil(data / 8));
      writeFileSync(path, bad);
      expect(await isFinished(shard, path, work), `from ${part}/32 on`).toBe(false);
    }
    writeFileSync(path, good);
    expect(await isFinished(shard, path, work)).toBe(true);
  });

  test('of small size is compared whole', async () => {
    const { shard, work } = prepare([{ name: 'a', shape: [60_000], init: normal }]);
    await writeShard(shard, path, work, { sweep: false });
    const good = readFileSync(path);
    for (let at = shard.header.length; at < good.length; at += 9973) {
      const bad = Buffer.from(good);
      bad[at]! ^= 4;
      writeFileSync(path, bad);
      expect(await isFinished(shard, path, work), String(at)).toBe(false);
    }
  });

  test('without data is its header', async () => {
    const { shard, work } = prepare([{ name: 'empty', shape: [0, 3], init: normal }]);
    expect(await isFinished(shard, path, work)).toBe(false);
    await writeShard(shard, path, work, { sweep: false });
    expect(await isFinished(shard, path, work)).toBe(true);
    expect(shard.bytes).toBe(shard.header.length);
  });

  test('of matrices is recognized by few of them', async () => {
    const tensors = Array.from({ length: 30 }, (_, i) => ({
      name: `q${i}`,
      shape: [64, 64],
      init: { kind: 'orthogonal' },
    }));
    const { shard, work } = prepare(tensors);
    await writeShard(shard, path, work, { sweep: false });
    computed = 0;
    expect(await isFinished(shard, path, work)).toBe(true);
    expect(computed).toBeGreaterThan(0);
    expect(computed).toBeLessThan(10 * 64 * 64);
    const bad = readFileSync(path);
    bad.fill(0, bad.length - 10);
    writeFileSync(path, bad);
    expect(await isFinished(shard, path, work)).toBe(false);
  });
});
