// Where in all streams given random words stand. Philox is a bijection of its counters under every key, so running it
// backwards finds the one block with those words; its number must be one that a tensor can have.
import { philox, philoxKeys } from '../../src/js/philox.js';

const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const INVERSES = MULTIPLIERS.map(inverse);
const ROUNDS = 10;

/** Inverse modulo 2^32 of an odd number, by Newton's iteration. */
function inverse(m: number): number {
  let x = m;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(m, x));
  return x;
}

const high = (a: number, b: number): number => Number((BigInt(a >>> 0) * BigInt(b)) >> 32n) | 0;

function unphilox(keys: Int32Array, words: readonly number[]): readonly number[] {
  let [c0, c1, c2, c3] = words as [number, number, number, number];
  for (let r = ROUNDS - 1; r >= 0; r--) {
    const before0 = Math.imul(c3, INVERSES[0]!);
    const before2 = Math.imul(c1, INVERSES[1]!);
    const before1 = c0 ^ high(before2, MULTIPLIERS[1]) ^ keys[2 * r]!;
    const before3 = c2 ^ high(before0, MULTIPLIERS[0]) ^ keys[2 * r + 1]!;
    [c0, c1, c2, c3] = [before0, before1, before2, before3];
  }
  return [c0, c1, c2, c3];
}

/** A block of some stream under some seed. */
export interface Place {
  readonly seed: bigint;
  readonly stream: bigint;
  /** Number of the block, < 2^51: its four words are those of elements 4n … 4n + 3. */
  readonly block: number;
}

/** The place with the smallest seed where the four words of a block are these. */
export function placeOf(words: readonly [number, number, number, number]): Place {
  const forward = new Int32Array(4);
  // One seed in 2^13 gives a number below 2^51; that none of a million does has the probability e^-128.
  for (let seed = 0n; seed < 1_000_000n; seed++) {
    const keys = philoxKeys(seed);
    const [c0, c1, c2, c3] = unphilox(keys, words) as [number, number, number, number];
    if (c1 >>> 19 !== 0) continue;
    philox(keys, c0, c1, c2, c3, forward, 0);
    if (words.some((word, k) => (word | 0) !== forward[k])) throw new Error('Philox was not inverted');
    const stream = (BigInt(c3 >>> 0) << 32n) | BigInt(c2 >>> 0);
    return { seed, stream, block: (c1 >>> 0) * 2 ** 32 + (c0 >>> 0) };
  }
  throw new Error('no seed found');
}

/** Blocks of words at the ends and in the middle of every range: 0, 2^32 − 1, 2^31 − 1, 2^31 in each lane. */
export const EXTREME_PLACES: readonly Place[] = (
  [
    [0, 0, 0, 0],
    [-1, -1, -1, -1],
    [0x7fffffff, -0x80000000, 0x7fffffff, -0x80000000],
    [-0x80000000, 0x7fffffff, -1, 0],
    [0, -1, 1, -2],
    [0xff, -256, -257, 0x100],
  ] as const
).map((words) => placeOf(words));
