import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, readdir, rename, statfs, unlink } from 'node:fs/promises';
import { loadNative } from './backends/native.js';
import { writeError } from './io-errors.js';

/** What `lstat` says of a path: the thing itself, links not followed. */
export interface PathInfo {
  readonly kind: 'file' | 'link' | 'directory' | 'other';
  /** Permission bits. */
  readonly mode: number;
  /** Last change of the content, milliseconds since the epoch. */
  readonly modified: number;
}

/** A file open for writing. */
export interface OpenFile {
  /**
   * Writes at a byte position; returns how many bytes were taken, which may be fewer than given. A large write is on its way
   * to the disk when this resolves: who writes faster than the disk can waits here.
   */
  write(data: Uint8Array, position: number): Promise<number>;
  /**
   * Has someone else write by the file's descriptor, who must not close it. Left out where all bytes are to pass `write`.
   */
  writeBy?(write: (fd: number) => Promise<void>): Promise<void>;
  truncate(bytes: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  /** Resolves when the content is on the disk. */
  sync(): Promise<void>;
  /** Waits for pending writes; the handle is gone afterwards, also when this fails. */
  close(): Promise<void>;
}

/** A regular file open for reading. */
export interface ReadableFile {
  /** Bytes, when it was opened. */
  readonly size: number;
  /** Fills `target` from a byte position on; returns how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** The file system as the writers see it: every operation can fail, and tests make each of them fail. */
export interface FileOps {
  /** `null` when nothing has that name. */
  inspect(path: string): Promise<PathInfo | null>;
  /** Bytes an unprivileged process may still allocate where `directory` lies. */
  freeBytes(directory: string): Promise<number>;
  /** Creates a file that must not exist, not even as a dangling link. */
  create(path: string): Promise<OpenFile>;
  /** Opens a regular file, links not followed; `null` when nothing, or something else, has that name. */
  openRead(path: string): Promise<ReadableFile | null>;
  /** Gives a file a second name, which must not exist. */
  link(from: string, to: string): Promise<void>;
  /** Creates a directory and those above it, where they do not exist. */
  makeDirectory(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  list(directory: string): Promise<readonly string[]>;
  /** Resolves when the directory's entries are on the disk. */
  syncDirectory(directory: string): Promise<void>;
}

// Some file systems cannot sync a directory (they do it on their own, or never): not a failure of the write.
const DIRECTORY_SYNC_UNSUPPORTED = new Set(['EINVAL', 'ENOTSUP', 'EISDIR', 'EPERM']);

/** The real file system. */
export const nodeFileOps: FileOps = {
  async inspect(path) {
    try {
      const stat = await lstat(path);
      let kind: PathInfo['kind'] = 'other';
      if (stat.isFile()) kind = 'file';
      else if (stat.isSymbolicLink()) kind = 'link';
      else if (stat.isDirectory()) kind = 'directory';
      return { kind, mode: stat.mode & 0o777, modified: stat.mtimeMs };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  },

  async freeBytes(directory) {
    try {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    } catch (error) {
      // A file system that cannot say is found full only by writing.
      if ((error as NodeJS.ErrnoException).code === 'ENOSYS') return Number.POSITIVE_INFINITY;
      throw error;
    }
  },

  async create(path) {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    // 0666 is cut down by the process's umask, as for any new file. Node adds O_CLOEXEC itself.
    const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o666);
    return {
      write: (data, position) => writeAt(handle, data, position),
      writeBy: (write) => write(handle.fd),
      truncate: (bytes) => handle.truncate(bytes),
      chmod: (mode) => handle.chmod(mode),
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },

  async openRead(path) {
    const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
    let handle: FileHandle;
    try {
      // Without O_NONBLOCK the opening of a FIFO would wait for a writer for ever.
      handle = await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    } catch (error) {
      // ELOOP: a link. ENXIO: a socket.
      if (['ENOENT', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw error;
    }
    try {
      const stat = await handle.stat();
      if (!stat.isFile()) {
        await handle.close();
        return null;
      }
      return {
        size: stat.size,
        read: (target, position) => readFully(handle, target, position),
        close: () => handle.close(),
      };
    } catch (error) {
      await handle.close();
      throw error;
    }
  },

  link,
  async makeDirectory(path) {
    await mkdir(path, { recursive: true });
  },
  rename,
  unlink,
  list: (directory) => readdir(directory),

  async syncDirectory(directory) {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } catch (error) {
      if (!DIRECTORY_SYNC_UNSUPPORTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
    } finally {
      await handle.close();
    }
  },
};

/** Smaller writes are of small files, or at a file's end. */
const LARGE_WRITE_BYTES = 2 ** 20;

/** @internal */
export async function writeAt(handle: FileHandle, data: Uint8Array, position: number): Promise<number> {
  const { binding } = data.length < LARGE_WRITE_BYTES ? NO_BINDING : loadNative();
  if (binding?.fileWrite === undefined) {
    return (await handle.write(data, 0, data.length, position)).bytesWritten;
  }
  return new Promise((resolve, reject) => {
    binding.fileWrite!(handle.fd, data, position, (written, errno) => {
      if (written > 0 || errno === 0) resolve(written);
      else reject(writeError(errno));
    });
  });
}

const NO_BINDING = { binding: null };

async function readFully(handle: FileHandle, target: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < target.length) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}
