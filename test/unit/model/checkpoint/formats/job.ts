import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { selectBackend } from '../../../../../src/backends/index.js';
import type { WriteJob } from '../../../../../src/model/checkpoint/formats/index.js';
import type { StoredPlanTensor } from '../../../../../src/model/plan/stored-tensors.js';
import { type StoredDType, storedDType } from '../../../../../src/safetensors/dtypes.js';

/** A tensor whose bytes are known: byte i is (7 i + length of the name) mod 251. */
export function tensor(name: string, dtype: StoredDType, shape: readonly number[]): StoredPlanTensor {
  const bits = shape.reduce((total, dim) => total * dim, 1) * storedDType(dtype)!.bits;
  return { name, dtype, shape, bytes: bits / 8, source: { name } as StoredPlanTensor['source'] };
}

const PERIOD = 251;

/** One period of a tensor's bytes, from byte `begin` on. */
function pattern({ name, dtype }: StoredPlanTensor, begin: number): Buffer {
  const byte = (at: number): number => (dtype === 'BOOL' ? at % 2 : (7 * at + name.length) % PERIOD);
  const period = dtype === 'BOOL' ? 2 : PERIOD;
  return Buffer.from(Array.from({ length: period }, (_, i) => byte(begin + i)));
}

/** All bytes of a tensor. */
export function bytesOf(stored: StoredPlanTensor): Buffer {
  return Buffer.alloc(stored.bytes, pattern(stored, 0));
}

const root: string = mkdtempSync(join(tmpdir(), 'isometry-formats-'));
let count = 0;
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A path that nothing has. */
export function freshPath(): string {
  return join(root, `${count++}`);
}

/** A job for such tensors; chunks are small, so that tensors have several. */
export function jobFor(tensors: readonly StoredPlanTensor[], more: Partial<WriteJob> = {}): WriteJob {
  return {
    tensors,
    metadata: new Map([['seed', '1']]),
    path: freshPath(),
    backend: selectBackend('js', 0).backend,
    source: (stored) => ({
      kind: 'bytes',
      async read(target, begin) {
        Buffer.from(target.buffer, target.byteOffset, target.length).fill(pattern(stored, begin));
      },
    }),
    chunkBytes: 64,
    ...more,
  };
}
