/**
 * Runs `work` for each item, at most `limit` at a time, in order of their beginning. When one fails the others are told to
 * stop by the signal they were given; the promise rejects with the first failure once all have ended, so that nothing
 * goes on behind the caller's back.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const stop = signal === undefined ? failure.signal : AbortSignal.any([signal, failure.signal]);
  let next = 0;
  const failures: unknown[] = [];
  const run = async (): Promise<void> => {
    while (next < items.length && !stop.aborted) {
      try {
        await work(items[next++]!, stop);
      } catch (error) {
        failures.push(error);
        failure.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, run));
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
