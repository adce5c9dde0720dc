import type { TensorArray } from '../dtype.js';
import type { FillRequest, QrPrimitive } from '../job.js';
import { allocateNormals, makeMatrix, normalsOf } from '../js/qr-matrices.js';
import { finish, finishInSlices } from './slices.js';
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
