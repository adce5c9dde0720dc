// The JavaScript normal over whole blocks of 2^20 words against the committed hashes, which the native targets made
// (test/exhaustive/normal.cc walks all 4096 blocks). ISOMETRY_EXHAUSTIVE=1 walks them all here too: some minutes.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { F32, F32_BITS } from '../../src/js/fma.js';
import { standardNormal } from '../../src/js/normal.js';
import { Hash } from './hash.js';

const BLOCK = 2 ** 20;
const hashes = readFileSync(new URL('../golden/normal-f32.hashes', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

/** Both ends, both sides of the median, the joints of the most used rows, and every 211th block. */
const chosen = new Set([0, 1, 2047, 2048, 4094, 4095, 1023, 1024, 1535, 1536, 511, 512]);
const everything = process.env['ISOMETRY_EXHAUSTIVE'] === '1';
for (let block = 0; block < 4096; block += everything ? 1 : 211) chosen.add(block);

it('reads a hash for every block', () => expect(hashes.length).toBe(4096));

it(
  'gives the committed values, finite and never falling',
  () => {
    const wrong: number[] = [];
    for (const block of chosen) {
      const hash = new Hash();
      let previous = block === 0 ? Number.NEGATIVE_INFINITY : standardNormal(block * BLOCK - 1);
      let sound = true;
      for (let word = block * BLOCK; word < (block + 1) * BLOCK; word++) {
        const z = standardNormal(word);
        sound &&= z >= previous && z > -6.4 && z < 6.4;
        previous = z;
        F32[0] = z;
        hash.add(F32_BITS[0]!);
      }
      if (!sound || hash.text() !== hashes[block]) wrong.push(block);
    }
    expect(wrong).toEqual([]);
  },
  everything ? 3_600_000 : 60_000,
);

it('is odd', () => {
  for (let word = 0; word < 2 ** 31; word += 1_000_003) {
    expect(standardNormal(2 ** 32 - 1 - word)).toBe(-standardNormal(word));
  }
});
