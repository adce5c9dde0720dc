import { type FileIdentity, StableFile } from './stable-file.js';

/** Files that are open though nobody reads them: the next tensor often lies in the same one. */
const MOST_IDLE = 8;

interface Open {
  readonly file: Promise<StableFile>;
  users: number;
}

/**
 * Opens files when they are read, and closes those that have not been read for longest. So a model of 10^5 shards takes a
 * few descriptors, and one for each file that is being read at the same time.
 */
export class FilePool {
  /** By path, the one that was used last at the end. */
  private readonly files = new Map<string, Open>();
  private closed = false;

  /** Bytes [begin, end) of a file that must still be the one that it was. As `StableFile.pieces`. */
  async *pieces(
    path: string,
    identity: FileIdentity,
    begin: number,
    end: number,
    buffer: Uint8Array,
  ): AsyncGenerator<Uint8Array> {
    const open = this.take(path, identity);
    try {
      yield* (await open.file).pieces(begin, end, buffer);
    } finally {
      await this.release(path, open);
    }
  }

  /** Closes all files; those that are being read, when that is over. */
  async close(): Promise<void> {
    this.closed = true;
    await this.closeIdle(0);
  }

  private take(path: string, identity: FileIdentity): Open {
    const open = this.files.get(path) ?? { file: StableFile.open(path, identity), users: 0 };
    this.files.delete(path);
    this.files.set(path, open);
    open.users++;
    return open;
  }

  private async release(path: string, open: Open): Promise<void> {
    open.users--;
    // One that could not be opened is tried again by whoever comes next.
    const failed = await open.file.then(
      () => false,
      () => true,
    );
    if (failed && this.files.get(path) === open) this.files.delete(path);
    await this.closeIdle(this.closed ? 0 : MOST_IDLE);
  }

  private async closeIdle(keep: number): Promise<void> {
    const idle = [...this.files].filter(([, { users }]) => users === 0);
    const surplus = idle.slice(0, Math.max(0, idle.length - keep));
    for (const [path] of surplus) this.files.delete(path);
    for (const [, { file }] of surplus)
      await file.then(
        (opened) => opened.close(),
        () => {},
      );
  }
}
