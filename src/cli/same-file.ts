import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IsometryError } from '../errors.js';
import { printable } from './output.js';

/**
 * Refuses to overwrite what is read: a slip of the hand must not cost a plan or a configuration.
 * @param sources - what they are in words, and files, or directories that a config.json lies in.
 * @throws (rejects with) IsometryError `INVALID_ARGUMENT`.
 */
export async function refuseSameFile(
  out: string,
  sources: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const target = await lstat(out).catch(() => undefined);
  if (target === undefined) return;
  for (const [what, source] of Object.entries(sources)) {
    const found = source === undefined ? undefined : await fileOf(source);
    if (found?.dev !== target.dev || found.ino !== target.ino) continue;
    throw new IsometryError(
      'INVALID_ARGUMENT',
      `--out is the ${what} itself, ${printable(source!)}, which would be overwritten; name another file`,
    );
  }
}

async function fileOf(source: string): Promise<{ readonly dev: number; readonly ino: number } | undefined> {
  const found = await stat(source).catch(() => undefined);
  return found?.isDirectory() ? stat(join(source, 'config.json')).catch(() => undefined) : found;
}
