import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { IsometryError } from '../errors.js';
import { formatError } from './parse-header.js';

/** What tells that a file is still the one it was: another file, or a changed one, differs in one of these. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Last change of the content, nanoseconds since the epoch. */
  readonly modified: bigint;
}

/** A regular file, open for reading, that must not change meanwhile. Close it when done. */
export class StableFile {
  readonly path: string;
  readonly identity: FileIdentity;
  private readonly file: FileHandle;

  private constructor(path: string, file: FileHandle, identity: FileIdentity) {
    this.path = path;
    this.file = file;
    this.identity = identity;
  }

  /**
   * @param identity what the file must still be.
   * @throws (rejects with) IsometryError `IO_ERROR` when it cannot be read; `FORMAT_ERROR` when it is no regular file, or not
   * the one that `identity` says.
   */
  static async open(path: string, identity?: FileIdentity): Promise<StableFile> {
    let file: FileHandle;
    try {
      // Without O_NONBLOCK the opening of a FIFO would wait for a writer for ever.
      file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (cause) {
      throw readError(path, cause);
    }
    try {
      const stat = await file.stat({ bigint: true });
      if (!stat.isFile()) throw formatError(path, 'it is not a regular file');
      const found = identityOf(stat);
      if (identity !== undefined) checkSame(path, identity, found);
      return new StableFile(path, file, found);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes; exact below 2^53. */
  get size(): number {
    return Number(this.identity.size);
  }

  /**
   * Fills all of `target` from a byte position on.
   * @throws (rejects with) IsometryError `FORMAT_ERROR` when the file has become shorter, `IO_ERROR` when reading fails.
   */
  async read(target: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < target.length; ) {
      let bytesRead: number;
      try {
        ({ bytesRead } = await this.file.read(target, done, target.length - done, position + done));
      } catch (cause) {
        throw readError(this.path, cause);
      }
      if (bytesRead === 0)
        throw formatError(this.path, `it ends at byte ${position + done}, while it was being read`);
      done += bytesRead;
    }
  }

  /**
   * Bytes [begin, end) in pieces of at most `buffer.length`, each a view of `buffer` that is good until the next one is asked
   * for. What was read is whole only if it ends without an error: a file that changes is found out at the end.
   * @throws (rejects with) IsometryError as `read`; `FORMAT_ERROR` when the file has changed.
   */
  async *pieces(begin: number, end: number, buffer: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = begin; at < end; ) {
      const piece = buffer.subarray(0, Math.min(buffer.length, end - at));
      await this.read(piece, at);
      yield piece;
      at += piece.length;
    }
    if (end > begin) await this.assertUnchanged();
  }

  /** @throws (rejects with) IsometryError `FORMAT_ERROR` when the file is not what it was when it was opened. */
  async assertUnchanged(): Promise<void> {
    let stat: BigIntStats;
    try {
      stat = await this.file.stat({ bigint: true });
    } catch (cause) {
      throw readError(this.path, cause);
    }
    checkSame(this.path, this.identity, identityOf(stat));
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function identityOf({ dev, ino, size, mtimeNs }: BigIntStats): FileIdentity {
  return { device: dev, inode: ino, size, modified: mtimeNs };
}

function checkSame(path: string, before: FileIdentity, now: FileIdentity): void {
  const replaced = before.device !== now.device || before.inode !== now.inode;
  if (!replaced && before.size === now.size && before.modified === now.modified) return;
  throw formatError(path, `it was ${replaced ? 'replaced' : 'changed'} while it was being read`);
}

/** A file that cannot be read, as an `IO_ERROR`. */
export function readError(path: string, cause: unknown): IsometryError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  const advice = /^E[MN]FILE$/.test(code)
    ? 'too many open files; raise the limit (ulimit -n)'
    : 'check that the file exists and may be read';
  return new IsometryError('IO_ERROR', `could not read ${path}: ${code}; ${advice}`, { cause });
}
