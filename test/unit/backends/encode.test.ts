import { describe, expect, it } from 'vitest';
import { encodeRequest } from '../../../src/backends/encode.js';

describe('encodeRequest', () => {
  it('writes what binding/request.h describes', () => {
    const region = {
      shape: [3, 4],
      sourceOffset: 5,
      sourceStrides: [10, 1],
      targetOffset: 2,
      targetStrides: [4, 1],
    };
    const table = Float64Array.of(7, 8);
    const words = encodeRequest({
      seed: (3n << 32n) | 0xffffffffn,
      dtype: 'bfloat16',
      length: 12,
      jobs: [
        {
          primitive: { kind: 'constant', value: 0.5 },
          stream: 1n,
          region: { ...region, shape: [], sourceStrides: [], targetStrides: [] },
        },
        {
          primitive: { kind: 'truncatedNormal', mean: 1, std: 2, base: 3, count: 4, min: -5, max: 5 },
          stream: 2n ** 64n - 1n,
          region,
        },
        { primitive: { kind: 'uniform', low: 1, range: 2, min: 1, max: 2.5 }, stream: 2n ** 32n, region },
        { primitive: { kind: 'quantile', mean: 1, std: 2, table, min: -6, max: 6 }, stream: 0n, region },
      ],
    });
    expect([...words]).toEqual([
      ...[1, 0xffffffff, 3, 3, 4],
      ...[0, 1, 0, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 2],
      ...[3, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 2, 3, 4, -5, 5, 2, 5, 2, 3, 4, 10, 1, 4, 1],
      ...[1, 0, 1, 0, 1, 2, 0, 0, 0, 0, 1, 2.5, 2, 5, 2, 3, 4, 10, 1, 4, 1],
      ...[4, 0, 0, 0, 0, 0, 1, 2, 0, 0, -6, 6, 2, 5, 2, 3, 4, 10, 1, 4, 1, 7, 8],
    ]);
  });
});
