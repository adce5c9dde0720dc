// What enqueue.mjs and worker.mjs agree on.

/** Jobs that write shards, one for each rank, and the job behind them that writes the index. */
export const SHARDS = 'isometry-shards';
export const FINALIZE = 'isometry-finalize';

/** Workers wait for Redis to come back however long it takes; BullMQ asks for the null. */
export const connection = {
  url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379',
  maxRetriesPerRequest: null,
};
