import { describe, expect, it } from 'vitest';
import type { ElementPrimitive, OrthogonalRequest } from '../../../src/job.js';
import { fillRange } from '../../../src/js/fill.js';
import { standardNormal } from '../../../src/js/normal.js';
import { NormalReader } from '../../../src/js/orthogonal-normals.js';
import { lowerLaw } from '../../../src/lower.js';

function request(precision: 'float64' | 'float32'): OrthogonalRequest {
  const normal = lowerLaw({ kind: 'normal', mean: 0, std: 1 }, precision, 'g') as ElementPrimitive;
  const sizes = { length: 1, rows: 1, cols: 1, parts: [] };
  return { seed: 2n ** 63n + 5n, stream: 2n ** 63n + 9n, dtype: precision, precision, normal, ...sizes };
}

describe.each(['float64', 'float32'] as const)('NormalReader, %s', (precision) => {
  it('reads what fill draws, from anywhere on', () => {
    const of = request(precision);
    const reader = new NormalReader(of);
    const from = 2 ** 34 + 3; // more blocks than a word counts
    const length = 6000;
    const drawn = precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
    const region = {
      shape: [length],
      sourceOffset: from,
      sourceStrides: [1],
      targetOffset: 0,
      targetStrides: [1],
    };
    const jobs = [{ primitive: of.normal, stream: of.stream, region }];
    fillRange({ seed: of.seed, dtype: precision, length, jobs }, drawn, 0, length);
    // Onwards, over many a gap, and back.
    for (const [index, count] of [
      [0, 3000],
      [3001, 1],
      [3005, 1000],
      [2, 5],
      [4999, 1001],
    ] as const) {
      const read: number[] = [];
      while (read.length < count) {
        const loaded = reader.load(from + index + read.length, count - read.length);
        expect(loaded).toBeGreaterThan(0);
        read.push(...reader.values.subarray(reader.at, reader.at + loaded));
      }
      expect(read).toEqual(Array.from(drawn.subarray(index, index + count)));
    }
  });

  it('refuses another law', () => {
    const normal = { kind: 'constant', value: 1 } as const;
    expect(() => new NormalReader({ ...request(precision), normal })).toThrow(
      expect.objectContaining({
        code: 'INTERNAL',
        message: `no ${precision} normals by the primitive "constant"`,
      }),
    );
  });
});

it('no normal but 0 is smaller than 2^-24, on which orthogonal-float32.ts relies', () => {
  // Words in ascending order give normals in ascending order: test/exhaustive.
  for (const step of [1, -1]) {
    let word = step === 1 ? 2 ** 31 : 2 ** 31 - 1;
    while (standardNormal(word) === 0) word += step;
    expect(Math.abs(standardNormal(word))).toBeGreaterThanOrEqual(2 ** -24);
  }
});
