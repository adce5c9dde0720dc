import { expected } from './errors.js';

/** Most axes a tensor may have; as in NumPy before 2.0, and the size of a native job's arrays. */
export const MAX_RANK = 32;

// By name, so that arrays of another realm (a vm context, a test runner) are known too.
const INTEGER_ARRAYS: ReadonlySet<string> = new Set([
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
]);

/**
 * A validated, frozen copy of a tensor's shape, outermost axis first. Every dimension is a whole number from 0 to
 * 2^53 − 1 and is read exactly once, so a getter or proxy cannot give another answer later. `[]` is one element;
 * a dimension of 0 makes an empty tensor.
 *
 * @param shape - an array, or a typed array of integers of at most 32 bits.
 * @param where - what the message calls it.
 * @throws IsometryError `INVALID_SHAPE` naming the axis; `TOO_LARGE` for more than 2^53 − 1 elements.
 */
export function parseShape(shape: unknown, where = 'shape'): readonly number[] {
  if (!isArrayOfDims(shape)) throw expected('INVALID_SHAPE', 'an array of dimensions', where, shape);
  const rank: unknown = shape.length;
  // A proxy's length can be anything.
  if (typeof rank !== 'number' || !Number.isInteger(rank) || rank < 0 || rank > MAX_RANK) {
    throw expected('INVALID_SHAPE', `at most ${MAX_RANK} axes`, `the rank of ${where}`, rank);
  }
  const dims: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const dim: unknown = shape[axis];
    if (typeof dim !== 'number' || !Number.isSafeInteger(dim) || dim < 0) {
      throw expected('INVALID_SHAPE', 'a whole number from 0 to 2^53 − 1', `${where}[${axis}]`, dim);
    }
    dims.push(dim + 0); // −0 → 0
  }
  elementCount(dims, where);
  return Object.freeze(dims);
}

function isArrayOfDims(shape: unknown): shape is ArrayLike<unknown> {
  if (Array.isArray(shape)) return true;
  return ArrayBuffer.isView(shape) && INTEGER_ARRAYS.has(Object.prototype.toString.call(shape).slice(8, -1));
}

/**
 * The number of elements of a tensor of validated `shape`: the product of its dimensions, 1 for rank 0.
 * @throws IsometryError `TOO_LARGE` beyond 2^53 − 1, the largest count that a number holds exactly. A shape with a 0
 * in it has no elements, whatever its other dimensions.
 */
export function elementCount(shape: readonly number[], where = 'shape'): number {
  if (shape.includes(0)) return 0;
  let count = 1;
  for (const dim of shape) {
    // Safe: once a partial product (all dims ≥ 1) is too large, no later factor makes it smaller, and rounding
    // a product above 2^53 never brings it below.
    count *= dim;
    if (count > Number.MAX_SAFE_INTEGER) {
      throw expected('TOO_LARGE', `at most ${Number.MAX_SAFE_INTEGER} elements`, where, shape);
    }
  }
  return count;
}
