import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AtomicOptions, type AtomicWriter, writeAtomically } from '../../src/atomic-file.js';
import { IsometryError } from '../../src/errors.js';
import type { FileOps } from '../../src/file-ops.js';
import { errno, hookedOps } from '../helpers/faulty-ops.js';

let dir: string;
let target: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-atomic-'));
  target = join(dir, 'file');
});
afterEach(() => rmSync(dir, { recursive: true }));

const NEW = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));

async function produce(file: AtomicWriter): Promise<string> {
  // Out of order and overlapping in time, as a pipeline writes.
  await Promise.all([file.write(NEW.subarray(500), 500), file.write(NEW.subarray(0, 500), 0)]);
  return 'result';
}

const write = (options?: AtomicOptions, path = target): Promise<string> =>
  writeAtomically(path, NEW.length, produce, options);

const ioError = (pattern: RegExp) =>
  expect.objectContaining({ code: 'IO_ERROR', message: expect.stringMatching(pattern) });

describe('success', () => {
  test('creates the file and returns what produce returns', async () => {
    expect(await write()).toBe('result');
    expect(readFileSync(target)).toEqual(NEW);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  test('an empty file is a file', async () => {
    await writeAtomically(target, 0, async () => {});
    expect(statSync(target).size).toBe(0);
  });

  test('writes that take one to seven bytes at a time are completed', async () => {
    await write({ ops: hookedOps(() => {}, 7) });
    expect(readFileSync(target)).toEqual(NEW);
  });

  test('a new file has mode 0666 & ~umask, a replaced one keeps its mode', async () => {
    const old = process.umask(0o027);
    try {
      await write();
      expect(statSync(target).mode & 0o777).toBe(0o640);
      chmodSync(target, 0o604);
      await write();
      expect(statSync(target).mode & 0o777).toBe(0o604);
    } finally {
      process.umask(old);
    }
  });

  test('a symbolic link is replaced, its victim untouched; a hard link is broken', async () => {
    const victim = join(dir, 'victim');
    writeFileSync(victim, 'victim');
    symlinkSync(victim, target);
    await write();
    expect(lstatSync(target).isFile()).toBe(true);
    expect(readFileSync(victim, 'utf8')).toBe('victim');
    const other = join(dir, 'other');
    linkSync(victim, other);
    await write({}, other);
    expect(readFileSync(victim, 'utf8')).toBe('victim');
    expect(readFileSync(other)).toEqual(NEW);
  });

  test('a dangling symbolic link is replaced', async () => {
    symlinkSync(join(dir, 'nowhere'), target);
    await write();
    expect(readFileSync(target)).toEqual(NEW);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  test('the order is: content, sync, close, rename, sync of the directory', async () => {
    const log: string[] = [];
    await write({ ops: hookedOps((name) => void log.push(name)) });
    expect(log.slice(log.indexOf('truncate'))).toEqual([
      'truncate',
      'write',
      'write',
      'sync',
      'close',
      'rename',
      'syncDirectory',
    ]);
  });

  test('two writers at once: both succeed and the file is whole', async () => {
    const fillers = Array.from({ length: 20 }, (_, i) =>
      writeAtomically(target, 4096, (file) => file.write(Buffer.alloc(4096, i), 0)),
    );
    await Promise.all(fillers);
    const content = readFileSync(target);
    expect(content).toEqual(Buffer.alloc(4096, content[0]));
    expect(readdirSync(dir)).toEqual(['file']);
  });

  test('exclusive: only where there is nothing, not even a dangling link; of many writers one succeeds', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) =>
        writeAtomically(target, 100, (file) => file.write(Buffer.alloc(100, i), 0), { exclusive: true }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'IO_ERROR', cause: { code: 'EEXIST' } });
    }
    const content = readFileSync(target);
    expect(content).toEqual(Buffer.alloc(100, content[0]));
    expect(readdirSync(dir)).toEqual(['file']);
    const other = join(dir, 'other');
    symlinkSync(join(dir, 'nowhere'), other);
    await expect(write({ exclusive: true }, other)).rejects.toMatchObject({ cause: { code: 'EEXIST' } });
  });

  test('what dead writers left can stay for the caller to sweep', async () => {
    const log: string[] = [];
    await write({ sweep: false, ops: hookedOps((name) => void log.push(name)) });
    expect(log).not.toContain('list');
  });

  test('leaves no exit listener behind', async () => {
    const before = process.listenerCount('exit');
    await write();
    expect(process.listenerCount('exit')).toBe(before);
  });
});

