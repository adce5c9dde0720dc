import type { TensorArray } from '../dtype.js';
import type { FillRequest } from '../job.js';

export type BackendName = 'cuda' | 'cpu' | 'js';

/** Whether a backend can be used; `not available` is a value with a reason, never an exception. */
export type Probe =
  | { readonly available: true; readonly detail: string }
  | { readonly available: false; readonly reason: string };

/** Called now and then, on the event loop's thread, with the number of elements done so far. */
export type OnElements = (done: number) => void;

/**
 * Who computes a job. `start` is the first element of the output to compute, `target.length` how many:
 * any window of the output can be computed alone, and equals that part of the whole.
 */
export interface Backend {
  readonly name: BackendName;
  probe(): Probe;
  /** Computes on the calling thread's time; returns when done. */
  fillSync(request: FillRequest, target: TensorArray, start: number): void;
  /**
   * Computes off the event loop (or in slices of it). The caller must keep `target` to itself until the promise
   * settles: nothing else may see, transfer or resize its buffer.
   * Rejects with `signal.reason` when aborted.
   */
  fill(request: FillRequest, target: TensorArray, start: number, signal?: AbortSignal): Promise<void>;
}
