import { join } from 'node:path';
import { checkSpace } from '../../io-errors.js';
import type { PlanFile } from '../plan/plan.js';
import { claimDirectory } from './claim.js';
import { removeFile, writeIfOther } from './companions.js';
import { finalizeManifest } from './finalize.js';
import { forEachLimited } from './limited.js';
import type { Manifest } from './manifest.js';
import type { ProgressReporter } from './progress.js';
import { isFinished, type Shard, type ShardWork, writeShard } from './shard-writer.js';

/** What became of a shard. */
export type ShardState = 'written' | 'kept' | 'left';

/** A checkpoint's directory, as it is to be. */
export interface DirectoryJob {
  /** Absolute. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** Of all ranks, in the manifest's order. */
  readonly shards: readonly Shard[];
  /** What is beside the weights, as in the manifest. */
  readonly files: readonly PlanFile[];
  readonly rank: number;
  readonly world: number;
  readonly overwrite: boolean;
  /** How many shards are written at a time. */
  readonly concurrency: number;
  readonly work: ShardWork;
  /** Of this rank's shards, in their order. */
  readonly reporter: ProgressReporter;
}

/**
 * Writes what one rank has to write of a checkpoint's directory. In this order: the manifest; the shards that are not
 * there yet; what lies beside them (rank 0); and, where there is only one rank, the index. Each file appears complete or not
 * at all. So whatever is interrupted can be started again, by anybody, and what two processes write is the same.
 *
 * @returns what became of each shard, in the manifest's order.
 */
export async function writeDirectory(job: DirectoryJob): Promise<readonly ShardState[]> {
  const { directory, manifest, shards, rank, world, work } = job;
  const { ops, signal } = work;
  const claim = await claimDirectory(directory, manifest, { ops, signal, overwrite: job.overwrite });
  const states: ShardState[] = shards.map(() => 'left');
  const own = shards.flatMap((shard, index) => (shard.rank === rank ? [{ shard, index }] : []));
  const numbered = own.map((entry, number) => ({ ...entry, number }));

  const pathOf = (shard: Shard): string => join(directory, shard.file);
  await forEachLimited(numbered, job.concurrency, signal, async ({ shard, index, number }, stop) => {
    const finished = await isFinished(shard, pathOf(shard), { ...work, signal: stop });
    states[index] = finished ? 'kept' : 'written';
    if (finished) job.reporter.done(number);
    // Until it is replaced it would be a part of another model among ours.
    else if (claim.replaced) await removeFile(directory, shard.file, ops);
  });

  // Who lost the directory to a process with `overwrite` must not replace that one's shards.
  const { confirm } = claim;
  const missing = numbered.filter(({ index }) => states[index] === 'written');
  const bytes = missing.reduce((total, { shard }) => total + shard.bytes, 0);
  await checkSpace(directory, directory, bytes, ops);
  await forEachLimited(missing, job.concurrency, signal, async ({ shard, number }, stop) => {
    const onWritten = (done: number): void => job.reporter.report(number, done);
    await confirm();
    const hooks = { onWritten, beforeRename: confirm, sweep: false };
    await writeShard(shard, pathOf(shard), { ...work, signal: stop }, hooks);
    job.reporter.done(number);
  });

  await confirm();
  if (rank === 0) {
    for (const file of job.files) {
      await writeIfOther(directory, file.name, file.bytes, ops, signal, confirm);
    }
  }
  if (world === 1) await finalizeManifest(directory, manifest, ops, signal);
  return states;
}
