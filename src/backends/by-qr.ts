import { setImmediate } from 'node:timers/promises';
import type { TensorArray } from '../dtype.js';
import type { FillRequest, QrPrimitive } from '../job.js';
import { allocateNormals, makeMatrix, normalsOf } from '../js/qr-matrices.js';
import type { Backend } from './types.js';

/** The matrices of a request by QR, which has no other job; undefined for any other request. */
export function matricesOf(request: FillRequest): QrPrimitive | undefined {
  const primitive = request.jobs[0]?.primitive;
  return primitive?.kind === 'qr' ? primitive : undefined;
}

/** Elements of one of a tensor's stacked matrices. */
export function matrixElements({ matrices }: QrPrimitive): number {
  return matrices.before * matrices.outputs * matrices.after;
}

/** Who computes matrix number `index` of a request by QR, into an array of just its elements. */
export interface MatrixMaker {
  makeSync(request: FillRequest, index: number, out: TensorArray): void;
  make(request: FillRequest, index: number, out: TensorArray, signal?: AbortSignal): Promise<void>;
}

/** In JavaScript, from normals that the backend draws, so that the bits are the same with every backend. */
export function inJavaScript(elements: Backend): MatrixMaker {
  return {
    makeSync(request, index, out) {
      const primitive = matricesOf(request)!;
      const normals = normalsOf(request, primitive);
      const g = allocateNormals(normals);
      elements.fillSync(normals.request, g, index * g.length);
      finish(makeMatrix(g, normals, primitive, request.dtype, out));
    },
    async make(request, index, out, signal) {
      const primitive = matricesOf(request)!;
      const normals = normalsOf(request, primitive);
      const g = allocateNormals(normals);
      await elements.fill(normals.request, g, index * g.length, signal);
      await finishInSlices(makeMatrix(g, normals, primitive, request.dtype, out), signal);
    },
  };
}

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
