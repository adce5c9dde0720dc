import { stopAtExit } from './at-exit.js';
import type { NativeBinding } from './native.js';
import type { CudaCallback } from './native-cuda.js';
import { fromNative } from './native-error.js';
import { onAbort } from './on-abort.js';

/** A GPU's job as a promise. Rejects with the signal's reason when it is aborted. */
export function runJob(
  binding: NativeBinding,
  start: (callback: CudaCallback) => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    stopAtExit(binding);
    let forget: (() => void) | undefined;
    try {
      const id = start((outcome, error) => {
        forget?.();
        // A launch that has begun cannot be stopped, but nobody waits for its result any more.
        if (signal?.aborted || outcome === 'cancelled') reject(signal?.reason);
        else if (outcome === 'done') resolve();
        else if (outcome === 'failed') reject(fromNative(error));
        else reject(fromNative(new Error('the buffer of a running fill was taken away')));
      });
      if (signal !== undefined) forget = onAbort(signal, () => binding.cancel(id));
    } catch (error) {
      reject(fromNative(error));
    }
  });
}

/** What `action` returns; what the addon throws becomes one of the library's errors. */
export function callNative<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw fromNative(error);
  }
}
