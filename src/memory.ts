import { constants } from 'node:buffer';
import { type DType, dtypeInfo, type TensorArray } from './dtype.js';
import { IsometryError, shorten } from './errors.js';
import type { ArrayOf } from './tensor.js';

/** Below this many bytes nobody asks how much memory there is: the question costs more than the allocation. */
export const CHECK_FROM_BYTES: number = 1 << 26;

const REMEDY =
  'fill it in parts with { slice }, or write it to disk with writeCheckpoint, which never holds a whole tensor';

/**
 * A zeroed array for `length` elements.
 * @param available - bytes that this process may still use; by default as the system and the cgroup say.
 * @throws IsometryError `TOO_LARGE` beyond what one typed array can hold; `OUT_OF_MEMORY` beyond what is available:
 * the system would promise more, and kill the process when it is used.
 */
export function allocateTensor<D extends DType>(
  dtype: D,
  length: number,
  name: string,
  available: () => number = () => process.availableMemory(),
): ArrayOf[D] {
  const { array } = dtypeInfo(dtype);
  return allocateArray<TensorArray>(array as NewArray<TensorArray>, length, name, available) as ArrayOf[D];
}

/** What makes typed arrays of one kind. */
interface NewArray<A extends ArrayBufferView> {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): A;
}

/** A zeroed typed array, as {@link allocateTensor}. */
export function allocateArray<A extends ArrayBufferView>(
  array: NewArray<A>,
  length: number,
  name: string,
  available: () => number = () => process.availableMemory(),
): A {
  const bytes = length * array.BYTES_PER_ELEMENT;
  if (length > constants.MAX_LENGTH) {
    throw new IsometryError(
      'TOO_LARGE',
      `${shorten(name)} has ${length} elements, but one array holds at most ${constants.MAX_LENGTH}; ${REMEDY}`,
    );
  }
  checkAvailable(bytes, name, available);
  try {
    const made = new array(length);
    if (bytes >= CHECK_FROM_BYTES) untouched.add(made.buffer);
    return made;
  } catch (error) {
    throw outOfMemory(name, bytes, 'the system refused them', error);
  }
}

/** Memory of {@link allocateTensor} that nobody has written to yet: the system has promised it, but counts it as free. */
const untouched = new WeakSet<ArrayBufferLike>();

/** That an array has been written to, as far as it is ever going to be. */
export function markTouched({ buffer }: ArrayBufferView): void {
  untouched.delete(buffer);
}

/** What of the memory that the system calls free is spoken for by an array that is about to be written to. */
export function promisedBytes({ buffer }: ArrayBufferView): number {
  return untouched.has(buffer) ? buffer.byteLength : 0;
}

/**
 * That `bytes` bytes of work memory for filling `target` may still be used.
 *
 * @param what - needs them, for the message.
 * @throws IsometryError `OUT_OF_MEMORY`.
 */
export function checkWorkMemory(
  bytes: number,
  target: ArrayBufferView,
  what: string,
  available: () => number = () => process.availableMemory(),
): void {
  if (Math.max(bytes, target.byteLength) < CHECK_FROM_BYTES) return;
  const left = Math.max(0, available() - promisedBytes(target));
  if (bytes <= left) return;
  throw new IsometryError(
    'OUT_OF_MEMORY',
    `${what} needs ${bytes} bytes of work memory, but only ${left} are available; use a smaller matrix or fewer ` +
      'threads (ISOMETRY_THREADS)',
  );
}

/**
 * That `bytes` bytes may still be used.
 * @throws IsometryError `OUT_OF_MEMORY`.
 */
export function checkAvailable(
  bytes: number,
  name: string,
  available: () => number = () => process.availableMemory(),
): void {
  if (bytes < CHECK_FROM_BYTES) return;
  const left = available();
  if (bytes > left) throw outOfMemory(name, bytes, `only ${left} are available`);
}

function outOfMemory(name: string, bytes: number, why: string, cause?: unknown): IsometryError {
  const message = `${shorten(name)} needs ${bytes} bytes of memory, but ${why}; ${REMEDY}`;
  return new IsometryError('OUT_OF_MEMORY', message, cause === undefined ? undefined : { cause });
}
