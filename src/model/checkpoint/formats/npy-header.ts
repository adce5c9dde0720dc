import { IsometryError, showName } from '../../../errors.js';
import type { StoredDType } from '../../../safetensors/dtypes.js';
import type { StoredTensor } from '../../../safetensors/header.js';
import { shownDType } from './names.js';

/** What NumPy calls the little-endian elements (`numpy.dtype.str`); it has no others of ours. */
const DESCRIPTORS: ReadonlyMap<StoredDType, string> = new Map<StoredDType, string>([
  ['F64', '<f8'],
  ['F32', '<f4'],
  ['F16', '<f2'],
  ['I64', '<i8'],
  ['I32', '<i4'],
  ['I16', '<i2'],
  ['I8', '|i1'],
  ['U64', '<u8'],
  ['U32', '<u4'],
  ['U16', '<u2'],
  ['U8', '|u1'],
  ['BOOL', '|b1'],
  ['C64', '<c8'],
]);

/** NumPy's NPY_MAXDIMS since 2.0. */
const MAX_AXES = 64;

/** Data begins at a multiple of so many bytes (ARRAY_ALIGN of numpy.lib.format), so that it can be mapped. */
const ALIGNMENT = 64;

/** Room that NumPy leaves for the first axis to grow in place, in digits (GROWTH_AXIS_MAX_DIGITS of numpy.lib.format). */
const GROWTH_DIGITS = 21;

/**
 * Whether a NumPy array can be that.
 * @throws IsometryError `INVALID_DTYPE`, `INVALID_SHAPE`.
 */
export function checkArray({ name, dtype, shape }: StoredTensor): void {
  if (!DESCRIPTORS.has(dtype)) {
    throw new IsometryError(
      'INVALID_DTYPE',
      `expected a dtype that NumPy has for ${showName(name)} but received ${shownDType(dtype)}; use float32 or float16, or write safetensors`,
    );
  }
  if (shape.length > MAX_AXES) {
    throw new IsometryError(
      'INVALID_SHAPE',
      `expected at most ${MAX_AXES} axes, as NumPy has, for ${showName(name)} but received ${shape.length}; write safetensors`,
    );
  }
}

/**
 * What stands before the elements in a .npy file of version 1.0 (NEP 1): the bytes that `numpy.save` writes.
 * @throws IsometryError as `checkArray`.
 */
export function npyHeader(tensor: StoredTensor): Uint8Array {
  checkArray(tensor);
  const { dtype, shape } = tensor;
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const growth = shape.length === 0 ? 0 : GROWTH_DIGITS - String(shape[0]).length;
  const text = `{'descr': '${DESCRIPTORS.get(dtype)}', 'fortran_order': False, 'shape': (${axes}), }${' '.repeat(growth)}`;
  // Magic, version and length take 10 bytes, the newline at the end one more.
  const padding = ALIGNMENT - ((10 + text.length + 1) % ALIGNMENT);
  const length = text.length + padding + 1;
  const header = Buffer.alloc(10 + length, ' ');
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  header.writeUInt16LE(length, 8);
  header.write(text, 10, 'latin1');
  header[header.length - 1] = 0x0a;
  return header;
}
