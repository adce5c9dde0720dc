import { getSystemErrorName } from 'node:util';
import { IsometryError } from './errors.js';
import type { FileOps } from './file-ops.js';

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'its directory does not exist; create it first'],
  ['ENOTDIR', 'a part of the path is not a directory; correct the path'],
  ['EEXIST', 'something else has that name; choose another one'],
  ['EISDIR', 'it is a directory; name a file'],
  ['EACCES', 'permission denied; make the directory writable for this user or write elsewhere'],
  ['EPERM', 'not permitted; make the directory writable for this user or write elsewhere'],
  ['EROFS', 'the file system is read-only; write elsewhere'],
  ['ENOSPC', 'no space left; free some space or write elsewhere'],
  ['EDQUOT', 'the disk quota is used up; free some space or write elsewhere'],
  [
    'EFBIG',
    'larger than the file system or the process may write (see ulimit -f); raise the limit or split the plan',
  ],
  ['ENAMETOOLONG', 'the name is too long; choose a shorter one'],
  ['ELOOP', 'too many symbolic links; correct the path'],
  ['EMFILE', 'too many open files; raise the limit (ulimit -n)'],
  ['EIO', 'the device reported an error; check the disk'],
]);

/** Runs an operation; its failure becomes an `IO_ERROR` that names the action, the path and the errno code. */
export async function attempt<T>(action: string, target: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw ioError(action, target, error);
  }
}

/** A failure of the addon's writing, as Node's own functions report it. */
export function writeError(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: write`), { code, errno: -errno, syscall: 'write' });
}

/** An error of the system as one of ours, with the remedy. */
export function ioError(action: string, target: string, cause: unknown): IsometryError {
  const code = (cause as NodeJS.ErrnoException | null)?.code ?? String(cause);
  const advice = ADVICE.get(code) ?? 'see the cause';
  return new IsometryError('IO_ERROR', `could not ${action} ${target}: ${code}; ${advice}`, { cause });
}

/**
 * Refuses to begin what the disk cannot hold.
 * @throws IsometryError `IO_ERROR` with both numbers.
 */
export async function checkSpace(
  target: string,
  directory: string,
  bytes: number,
  ops: FileOps,
): Promise<void> {
  const free = await attempt('write', target, () => ops.freeBytes(directory));
  if (free >= bytes) return;
  throw new IsometryError(
    'IO_ERROR',
    `could not write ${target}: ENOSPC; ${bytes} bytes are needed and ${free} are available in ${directory}; free some space or write elsewhere`,
  );
}
