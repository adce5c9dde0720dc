import { describe, expect, it } from 'vitest';
import { permutationDomain, permute } from '../../../src/js/permutation.js';
import { philoxBlocks, philoxKeys } from '../../../src/js/philox.js';
import { chiSquareP } from '../../stats/statistics.js';

type Permute = (rows: number, words: Int32Array, at: number, x: number) => number;

const real: Permute = (rows, words, at, x) => permute(permutationDomain(rows), words, at, x);

/** The definition of docs/adr/0009-sparse.md, with numbers to be got wrong. */
function variant({ rounds = 10, step = 0x9e3779b9, bits = 6, words: count = 4 }): Permute {
  return (rows, words, at, x) => {
    let b = bits;
    while (2 ** b < rows) b++;
    const l = Math.ceil(b / 2);
    const mix = (word: number): number => {
      const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
      const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
      return (second ^ (second >>> 16)) >>> 0;
    };
    let out = x;
    do {
      let h = Math.floor(out / 2 ** l);
      let g = out % 2 ** l;
      for (let i = 0; i < rounds; i++) {
        const key = (words[at + (i % count)]! + Math.imul(i, step)) | 0;
        if (i % 2 === 0) h ^= mix(g ^ key) % 2 ** (b - l);
        else g ^= mix(h ^ key) % 2 ** l;
      }
      out = h * 2 ** l + g;
    } while (out >= rows);
    return out;
  };
}

/** Keys of `count` columns. */
function keys(count: number): Int32Array {
  const words = new Int32Array(4 * count);
  philoxBlocks(philoxKeys(11n), 77n, 0, count, words);
  return words;
}

/** How probable it is that all subsets of `zeros` of `rows` rows are as likely, given those of many columns. */
function subsetsP(apply: Permute, rows: number, zeros: number, columns: number): number {
  const words = keys(columns);
  const counts = new Map<number, number>();
  for (let c = 0; c < columns; c++) {
    let subset = 0;
    for (let row = 0; row < rows; row++) if (apply(rows, words, 4 * c, row) < zeros) subset += 2 ** row;
    counts.set(subset, (counts.get(subset) ?? 0) + 1);
  }
  let all = 1;
  for (let k = 0; k < zeros; k++) all = (all * (rows - k)) / (k + 1);
  const expected = columns / all;
  let square = (all - counts.size) * expected;
  for (const count of counts.values()) square += (count - expected) ** 2 / expected;
  return chiSquareP(square, Math.round(all) - 1);
}

const ALPHA = 1e-6;
/** Rows, zeros, columns. */
const SUBSETS = [
  [3, 1, 40_000],
  [5, 2, 40_000],
  [8, 4, 40_000],
  [16, 2, 40_000],
  [33, 2, 40_000],
] as const;

describe('permute', () => {
  it('is what the ADR defines', () => {
    const words = keys(8);
    const defined = variant({});
    for (const rows of [1, 2, 5, 63, 64, 65, 1000, 65_537, 2 ** 31 + 5, 2 ** 53 - 1]) {
      for (let k = 0; k < 64; k++) {
        const x = Math.min(rows - 1, Math.floor((k / 63) * rows));
        const at = 4 * (k % 8);
        expect(real(rows, words, at, x)).toBe(defined(rows, words, at, x));
      }
    }
  });

  it('is a bijection', () => {
    const words = keys(4);
    const sizes = [...Array(300).keys()].map((k) => k + 1);
    for (const size of [...sizes, 1000, 4096, 65_537]) {
      const seen = new Uint8Array(size);
      for (let x = 0; x < size; x++) seen[real(size, words, 4 * (size % 4), x)]!++;
      expect(
        seen.every((count) => count === 1),
        `size ${size}`,
      ).toBe(true);
    }
  });

  it('makes every subset of a small column as likely', () => {
    for (const [rows, zeros, columns] of SUBSETS)
      expect(subsetsP(real, rows, zeros, columns), `${zeros} of ${rows}`).toBeGreaterThan(ALPHA);
  });

  it.each([
    ['too few rounds', { rounds: 4 }],
    ['too few bits', { bits: 0 }],
    ['one key for all rounds', { step: 0, words: 1 }],
  ])('a test that would find %s', (_, defect) => {
    const found = SUBSETS.some(
      ([rows, zeros, columns]) => subsetsP(variant(defect), rows, zeros, columns) < ALPHA,
    );
    expect(found).toBe(true);
  });

  it('walks few times', () => {
    // Counted by the definition: every pass reads the first word once per five rounds that use it.
    const words = keys(1);
    let reads = 0;
    const counted = new Proxy(words, {
      get(target, key) {
        if (key === '0') reads++;
        return Reflect.get(target, key, target);
      },
    });
    for (let x = 0; x < 2000; x++) permute(permutationDomain(33_000), counted, 0, x);
    // Word 0 is the key of rounds 0, 4 and 8.
    expect(reads / 3 / 2000).toBeLessThan(2.2);
  });
});
