import { setImmediate } from 'node:timers/promises';
import type { TensorArray } from '../dtype.js';
import type { FillRequest, OrthogonalRequest } from '../job.js';
import { fillRange } from '../js/fill.js';
import { fillOrthogonal } from '../js/orthogonal.js';
import { withMatrices } from './matrices.js';
import { finish, finishInSlices, SLICE_MS } from './slices.js';
import type { OnProgress, Probe, RawBackend } from './types.js';

/** First slice, in elements, before the speed is known. A multiple of 64 like every other. */
const FIRST_SLICE = 8192;

/** The pure-JavaScript backend: no native code, the same bytes. */
export const jsBackend: RawBackend = withMatrices({
  name: 'js',
  probe(): Probe {
    return { available: true, detail: 'pure JavaScript, 1 thread' };
  },
  fillSync(request: FillRequest, target: TensorArray, start: number): void {
    fillRange(request, target, start, start + target.length);
  },
  async fill(request: FillRequest, target: TensorArray, start: number, signal?: AbortSignal): Promise<void> {
    const end = start + target.length;
    let slice = FIRST_SLICE;
    for (let from = start; ; ) {
      signal?.throwIfAborted();
      const to = Math.min(end, from + slice);
      const began = performance.now();
      fillRange(request, target.subarray(from - start, to - start), from, to);
      if (to === end) return;
      slice = nextSlice(slice, performance.now() - began);
      from = to;
      await setImmediate();
    }
  },
  orthogonalSync(request: OrthogonalRequest, target: TensorArray, start: number): void {
    finish(fillOrthogonal(request, target, start));
  },
  async orthogonal(
    request: OrthogonalRequest,
    target: TensorArray,
    start: number,
    signal?: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void> {
    signal?.throwIfAborted();
    await finishInSlices(fillOrthogonal(request, target, start), signal, onProgress);
  },
});

/** At most doubles, so that one lucky measurement does not make a slice of seconds. */
function nextSlice(slice: number, took: number): number {
  const ideal = (slice * SLICE_MS) / Math.max(took, SLICE_MS / 2);
  return Math.max(64, Math.floor(ideal / 64) * 64);
}
