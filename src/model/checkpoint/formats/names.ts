import { IsometryError, showName } from '../../../errors.js';
import { type StoredDType, storedDType } from '../../../safetensors/dtypes.js';
import type { StoredTensor } from '../../../safetensors/header.js';

/** UTF-8 bytes of a tensor's name, so that a file's name with its ending has at most the 255 that file systems allow. */
const MAX_FILE_NAME_BYTES = 200;

/** A zip file counts a name's bytes with 16 bits; the ending takes four. */
const MAX_ENTRY_NAME_BYTES = 65_531;

/** A dtype as people know it. */
export function shownDType(dtype: StoredDType): string {
  return storedDType(dtype)?.dtype ?? dtype;
}

/**
 * Whether each tensor can be a file of its own in one directory, on any file system.
 * @throws IsometryError `INVALID_NAME`.
 */
export function checkFileNames(tensors: readonly StoredTensor[]): void {
  const taken = new Map<string, string>();
  for (const { name } of tensors) {
    if (/[/\\\0]/.test(name))
      throw badName('without "/", "\\" and NUL as the name of a file', name, 'npz or safetensors');
    if (Buffer.byteLength(name) > MAX_FILE_NAME_BYTES)
      throw badName(`of at most ${MAX_FILE_NAME_BYTES} bytes as the name of a file`, name);
    // Some file systems do not tell upper from lower case, or é from e with an accent.
    const folded = name.normalize('NFC').toLowerCase().normalize('NFC');
    const other = taken.get(folded);
    if (other !== undefined)
      throw badName(
        `that differs from ${showName(other)} in more than letter case as the name of a file`,
        name,
      );
    taken.set(folded, name);
  }
}

/**
 * Whether each tensor can be an entry `NAME.npy` of a zip file that is safe to unpack and from which NumPy gets it back.
 * @throws IsometryError `INVALID_NAME`.
 */
export function checkEntryNames(tensors: readonly StoredTensor[]): void {
  const names = new Set(tensors.map(({ name }) => name));
  for (const name of names) {
    const escapes = name.startsWith('/') || name.split('/').includes('..') || /[\\\0]/.test(name);
    if (escapes)
      throw badName('that leads nowhere else (no "..", no "/" at its start, no "\\", no NUL)', name);
    if (Buffer.byteLength(name) > MAX_ENTRY_NAME_BYTES)
      throw badName(`of at most ${MAX_ENTRY_NAME_BYTES} bytes`, name);
    // numpy.load takes "a.npy" for the file of the array "a".
    if (name.endsWith('.npy') && names.has(name.slice(0, -4)))
      throw badName(`other than ${showName(name.slice(0, -4))} with ".npy" behind it`, name);
  }
}

function badName(what: string, name: string, instead = 'safetensors'): IsometryError {
  return new IsometryError(
    'INVALID_NAME',
    `expected a name ${what} but received ${showName(name)}; rename the tensor, or write ${instead}`,
  );
}
