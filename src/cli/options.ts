import { InvalidArgumentError } from 'commander';
import { parseDevice } from '../backends/index.js';
import { IsometryError } from '../errors.js';
import { MAX_SEED } from '../seed.js';

/** The longest a 64-bit number gets, in decimal or hexadecimal, with room for leading zeros. */
const LONGEST_SEED = 40;

/** A seed as typed: decimal, or hexadecimal with `0x`. */
export function seedOption(text: string): bigint {
  if (text.length <= LONGEST_SEED && /^(?:\d+|0x[0-9a-f]+)$/i.test(text)) {
    const seed = BigInt(text);
    if (seed <= MAX_SEED) return seed;
  }
  throw new InvalidArgumentError('It must be a whole number from 0 to 2^64 − 1, in decimal or as 0x… .');
}

/** A device's name. */
export function deviceOption(text: string): string {
  return usage(() => parseDevice(text));
}

/** A number of threads, as text for the environment variable that the backend reads. */
export function threadsOption(text: string): string {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return text;
}

function usage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof IsometryError ? new InvalidArgumentError(error.message) : error;
  }
}
