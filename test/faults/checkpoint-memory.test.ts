import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cpuBackend } from '../../src/backends/cpu.js';
import { fillSync } from '../../src/fill.js';
import { uniform } from '../../src/initializers/index.js';
import { runFixture } from '../helpers/cli.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-memory-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** Writes to a disk that forgets; returns megabytes of memory at the most, and what it kept of the data. */
async function discard(tensors: object[], options: object) {
  const plan = join(dir, 'plan.json');
  writeFileSync(plan, JSON.stringify({ tensors }));
  const out = join(dir, 'model');
  const ended = await runFixture('discard.mjs', [plan, out, JSON.stringify(options)]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const result: { bytes: number; shards: number; megabytes: number } = JSON.parse(ended.stdout);
  return { ...result, first: readFileSync(`${out}.first`), last: readFileSync(`${out}.last`) };
}

// Plain JavaScript takes minutes for so many elements.
test.skipIf(!cpuBackend.probe().available)(
  'a tensor of more than 4 GiB is written by its parts, in the memory of some chunks',
  async () => {
    const elements = 2 ** 30 + 2 ** 18;
    const init = { kind: 'uniform', min: -1, max: 1 };
    const few = 2 ** 16;
    const { bytes, megabytes, first, last } = await discard(
      [
        // float64 comes first in a file.
        { name: 'before', shape: [few], init, dtype: 'float64' },
        { name: 'large', shape: [elements], init },
      ],
      {},
    );
    expect(bytes).toBeGreaterThan(2 ** 32);
    expect(megabytes).toBeLessThan(300);
    const law = uniform({ min: -1, max: 1 });
    const before = fillSync('before', [few], law, { seed: 1, dtype: 'float64' });
    expect(first.equals(Buffer.from(before.data.buffer, 0, first.length))).toBe(true);
    const end = fillSync('large', [elements], law, { seed: 1, slice: [[elements - 2 ** 14, elements]] });
    expect(last.equals(Buffer.from(end.data.buffer))).toBe(true);
  },
  120_000,
);

test.skipIf(!cpuBackend.probe().available)(
  'many shards at a time take no more, however large the model is',
  async () => {
    const tensors = Array.from({ length: 30 }, (_, i) => ({
      name: `w${i}`,
      shape: [5000, 10_000],
      init: { kind: 'uniform', min: -1, max: 1 },
    }));
    const { bytes, shards, megabytes } = await discard(tensors, {
      dtype: 'bfloat16',
      maxShardSize: '150MB',
      concurrency: 4,
    });
    expect(shards).toBe(30);
    expect(bytes).toBeGreaterThan(3e9);
    expect(megabytes).toBeLessThan(300);
  },
  120_000,
);
