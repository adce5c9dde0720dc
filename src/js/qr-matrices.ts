/**
 * Orthogonal matrices in JavaScript, for every backend without a solver of its own: the same bits on all of them.
 */
import { constants } from 'node:buffer';
import { type DType, dtypeInfo, type TensorArray } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { FillRequest, QrPrimitive } from '../job.js';
import { CHECK_FROM_BYTES } from '../memory.js';
import { orthogonalize } from './qr.js';
import { toBFloat16, toFloat16 } from './round.js';

/** The M × N matrix of normals, M ≥ N, that a stacked matrix is made of. */
export interface Normals {
  readonly rows: number;
  readonly cols: number;
  /** Whether the stacked matrix has fewer rows than columns, so that it is the transpose of Q. */
  readonly wide: boolean;
  /** All of them, one after the other, column-major, in the precision of the factorization. */
  readonly request: FillRequest;
}

/** The normals of a request for matrices, which has no other job. */
export function normalsOf(request: FillRequest, primitive: QrPrimitive): Normals {
  const { count, before, outputs, after } = primitive.matrices;
  const others = before * after;
  const [rows, cols] = outputs < others ? [others, outputs] : [outputs, others];
  const length = count * rows * cols;
  const region = {
    shape: [length],
    sourceOffset: 0,
    sourceStrides: [1],
    targetOffset: 0,
    targetStrides: [1],
  };
  const jobs = [{ primitive: primitive.normal, stream: request.jobs[0]!.stream, region }];
  return {
    rows,
    cols,
    wide: outputs < others,
    request: { seed: request.seed, dtype: primitive.precision, length, jobs },
  };
}

/**
 * Memory for one matrix of normals.
 * @throws IsometryError `TOO_LARGE`, `OUT_OF_MEMORY`: before anything is computed.
 */
export function allocateNormals(
  { rows, cols, request }: Normals,
  available: () => number = () => process.availableMemory(),
): Float64Array | Float32Array {
  const length = rows * cols;
  const { array, bytes: elementBytes } = dtypeInfo(request.dtype);
  // The factorization is in float64, and for a moment both are there.
  const bytes = length * (elementBytes === 8 ? 8 : 8 + elementBytes);
  const what = `the QR factorization of a ${rows} × ${cols} matrix`;
  if (length > constants.MAX_LENGTH) {
    const most = constants.MAX_LENGTH;
    const message = `${what} has ${length} elements, but one array holds at most ${most}; use device: "cuda"`;
    throw new IsometryError('TOO_LARGE', message);
  }
  const left = bytes < CHECK_FROM_BYTES ? bytes : available();
  if (bytes > left)
    throw outOfMemory(`${what} needs ${bytes} bytes of memory, but only ${left} are available`);
  try {
    return new array(length) as Float64Array | Float32Array;
  } catch {
    throw outOfMemory(`${what} needs ${bytes} bytes of memory, but the system refused them`);
  }
}

function outOfMemory(what: string): IsometryError {
  return new IsometryError('OUT_OF_MEMORY', `${what}; a matrix cannot be made in parts: use a smaller one`);
}

/**
 * One stacked matrix from its normals, to an array of just its elements. Yields between pieces of work.
 */
export function* makeMatrix(
  normals: Float64Array | Float32Array,
  { rows, cols, wide }: Normals,
  primitive: QrPrimitive,
  dtype: DType,
  out: TensorArray,
): Generator<undefined, void> {
  const q = normals instanceof Float64Array ? normals : new Float64Array(normals);
  const diagonal = yield* orthogonalize(q, rows, cols);
  const { gain, matrices } = primitive;
  const { before, outputs, after } = matrices;
  // By output rows and not by columns of Q, because the tensor is written in its own order.
  for (let a = 0, at = 0; a < before; a++) {
    for (let o = 0; o < outputs; o++) {
      for (let b = 0; b < after; b++, at++) {
        const [row, column] = wide ? [a * after + b, o] : [o, a * after + b];
        // No element of Q is larger than 1, but for rounding.
        const element = Math.min(1, Math.max(-1, q[column * rows + row]!));
        const value = element * (diagonal[column]! < 0 ? -gain : gain);
        out[at] = dtype === 'bfloat16' ? toBFloat16(value) : dtype === 'float16' ? toFloat16(value) : value;
      }
      yield;
    }
  }
}