describe('every operation failing, one after the other', () => {
  test.each(['ENOSPC', 'EIO', 'EDQUOT'])('%s', async (code) => {
    const failed: string[] = [];
    for (let n = 0; ; n++) {
      writeFileSync(target, 'old');
      let count = 0;
      let name = '';
      const ops = hookedOps((operation) => {
        if (count++ === n) {
          name = operation;
          throw errno(code);
        }
      }, 300);
      const outcome = await write({ ops }).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (count <= n) break; // this run had fewer operations: all have failed once
      failed.push(name);
      if (name === 'list')
        expect(outcome).toBeUndefined(); // sweeping is best effort
      else {
        expect(outcome, name).toBeInstanceOf(IsometryError);
        expect(outcome).toEqual(ioError(new RegExp(`${target}.*${code}`)));
        expect((outcome as IsometryError).cause).toMatchObject({ code });
      }
      // Only after the rename is the new content there; before it the old one is, whole.
      const renamed = name === 'syncDirectory' || name === 'list';
      expect(readFileSync(target), name).toEqual(renamed ? NEW : Buffer.from('old'));
      expect(readdirSync(dir), name).toEqual(['file']);
    }
    expect(failed).toEqual([
      ...['inspect', 'list', 'freeBytes', 'create', 'chmod', 'truncate', 'write', 'write', 'write', 'write'],
      ...['sync', 'close', 'rename', 'syncDirectory'],
    ]);
  });

  test('a write that takes nothing is an error, not an endless loop', async () => {
    await expect(write({ ops: hookedOps(() => {}, 0) })).rejects.toEqual(ioError(/write .*EIO/));
    expect(readdirSync(dir)).toEqual([]);
  });

  test('produce failing, or not writing everything, leaves nothing', async () => {
    const error = new Error('no');
    await expect(writeAtomically(target, 4, () => Promise.reject(error))).rejects.toBe(error);
    await expect(writeAtomically(target, 4, (file) => file.write(Buffer.alloc(3), 0))).rejects.toThrow(
      expect.objectContaining({ code: 'INTERNAL' }),
    );
    expect(readdirSync(dir)).toEqual([]);
    expect(process.listenerCount('exit')).toBeLessThan(10);
  });

  test('the file stays open until writes on their way have settled', async () => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const log: string[] = [];
    const ops = hookedOps(async (name) => {
      if (name === 'write') await held;
      log.push(name);
    });
    const failing = writeAtomically(
      target,
      4,
      async (file) => {
        void file.write(Buffer.alloc(4), 0);
        setTimeout(release, 30);
        throw new Error('elsewhere');
      },
      { ops },
    );
    await expect(failing).rejects.toThrow('elsewhere');
    expect(log.slice(-2)).toEqual(['write', 'close']);
  });
});

describe('abort', () => {
  test('before the start nothing is touched', async () => {
    const log: string[] = [];
    const reason = new Error('stop');
    const ops = hookedOps((name) => void log.push(name));
    await expect(write({ signal: AbortSignal.abort(reason), ops })).rejects.toBe(reason);
    expect(log).toEqual([]);
  });

  test('at any operation before the rename, the old file stays and the reason is thrown', async () => {
    for (const at of ['inspect', 'list', 'freeBytes', 'create', 'truncate', 'write', 'sync', 'close']) {
      writeFileSync(target, 'old');
      const controller = new AbortController();
      const reason = new Error(`stop at ${at}`);
      const ops = hookedOps((name) => {
        if (name === at) controller.abort(reason);
      }, 100);
      await expect(write({ signal: controller.signal, ops }), at).rejects.toBe(reason);
      expect(readFileSync(target, 'utf8')).toBe('old');
      expect(readdirSync(dir)).toEqual(['file']);
    }
  });
});

describe('targets that cannot be', () => {
  const refused = async (path: string, pattern: RegExp): Promise<void> => {
    let called = false;
    const attempt = writeAtomically(path, 1, async () => {
      called = true;
    });
    await expect(attempt).rejects.toEqual(ioError(pattern));
    expect(called).toBe(false);
  };

  test('directory, FIFO, device, missing directory, file as directory, long name', async () => {
    mkdirSync(join(dir, 'd'));
    await refused(join(dir, 'd'), /EISDIR; it is a directory/);
    execFileSync('mkfifo', [join(dir, 'fifo')]);
    await refused(join(dir, 'fifo'), /device, pipe or socket/);
    await refused('/dev/full', /device, pipe or socket/);
    await refused(join(dir, 'none', 'x'), /ENOENT; its directory does not exist/);
    writeFileSync(target, '');
    await refused(join(target, 'x'), /ENOTDIR/);
    await refused(join(dir, 'x'.repeat(300)), /ENAMETOOLONG/);
    expect(readdirSync(dir).sort()).toEqual(['d', 'fifo', 'file']);
  });

  test('a name of 255 bytes, the longest there is, works', async () => {
    const path = join(dir, 'é'.repeat(127));
    await write({}, path);
    expect(readFileSync(path)).toEqual(NEW);
  });

  test.each([[''], ['a/'], ['a\0b'], [undefined], [3], [null]])('%j is no path', async (path) => {
    await expect(writeAtomically(path as string, 1, async () => {})).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  test('too little free space is known before the work, with both numbers', async () => {
    const ops: FileOps = { ...hookedOps(() => {}), freeBytes: async () => 999 };
    await expect(write({ ops })).rejects.toEqual(
      ioError(/ENOSPC; 1000 bytes are needed and 999 are available/),
    );
    await expect(writeAtomically(target, 2 ** 52, async () => {})).rejects.toEqual(
      ioError(/ENOSPC; 4503599627370496 bytes/),
    );
  });
});
