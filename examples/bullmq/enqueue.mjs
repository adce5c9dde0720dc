#!/usr/bin/env node
// Has workers write a model's checkpoint, and waits until it is complete:
//   node enqueue.mjs SOURCE DIRECTORY SEED JOBS [MAX_SHARD_SIZE]
// SOURCE is a config.json or a plan. Both paths must mean the same for every worker: put them on a volume that all have.
import { resolve } from 'node:path';
import { FlowProducer, QueueEvents } from 'bullmq';
import { connection, FINALIZE, SHARDS } from './queues.mjs';

const [source, directory, seed, jobs, maxShardSize] = process.argv.slice(2);
const world = Number(jobs);
if (!Number.isSafeInteger(world) || world < 1) {
  process.stderr.write('usage: enqueue.mjs SOURCE DIRECTORY SEED JOBS [MAX_SHARD_SIZE]\n');
  process.exit(2);
}

// A seed may be larger than JSON's numbers.
const data = { source: resolve(source), directory: resolve(directory), seed, world, maxShardSize };
const flow = new FlowProducer({ connection });
const events = new QueueEvents(FINALIZE, { connection });
await events.waitUntilReady();

// A shard that was written twice is the same shard, so that a job may be repeated whenever in doubt. The parent runs when
// all children have succeeded, and fails when one of them has failed for good.
const options = {
  attempts: 5,
  backoff: { type: 'exponential', delay: 1000 },
  removeOnComplete: { age: 86_400 },
  removeOnFail: { age: 7 * 86_400 },
};
const { job } = await flow.add({
  name: 'finalize',
  queueName: FINALIZE,
  data,
  opts: options,
  children: Array.from({ length: world }, (_, rank) => ({
    name: `shards of rank ${rank}`,
    queueName: SHARDS,
    data: { ...data, rank },
    opts: { ...options, failParentOnFailure: true },
  })),
});
console.log(`job ${job.id}: ${world} jobs write ${data.directory}`);

try {
  const { shards, bytes } = await job.waitUntilFinished(events);
  console.log(`complete: ${shards} shards, ${bytes} bytes`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  await events.close();
  await flow.close();
}
