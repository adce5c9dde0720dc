import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { philox, philoxBlocks, philoxKeys } from '../../../src/js/philox.js';

const vectors = readFileSync(new URL('../../golden/philox.kat', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(/ +/).map((word) => Number.parseInt(word, 16)));

const hex = (words: Int32Array): string[] =>
  Array.from(words, (w) => (w >>> 0).toString(16).padStart(8, '0'));

describe('philox', () => {
  it('reads three known answers', () => expect(vectors.length).toBe(3));

  it.each(vectors)('gives the known answer for counter %i', (...vector) => {
    const [c0, c1, c2, c3, k0, k1] = vector as [number, number, number, number, number, number];
    const out = new Int32Array(4).fill(0xca);
    philox(philoxKeys((BigInt(k1) << 32n) | BigInt(k0)), c0 | 0, c1 | 0, c2 | 0, c3 | 0, out, 0);
    expect(hex(out)).toEqual(vector.slice(6).map((w) => w.toString(16).padStart(8, '0')));
  });

  // The words of curand_init(seed, 0, i), cuRAND 10.4; test/oracle asks the library itself.
  it.each([
    [1n, 'e3e80670 e50a0ebc 95f222c0 b615aa27 ac08141b dfc5ccbe 79c07a47 a7f66093'],
    [42n, '9ceaf053 77f5493b 12bf50ad 5742b3d7 fcdb2127 53ba6cfd 838f5a6e 744e06fb'],
    [0xdeadbeefcafef00dn, '1166cd2e a515d74e 4ddb17c2 2ca62098 ceb65dbf 33defe48 6a03d4c4 d2867fd5'],
  ])('lays a stream out as cuRAND does, seed %i', (seed, words) => {
    const out = new Int32Array(8);
    philoxBlocks(philoxKeys(seed), 0n, 0, 2, out);
    expect(hex(out).join(' ')).toBe(words);
  });

  it('carries the block number beyond 32 bits', () => {
    const keys = philoxKeys(7n);
    const run = new Int32Array(16);
    philoxBlocks(keys, 0x123456789abcdef0n, 2 ** 32 - 2, 4, run);
    const one = new Int32Array(4);
    for (let i = 0; i < 4; i++) {
      const n = 2 ** 32 - 2 + i;
      philox(keys, n | 0, Math.floor(n / 2 ** 32), 0x9abcdef0 | 0, 0x12345678, one, 0);
      expect(run.slice(4 * i, 4 * i + 4)).toEqual(one);
    }
    expect(run.slice(0, 4)).not.toEqual(run.slice(8, 12));
  });

  it('multiplies exactly: the upper half of a product agrees with BigInt', () => {
    // Through one round's worth of the whole: flip every input bit and compare with a BigInt Philox.
    const reference = (counter: bigint[], key: bigint[]): bigint[] => {
      let [a, b, c, d] = counter as [bigint, bigint, bigint, bigint];
      let [k0, k1] = key as [bigint, bigint];
      const mask = 0xffffffffn;
      for (let r = 0; r < 10; r++) {
        const p0 = 0xd2511f53n * a;
        const p1 = 0xcd9e8d57n * c;
        [a, b, c, d] = [(p1 >> 32n) ^ b ^ k0, p1 & mask, (p0 >> 32n) ^ d ^ k1, p0 & mask];
        k0 = (k0 + 0x9e3779b9n) & mask;
        k1 = (k1 + 0xbb67ae85n) & mask;
      }
      return [a, b, c, d];
    };
    const out = new Int32Array(4);
    for (let bit = 0; bit < 128; bit++) {
      const counter = [0n, 0n, 0n, 0n];
      counter[bit >> 5] = 1n << BigInt(bit & 31);
      const [a, b, c, d] = counter.map((word) => Number(word) | 0) as [number, number, number, number];
      philox(philoxKeys(0xfedcba9876543210n), a, b, c, d, out, 0);
      expect(Array.from(out, (w) => BigInt(w >>> 0))).toEqual(reference(counter, [0x76543210n, 0xfedcba98n]));
    }
  });
});
