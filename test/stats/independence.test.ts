// Elements, streams and seeds know nothing of each other: what the suite tests once, over more seeds, lags and dtypes.
import { describe, expect, it } from 'vitest';
import { streamId } from '../../src/stream.js';
import { Generator } from './generator.js';
import { crossed, serialPairs } from './joint.js';
import { ALPHA, extremity } from './statistics.js';
import { N, UNIT, uniforms } from './suite.js';

const generator = new Generator();
const accept = (ps: number[]): void => expect(extremity(ps), `p = ${ps.join(', ')}`).toBeGreaterThan(ALPHA);

describe('serial pairs', () => {
  // Distances at which an implementation has seams: a block, registers, the JavaScript twin's 1024 words, a thread's part.
  const LAGS = [1, 4, 16, 32, 64, 1024, 4096, 65536];

  it.each([20n, 21n, 22n, 0xffffffffn, 0x100000000n, 0xffffffffffffffffn])('of seed %d', (seed) => {
    accept(serialPairs(uniforms(generator, seed, streamId('pairs')), LAGS));
  });

  it('of float64, which takes two words each', () => {
    const ask = { law: UNIT, dtype: 'float64', seed: 23n, stream: streamId('pairs'), shape: [N] } as const;
    accept(serialPairs(generator.fill(ask) as Float64Array, LAGS));
  });

  it('far along a stream, and across block number 2^32', () => {
    for (const offset of [2 ** 34 - N / 2, 2 ** 52]) {
      const ask = {
        law: UNIT,
        dtype: 'float32',
        seed: 24n,
        stream: streamId('far'),
        shape: [N],
        offset,
      } as const;
      accept(serialPairs(generator.fill(ask) as Float32Array, [1, 4]));
    }
  });
});

describe('what is side by side', () => {
  it('two far parts of one stream', () => {
    const part = (offset: number): Float32Array => {
      const ask = { law: UNIT, dtype: 'float32', seed: 25n, stream: 26n, shape: [N], offset } as const;
      return generator.fill(ask) as Float32Array;
    };
    // 2^34 elements are 2^32 blocks: where the counter's first word begins again.
    const start = part(0);
    for (const offset of [N, 2 ** 34, 2 ** 35, 2 ** 52]) accept(crossed(start, part(offset), [-4, 0, 4]));
  });

  it('names that differ in one character, a role, or a prefix', () => {
    const base = uniforms(generator, 27n, streamId('h.0.attn.weight'));
    for (const other of ['h.1.attn.weight', 'h.0.attn.bias', 'H.0.attn.weight', 'h.0.attn.weight ']) {
      accept(crossed(base, uniforms(generator, 27n, streamId(other)), [0]));
    }
    accept(crossed(base, uniforms(generator, 27n, streamId('h.0.attn.weight', 'mask')), [0]));
  });

  it('seeds 28 to 31 of one name, each with the next', () => {
    const all = [28n, 29n, 30n, 31n].map((seed) => uniforms(generator, seed, streamId('h.0.attn.weight')));
    for (let k = 1; k < all.length; k++) accept(crossed(all[k - 1]!, all[k]!, [-4, -1, 0, 1, 4]));
  });
});
