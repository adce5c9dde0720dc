import { dirname, join } from 'node:path';
import { IsometryError, showName } from '../../../errors.js';
import { type FileOps, nodeFileOps } from '../../../file-ops.js';
import { attempt, checkSpace } from '../../../io-errors.js';
import { sweepDirectory } from '../../../temp-names.js';
import type { WriteJob, WrittenFile } from './types.js';

/** The operations that a job is to use. */
export function opsOf({ ops }: Pick<WriteJob, 'ops'>): FileOps {
  return ops ?? nodeFileOps;
}

/**
 * Makes a directory ready for a model: creates it, removes what dead writers left, finds files of other models, and looks
 * whether there is room. Files that are called as the model's own are not in the way, where `isOwn` does not say otherwise: each
 * is replaced as a whole.
 *
 * @param own the files that will be written.
 * @param isWeights whether a name is that of a file of weights in this format.
 * @param isOwn whether a file that is called as one of the model's own is one of an earlier run.
 * @throws (rejects with) IsometryError `CHECKPOINT_ERROR` naming the other model's files, unless `overwrite` allows to remove
 * them; `IO_ERROR`.
 */
export async function prepareDirectory<F extends WrittenFile>(
  job: Pick<WriteJob, 'path' | 'ops' | 'overwrite'>,
  own: readonly F[],
  isWeights: (name: string) => boolean,
  isOwn: (file: F) => Promise<boolean> = async () => true,
): Promise<void> {
  const { path, overwrite = false } = job;
  const ops = opsOf(job);
  const there = await attempt('write', path, () => ops.inspect(path));
  if (there === null || there.kind === 'file') {
    await attempt('create the directory', path, () => ops.makeDirectory(path));
    await attempt('sync the directory of', path, () => ops.syncDirectory(dirname(path)));
  }
  await sweepDirectory(path, ops);
  const names = await attempt('read', path, () => ops.list(path));
  const ours = new Set(own.map(({ file }) => file));
  const foreign = names.filter((name) => isWeights(name) && !ours.has(name)).sort();
  if (foreign.length > 0 && !overwrite) throw otherModel(path, foreign);
  // What is replaced frees about as much as it takes.
  const present = new Set(names);
  for (const file of overwrite ? [] : own)
    if (present.has(file.file) && !(await isOwn(file))) throw otherModel(path, [file.file]);
  for (const name of foreign) await attempt('remove', join(path, name), () => ops.unlink(join(path, name)));
  const bytes = own.reduce((total, file) => (present.has(file.file) ? total : total + file.bytes), 0);
  await checkSpace(path, path, bytes, ops);
}

/** The error for a directory that has another model. */
export function otherModel(path: string, names: readonly string[]): IsometryError {
  const shown = names.slice(0, 3).map(showName).join(', ');
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return new IsometryError(
    'CHECKPOINT_ERROR',
    `expected ${path} to be without another model, but it has ${shown}${more}; write elsewhere, or with overwrite`,
  );
}
