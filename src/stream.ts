import { createHash } from 'node:crypto';
import { expectedHint } from './options.js';

/**
 * `name`, when it can name a tensor: a non-empty string without lone surrogates (they have no UTF-8 form) and without
 * NUL (it parts the name from a role in {@link streamId}). Names are compared as they are, without Unicode
 * normalization: `é` as one code point and as two are different names, hence different weights.
 *
 * @param where - what the message calls it.
 * @throws IsometryError `INVALID_NAME`.
 */
export function parseName(name: unknown, where = 'name'): string {
  if (typeof name !== 'string' || name === '') {
    const hint = 'every tensor draws from the stream of its own name, as in "encoder.0.weight"';
    throw expectedHint('INVALID_NAME', 'a non-empty string', where, name, hint);
  }
  // With the u flag a surrogate matches only when it is not half of a pair.
  if (/\p{Surrogate}/u.test(name)) {
    const hint = 'String.prototype.toWellFormed replaces what cannot be encoded';
    throw expectedHint('INVALID_NAME', 'well-formed Unicode (no lone surrogates)', where, name, hint);
  }
  if (name.includes('\0')) {
    throw expectedHint('INVALID_NAME', 'a string without NUL', where, name, 'remove the \\u0000');
  }
  return name;
}

/**
 * The 64-bit random stream of a tensor: the first 8 bytes, little-endian, of the SHA-256 of its name in UTF-8. So it
 * depends on nothing else: adding, removing or reordering tensors never changes another tensor's weights.
 *
 * @param name - the tensor's name, see {@link parseName}.
 * @param role - names a second, independent stream of the same tensor (for example the mask of a sparse one); hashed
 * behind the name and a NUL, which no name contains.
 * @throws IsometryError `INVALID_NAME`.
 */
export function streamId(name: string, role?: string): bigint {
  const hash = createHash('sha256').update(parseName(name), 'utf8');
  if (role !== undefined) hash.update(`\0${parseName(role, 'role')}`, 'utf8');
  return hash.digest().readBigUInt64LE(0);
}
