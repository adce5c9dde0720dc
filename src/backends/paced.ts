import { setImmediate } from 'node:timers/promises';
import type { TensorArray } from '../dtype.js';
import type { FillRequest } from '../job.js';
import type { Backend } from './types.js';

/** Below this, handing a job to threads takes longer than the job. */
const SYNC_ELEMENTS = 1 << 14;

/** So many elements may be computed without letting the event loop run (some milliseconds in plain JavaScript). */
const SYNC_BUDGET = 1 << 17;

/** A tiny tensor costs about as much as so many elements. */
const CALL_ELEMENTS = 256;

/** Fills one window after another: small ones at once, but never so many that the event loop would wait. */
export class PacedFiller {
  private readonly backend: Backend;
  private readonly signal: AbortSignal | undefined;
  private sinceYield = 0;

  constructor(backend: Backend, signal: AbortSignal | undefined) {
    this.backend = backend;
    this.signal = signal;
  }

  /** As {@link Backend.fill}. */
  async fill(request: FillRequest, target: TensorArray, start: number): Promise<void> {
    // A GPU never answers at once.
    if (target.length > SYNC_ELEMENTS || this.backend.name === 'cuda') {
      await this.backend.fill(request, target, start, this.signal);
      this.sinceYield = 0;
      return;
    }
    this.backend.fillSync(request, target, start);
    this.sinceYield += target.length + CALL_ELEMENTS;
    if (this.sinceYield > SYNC_BUDGET) {
      this.sinceYield = 0;
      await setImmediate();
      this.signal?.throwIfAborted();
    }
  }
}
