#!/usr/bin/env node
// Several threads of one process, each a rank of its own:
//   node init.mjs SOURCE DIRECTORY SEED THREADS [MAX_SHARD_SIZE]
// SOURCE is a config.json or a plan. writeCheckpoint alone uses all CPUs already; this is for machines with several GPUs:
//   DEVICES=cuda:0,cuda:1 node init.mjs SOURCE DIRECTORY SEED 2
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { finalizeCheckpoint, planFrom, writeCheckpoint } from 'isometry';

if (isMainThread) {
  const [source, directory, seed, threads, maxShardSize] = process.argv.slice(2);
  const world = Number(threads);
  if (!Number.isSafeInteger(world) || world < 1) {
    process.stderr.write('usage: init.mjs SOURCE DIRECTORY SEED THREADS [MAX_SHARD_SIZE]\n');
    process.exit(2);
  }
  const devices = (process.env.DEVICES ?? 'auto').split(',');
  // All are waited for, also if one fails: no thread should be left writing.
  const ends = await Promise.allSettled(
    Array.from({ length: world }, (_, rank) => {
      const device = devices[rank % devices.length];
      return ended({ source, directory, seed: BigInt(seed), rank, world, maxShardSize, device });
    }),
  );
  for (const { reason } of ends.filter(({ status }) => status === 'rejected')) throw reason;
  const { shards, tensors, bytes } = await finalizeCheckpoint(directory);
  console.log(`${directory}: ${shards} shards, ${tensors} tensors, ${bytes} bytes by ${world} threads`);
} else {
  const { source, directory, ...options } = workerData;
  await writeCheckpoint(await planFrom(source), directory, options);
}

/** Runs this file as a thread. */
function ended(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData });
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`)),
    );
  });
}
