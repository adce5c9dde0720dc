import { expectedHint } from './options.js';

/** Seeds are unsigned 64-bit: the key of the random generator. */
export const MAX_SEED: bigint = 2n ** 64n - 1n;

/**
 * A seed as the 64-bit number that keys the generator. `1` and `1n` are the same seed.
 *
 * There is no default: a seed taken from the clock would make a model that nobody can make again, so the caller
 * chooses (and can log) it.
 *
 * @param seed - a whole number from 0 to 2^53 − 1, or a bigint from 0 to 2^64 − 1.
 * @throws IsometryError `INVALID_SEED` for anything else, with the way to write it right.
 */
export function parseSeed(seed: unknown): bigint {
  if (typeof seed === 'bigint' && seed >= 0n && seed <= MAX_SEED) return seed;
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  const what = 'a whole number from 0 to 2^53 − 1 or a bigint from 0 to 2^64 − 1';
  throw expectedHint('INVALID_SEED', what, 'seed', seed, remedy(seed));
}

function remedy(seed: unknown): string {
  if (seed === undefined || seed === null) {
    return 'a seed is required, as in { seed: 42 }: one from the clock would make weights that nobody can make again';
  }
  if (typeof seed === 'string') return 'convert it with BigInt(text)';
  if (typeof seed === 'number' && Number.isInteger(seed) && seed > 0) {
    return 'a number this large is not exact: write it as a bigint, as in 12345678901234567890n';
  }
  if (typeof seed === 'bigint' && seed < 0n)
    return 'BigInt.asUintN(64, seed) maps signed seeds to unsigned ones';
  return 'pass a number or bigint, as in { seed: 42 }';
}
