import { unlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expected, IsometryError } from './errors.js';
import { type FileOps, nodeFileOps, type OpenFile } from './file-ops.js';
import { attempt, checkSpace, ioError } from './io-errors.js';
import { sweepStaleTemps, tempName } from './temp-names.js';

/** Has `write` write `bytes` bytes by a file's descriptor. */
export type WriteBy = (bytes: number, write: (fd: number) => Promise<void>) => Promise<void>;

/** Takes the content of a file that is being written. */
export interface AtomicWriter {
  /** Writes all of `data` at a byte position. Calls may overlap; `data` must stay as it is until the promise settles. */
  write(data: Uint8Array, position: number): Promise<void>;
  /**
   * Has someone else write `bytes` bytes by the file's descriptor, all of them when its promise resolves. Left out where all
   * bytes are to pass `write`.
   */
  readonly writeBy?: WriteBy | undefined;
}

/** Options of `writeAtomically`. */
export interface AtomicOptions {
  /** Stops the write; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Only if there is nothing at the target: otherwise an `IO_ERROR` whose cause is `EEXIST`. */
  readonly exclusive?: boolean;
  /** `false` where the caller has removed what dead writers left: see `sweepDirectory`. */
  readonly sweep?: boolean;
  /** Called when the content is on the disk, before it gets its name; what it throws leaves everything as it was. */
  readonly beforeRename?: (() => Promise<void>) | undefined;
  /** @internal For fault tests. */
  readonly ops?: FileOps | undefined;
}

/**
 * Creates or replaces a file so that its name never leads to incomplete content, whatever happens to the process
 * or, once this has resolved, to the power. The content goes to a temporary file beside the target, is synced and
 * renamed over it; then the directory is synced. On any failure the temporary file is removed and an old target is
 * as it was. Only a killed process leaves one behind; the next write to the same target removes it.
 *
 * A symbolic link at the target is replaced, what it leads to is not touched; a hard link is broken. The new file
 * keeps the permission bits of the old one, not its owner.
 *
 * @param path the target; its directory must exist.
 * @param bytes exact size of the content; checked against the free space before `produce` is called.
 * @param produce writes every byte of the content once.
 * @returns what `produce` returns.
 * @throws IsometryError `IO_ERROR` naming the operation, the path and the errno code, with the system's error as
 * `cause`; `INVALID_ARGUMENT` for a path that no file can have.
 */
export async function writeAtomically<T>(
  path: string,
  bytes: number,
  produce: (file: AtomicWriter) => Promise<T>,
  options: AtomicOptions = {},
): Promise<T> {
  const { signal, exclusive = false, sweep = true, beforeRename, ops = nodeFileOps } = options;
  const target = checkPath(path);
  signal?.throwIfAborted();
  const oldMode = await checkTarget(target, ops);
  if (sweep) await sweepStaleTemps(target, ops);
  await checkSpace(target, dirname(target), bytes, ops);
  signal?.throwIfAborted();

  const temp = tempName(target);
  removeOnExit(temp);
  let file: OpenFile | undefined;
  let created = false;
  try {
    file = await attempt('create a temporary file for', target, () => ops.create(temp));
    created = true;
    const handle = file;
    if (oldMode !== undefined) await attempt('set the permissions of', target, () => handle.chmod(oldMode));
    // Sparse, so it reserves nothing, but a file that would be too large for the file system or the process's
    // limits fails here and not after the work.
    await attempt('size', target, () => handle.truncate(bytes));
    const writer = new Writer(handle, target, bytes, signal);
    let result: T;
    try {
      result = await produce(writer);
    } finally {
      // A failure elsewhere must not close the file under writes that are still on their way.
      await writer.settle();
    }
    writer.assertComplete();
    await attempt('sync', target, () => handle.sync());
    file = undefined;
    await attempt('close', target, () => handle.close());
    signal?.throwIfAborted();
    await beforeRename?.();
    if (exclusive) {
      // A second name is given to it only if nobody has that name; a rename would replace.
      await attempt('create', target, () => ops.link(temp, target));
      await attempt('remove the temporary file of', target, () => ops.unlink(temp));
    } else {
      await attempt('rename the finished temporary file to', target, () => ops.rename(temp, target));
    }
    created = false;
    await attempt('sync the directory of (the file itself is complete)', target, () =>
      ops.syncDirectory(dirname(target)),
    );
    return result;
  } finally {
    await file?.close().catch(() => {});
    if (created) await ops.unlink(temp).catch(() => {});
    forgetOnExit(temp);
  }
}

class Writer implements AtomicWriter {
  private readonly file: OpenFile;
  private readonly target: string;
  private readonly bytes: number;
  private readonly signal: AbortSignal | undefined;
  private readonly pending = new Set<Promise<void>>();
  private written = 0;

  constructor(file: OpenFile, target: string, bytes: number, signal: AbortSignal | undefined) {
    this.file = file;
    this.target = target;
    this.bytes = bytes;
    this.signal = signal;
  }

  write(data: Uint8Array, position: number): Promise<void> {
    return this.track(this.writeAll(data, position));
  }

  get writeBy(): WriteBy | undefined {
    if (this.file.writeBy === undefined) return undefined;
    return (bytes, write) => this.track(this.writeAllBy(bytes, write));
  }

  private track(write: Promise<void>): Promise<void> {
    this.pending.add(write);
    const done = (): void => {
      this.pending.delete(write);
    };
    write.then(done, done);
    return write;
  }

  async settle(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  assertComplete(): void {
    if (this.written !== this.bytes) {
      throw new IsometryError(
        'INTERNAL',
        `expected ${this.bytes} bytes to be written but ${this.written} were`,
      );
    }
  }

  private async writeAllBy(bytes: number, write: (fd: number) => Promise<void>): Promise<void> {
    this.signal?.throwIfAborted();
    await attempt('write', this.target, () => this.file.writeBy!(write));
    this.written += bytes;
  }

  private async writeAll(data: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < data.length; ) {
      this.signal?.throwIfAborted();
      const taken = await attempt('write', this.target, () =>
        this.file.write(data.subarray(done), position + done),
      );
      if (taken <= 0) throw ioError('write', this.target, { code: 'EIO' });
      done += taken;
    }
    this.written += data.length;
  }
}

function checkPath(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0') || /[/\\]$/.test(path)) {
    throw expected('INVALID_ARGUMENT', 'the path of a file', 'path', path);
  }
  return resolve(path);
}

/** Refuses what cannot become a file; returns the permission bits to keep. */
async function checkTarget(target: string, ops: FileOps): Promise<number | undefined> {
  const old = await attempt('write', target, () => ops.inspect(target));
  if (old?.kind === 'directory') throw ioError('write', target, { code: 'EISDIR' });
  if (old?.kind === 'other') {
    throw new IsometryError(
      'IO_ERROR',
      `could not write ${target}: it is a device, pipe or socket; name a regular file`,
    );
  }
  return old?.kind === 'file' ? old.mode : undefined;
}

const live = new Set<string>();

/** `process.exit()` in the middle of a write, or an uncaught exception, must not leave the file behind either. */
function removeOnExit(temp: string): void {
  if (live.size === 0) process.on('exit', removeAll);
  live.add(temp);
}

function forgetOnExit(temp: string): void {
  live.delete(temp);
  if (live.size === 0) process.removeListener('exit', removeAll);
}

function removeAll(): void {
  for (const temp of live) {
    try {
      unlinkSync(temp);
    } catch {
      // Not created yet or renamed already.
    }
  }
}
