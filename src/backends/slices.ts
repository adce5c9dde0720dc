/**
 * Work in slices of time: generators that yield between pieces of it, run to their end.
 */
import { setImmediate } from 'node:timers/promises';

/** How long the event loop may have to wait, in milliseconds; about. */
export const SLICE_MS = 10;

/** Runs work that yields between pieces of it to its end. */
export function finish(work: Generator<unknown, void>): void {
  while (work.next().done !== true);
}

/**
 * {@link finish}, letting the event loop run now and then.
 * @param onYield - given what the work yielded last, before each pause.
 */
export async function finishInSlices<T>(
  work: Generator<T, void>,
  signal: AbortSignal | undefined,
  onYield?: (value: T) => void,
): Promise<void> {
  let until = performance.now() + SLICE_MS;
  for (const value of work) {
    if (performance.now() < until) continue;
    onYield?.(value);
    await setImmediate();
    signal?.throwIfAborted();
    until = performance.now() + SLICE_MS;
  }
}
