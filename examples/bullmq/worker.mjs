#!/usr/bin/env node
// Writes shards that enqueue.mjs asks for, and the index behind them; as many processes on as many machines as you like:
//   node worker.mjs
// A worker that dies loses its lock after LOCK_SECONDS [30], and another one takes its job.
import { UnrecoverableError, Worker } from 'bullmq';
import { finalizeCheckpoint, IsometryError, planFrom, writeCheckpoint } from 'isometry';
import { connection, FINALIZE, SHARDS } from './queues.mjs';

const lock = 1000 * Number(process.env.LOCK_SECONDS ?? 30);
const stop = new AbortController();

// Weights are made by threads, or in JavaScript in slices of some milliseconds: the lock is renewed in time. Dying takes
// no attempt away, so that a job may be taken over as often as machines die.
const options = {
  connection,
  lockDuration: lock,
  stalledInterval: lock,
  maxStalledCount: 100,
};

/** Tries again what time may cure, a full disk or a volume that is away, and not what is wrong with the job. */
function once(work) {
  return (job) =>
    work(job).catch((error) => {
      const hopeless = error instanceof IsometryError && error.code !== 'IO_ERROR';
      throw hopeless ? new UnrecoverableError(error.message) : error;
    });
}

const shards = new Worker(
  SHARDS,
  once(async (job) => {
    const { source, directory, seed, rank, world, maxShardSize } = job.data;
    const plan = await planFrom(source);
    const { shards } = await writeCheckpoint(plan, directory, {
      seed: BigInt(seed),
      rank,
      world,
      ...(maxShardSize === undefined ? {} : { maxShardSize }),
      signal: stop.signal,
    });
    const written = shards.filter(({ state }) => state === 'written').length;
    const kept = shards.filter(({ state }) => state === 'kept').length;
    return { written, kept };
  }),
  options,
);

const finalize = new Worker(
  FINALIZE,
  once(async (job) => {
    const { shards, bytes } = await finalizeCheckpoint(job.data.directory, { signal: stop.signal });
    return { shards, bytes };
  }),
  options,
);

for (const worker of [shards, finalize]) {
  worker.on('active', (job) => console.log(`${job.name}: begun`));
  worker.on('completed', (job, result) => console.log(`${job.name}: ${JSON.stringify(result)}`));
  worker.on('failed', (job, error) => console.log(`${job?.name}: ${error.message}`));
  worker.on('stalled', (id) => console.log(`job ${id}: its worker has gone; taken over`));
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
}

/** Ends cleanly: what is being written is given up and tried again by another worker. */
async function end() {
  stop.abort(new Error('the worker was asked to end'));
  await Promise.all([shards.close(), finalize.close()]);
}
process.once('SIGTERM', end);
process.once('SIGINT', end);
