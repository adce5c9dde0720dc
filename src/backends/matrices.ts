import { setImmediate } from 'node:timers/promises';
import { dtypeInfo } from '../dtype.js';
import { inJavaScript, type MatrixMaker } from './by-qr.js';
import { finish, finishInSlices, SLICE_MS } from './slices.js';
import { splitOf, windowSteps } from './steps.js';
import type { Backend, Part, RawBackend } from './types.js';

/**
 * A backend of primitives as one that computes everything: initializers that JavaScript puts together, QR, and windows
 * that cut what is best made whole.
 *
 * @param maker who computes matrices by QR; by default JavaScript.
 */
export function withMatrices<B extends RawBackend>(raw: B, maker: MatrixMaker = inJavaScript(raw)): B {
  const fillSync: Backend['fillSync'] = (request, target, start) => {
    for (const step of windowSteps(request, target, start)) {
      if (step.run === 'elements') raw.fillSync(step.request, step.target, step.start);
      else if (step.run === 'orthogonal') raw.orthogonalSync(step.request, step.target, step.start);
      else if (step.run === 'qr') maker.makeSync(step.request, step.index, step.target);
      else finish(step.work);
    }
  };
  const fill: Backend['fill'] = async (request, target, start, signal, onProgress) => {
    const split = splitOf(request);
    if (split === undefined) return raw.fill(request, target, start, signal, onProgress);
    // The fraction of one step is that of all work only where it is the only one: not of what a kernel is made from.
    const report = split.orthogonal.length === 1 && split.computed.length === 0 ? onProgress : undefined;
    let until = performance.now() + SLICE_MS;
    for (const step of windowSteps(request, target, start)) {
      signal?.throwIfAborted();
      // Thousands of small steps must not keep the event loop waiting either.
      if (performance.now() >= until) {
        await setImmediate();
        signal?.throwIfAborted();
        until = performance.now() + SLICE_MS;
      }
      if (step.run === 'elements') await raw.fill(step.request, step.target, step.start, signal);
      else if (step.run === 'orthogonal')
        await raw.orthogonal(step.request, step.target, step.start, signal, report);
      else if (step.run === 'qr') await maker.make(step.request, step.index, step.target, signal);
      else await finishInSlices(step.work, signal);
    }
  };
  const fillFile: Backend['fillFile'] = (parts) =>
    parts.every(({ request }) => splitOf(request) === undefined) ? raw.fillFile?.(parts) : undefined;
  if (raw.fillParts === undefined) return { ...raw, fillSync, fill, fillFile };
  const inner = raw.fillParts;
  const fillParts: Backend['fillParts'] = async (parts, buffer, signal) => {
    const others: Part[] = [];
    for (const part of parts) {
      const { request, start, length, byteOffset } = part;
      if (splitOf(request) === undefined) others.push(part);
      else
        await fill(request, new (dtypeInfo(request.dtype).array)(buffer, byteOffset, length), start, signal);
    }
    if (others.length > 0) await inner(others, buffer, signal);
  };
  return { ...raw, fillSync, fill, fillParts, fillFile };
}
