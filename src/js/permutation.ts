/**
 * A pseudo-random permutation of [0, size), one number at a time. Twin of core/permutation.h; docs/adr/0009-sparse.md
 * defines it.
 */

const ROUNDS = 10;
const SMALLEST_BITS = 6;

/** What depends on the size alone: a number is `high·lowSize + low`. */
export interface PermutationDomain {
  readonly size: number;
  readonly lowSize: number;
  readonly lowMask: number;
  readonly highMask: number;
}

/** @param size - from 1 to 2^53. */
export function permutationDomain(size: number): PermutationDomain {
  let bits = SMALLEST_BITS;
  while (2 ** bits < size) bits++;
  const lowBits = Math.ceil(bits / 2);
  return { size, lowSize: 2 ** lowBits, lowMask: 2 ** lowBits - 1, highMask: 2 ** (bits - lowBits) - 1 };
}

/** The finalizer of MurmurHash3 (Appleby). */
function mixWord(word: number): number {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
}

/** Where the permutation with the four random words from `words[at]` on puts x < size. */
export function permute(domain: PermutationDomain, words: Int32Array, at: number, x: number): number {
  const { size, lowSize, lowMask, highMask } = domain;
  let moved = x;
  do {
    let high = Math.floor(moved / lowSize);
    let low = moved - high * lowSize;
    for (let round = 0; round < ROUNDS; round += 2) {
      const key0 = words[at + (round & 3)]! + Math.imul(round, 0x9e3779b9);
      const key1 = words[at + (round & 3) + 1]! + Math.imul(round + 1, 0x9e3779b9);
      high ^= mixWord(low ^ key0) & highMask;
      low ^= mixWord(high ^ key1) & lowMask;
    }
    moved = high * lowSize + low;
  } while (moved >= size);
  return moved;
}
