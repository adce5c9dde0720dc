import { setImmediate } from 'node:timers/promises';
import { dtypeInfo, type TensorArray } from '../dtype.js';
import type { FillRequest, MatrixPrimitive } from '../job.js';
import { allocateNormals, makeMatrix, normalsOf } from '../js/orthogonal.js';
import type { Backend, Part } from './types.js';

/** The matrices of a request; undefined for one of independent elements. */
export function matricesOf(request: FillRequest): MatrixPrimitive | undefined {
  const primitive = request.jobs[0]?.primitive;
  return primitive?.kind === 'orthogonal' ? primitive : undefined;
}

/** Elements of one of a tensor's stacked matrices. */
export function matrixElements({ matrices }: MatrixPrimitive): number {
  return matrices.before * matrices.outputs * matrices.after;
}

/** Who computes matrix number `index` of a request, into an array of just its elements. */
export interface MatrixMaker {
  makeSync(request: FillRequest, index: number, out: TensorArray): void;
  make(request: FillRequest, index: number, out: TensorArray, signal?: AbortSignal): Promise<void>;
}

/**
 * A backend of independent elements as one that computes matrices too: whole ones always, since a part of a matrix
 * costs as much as all of it.
 * @param maker who computes them; by default JavaScript, from normals that the backend draws, so that the bits are the
 * same with every backend.
 */
export function withMatrices<B extends Backend>(elements: B, maker: MatrixMaker = inJavaScript(elements)): B {
  const lastCut: LastCut = new WeakMap();
  const fillSync: Backend['fillSync'] = (request, target, start) => {
    const primitive = matricesOf(request);
    if (primitive === undefined) return elements.fillSync(request, target, start);
    for (const piece of piecesOf(lastCut, request, primitive, target, start)) {
      if (piece.made) continue;
      maker.makeSync(request, piece.index, piece.matrix);
      piece.take();
    }
  };
  const fill: Backend['fill'] = async (request, target, start, signal) => {
    const primitive = matricesOf(request);
    if (primitive === undefined) return elements.fill(request, target, start, signal);
    for (const piece of piecesOf(lastCut, request, primitive, target, start)) {
      signal?.throwIfAborted();
      if (piece.made) continue;
      await maker.make(request, piece.index, piece.matrix, signal);
      piece.take();
    }
  };
  if (elements.fillParts === undefined) return { ...elements, fillSync, fill };
  const inner = elements.fillParts;
  const fillParts: Backend['fillParts'] = async (parts, buffer, signal) => {
    const others: Part[] = [];
    for (const part of parts) {
      const { request, start, length, byteOffset } = part;
      if (matricesOf(request) === undefined) others.push(part);
      else
        await fill(request, new (dtypeInfo(request.dtype).array)(buffer, byteOffset, length), start, signal);
    }
    if (others.length > 0) await inner(others, buffer, signal);
  };
  return { ...elements, fillSync, fill, fillParts };
}

/** A matrix of which a window has all elements or some. */
interface Piece {
  readonly index: number;
  /** Whether it was there already, and its part has been taken. */
  readonly made: boolean;
  /** Where all of it is to be computed. */
  readonly matrix: TensorArray;
  /** To be called when it is. */
  take(): void;
}

/** The last matrix that a window had only a part of: the next window, in a file for example, wants the rest. */
type LastCut = WeakMap<FillRequest, { readonly index: number; readonly matrix: TensorArray }>;

function* piecesOf(
  lastCut: LastCut,
  request: FillRequest,
  primitive: MatrixPrimitive,
  target: TensorArray,
  start: number,
): Generator<Piece> {
  const size = matrixElements(primitive);
  const end = start + target.length;
  const { array } = dtypeInfo(request.dtype);
  for (let index = Math.floor(start / size); index * size < end; index++) {
    const begin = index * size;
    const first = Math.max(start, begin);
    const last = Math.min(end, begin + size);
    if (last - first === size) {
      const matrix = target.subarray(begin - start, begin - start + size);
      yield { index, made: false, matrix, take: () => {} };
      continue;
    }
    const cached = lastCut.get(request);
    const made = cached?.index === index;
    const matrix = made ? cached.matrix : new array(size);
    const copy = (): void => target.set(matrix.subarray(first - begin, last - begin), first - start);
    if (made) copy();
    const take = (): void => {
      lastCut.set(request, { index, matrix });
      copy();
    };
    yield { index, made, matrix, take };
  }
}

/** How long the event loop may have to wait, in milliseconds; about. */
const SLICE_MS = 10;

function inJavaScript(elements: Backend): MatrixMaker {
  return {
    makeSync(request, index, out) {
      const primitive = matricesOf(request)!;
      const normals = normalsOf(request, primitive);
      const g = allocateNormals(normals);
      elements.fillSync(normals.request, g, index * g.length);
      const work = makeMatrix(g, normals, primitive, request.dtype, out);
      while (work.next().done !== true);
    },
    async make(request, index, out, signal) {
      const primitive = matricesOf(request)!;
      const normals = normalsOf(request, primitive);
      const g = allocateNormals(normals);
      await elements.fill(normals.request, g, index * g.length, signal);
      let until = performance.now() + SLICE_MS;
      for (const _ of makeMatrix(g, normals, primitive, request.dtype, out)) {
        if (performance.now() < until) continue;
        await setImmediate();
        signal?.throwIfAborted();
        until = performance.now() + SLICE_MS;
      }
    },
  };
}
