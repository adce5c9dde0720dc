import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFileOps, writeAt } from '../../src/file-ops.js';
import { native } from '../helpers/native.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-file-ops-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

const pattern = (bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => (i * 31 + (i >> 8)) & 255);

describe('a write', () => {
  // Below and above the size from which it is the addon's work, and of several of its pieces.
  test.each([1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20 + 5])(
    'of %d bytes, at an odd place',
    async (bytes) => {
      const path = join(dir, String(bytes));
      const data = pattern(bytes + 3).subarray(3); // not at the beginning of its memory
      const file = await nodeFileOps.create(path);
      expect(await file.write(data, 7)).toBe(bytes);
      await file.sync();
      await file.close();
      expect(statSync(path).size).toBe(7 + bytes);
      expect(Buffer.compare(readFileSync(path).subarray(7), data)).toBe(0);
    },
  );

  test('of many pieces at a time ends with all of them', async () => {
    const path = join(dir, 'many');
    const data = pattern(8 * 2 ** 20);
    const file = await nodeFileOps.create(path);
    const piece = 2 * 2 ** 20;
    const taken = [3, 1, 0, 2].map((i) => file.write(data.subarray(i * piece, (i + 1) * piece), i * piece));
    expect(await Promise.all(taken)).toEqual([piece, piece, piece, piece]);
    await file.close();
    expect(Buffer.compare(readFileSync(path), data)).toBe(0);
  });

  test.runIf(process.platform === 'linux').each([1, 2 ** 20])(
    'of %d bytes to a full disk says so',
    async (bytes) => {
      const full = await open('/dev/full', 'w');
      await expect(writeAt(full, new Uint8Array(bytes), 0)).rejects.toMatchObject({
        code: 'ENOSPC',
        errno: -28,
        syscall: 'write',
        message: expect.stringMatching(/^ENOSPC/),
      });
      await full.close();
    },
  );

  test.each([1, 2 ** 20])('of %d bytes to a file that is open for reading only says so', async (bytes) => {
    await (await nodeFileOps.create(join(dir, 'file'))).close();
    const handle: FileHandle = await open(join(dir, 'file'), 'r');
    await expect(writeAt(handle, new Uint8Array(bytes), 0)).rejects.toMatchObject({ code: 'EBADF' });
    await handle.close();
  });
});

const fileWrite = native?.fileWrite as ((...args: unknown[]) => void) | undefined;

describe.runIf(fileWrite !== undefined)('the addon refuses', () => {
  test.each([
    ['no descriptor', [-1, new Uint8Array(1), 0, () => {}]],
    ['a descriptor that is none', [2 ** 31, new Uint8Array(1), 0, () => {}]],
    ['other arrays', [1, new Float32Array(1), 0, () => {}]],
    ['no array', [1, 'text', 0, () => {}]],
    ['a negative position', [1, new Uint8Array(1), -1, () => {}]],
    ['a position between bytes', [1, new Uint8Array(1), 0.5, () => {}]],
    ['a position from 2^53 on', [1, new Uint8Array(1), 2 ** 53, () => {}]],
    ['no callback', [1, new Uint8Array(1), 0]],
  ])('%s', (_, args) => {
    expect(() => fileWrite!(...args)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
  });
});
