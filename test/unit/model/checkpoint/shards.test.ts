import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cutShards,
  indexJson,
  parseShardSize,
  rankOfShard,
  rowsOfRank,
  shardName,
} from '../../../../src/model/checkpoint/shards.js';

describe('parseShardSize', () => {
  test.each<[unknown, number]>([
    ['5GB', 5_000_000_000],
    ['500MB', 500_000_000],
    ['1.5kb', 1500],
    [' 2 TB ', 2e12],
    ['1GiB', 2 ** 30],
    ['0.5KiB', 512],
    ['3TiB', 3 * 2 ** 40],
    ['12MiB', 12 * 2 ** 20],
    ['7', 7],
    ['7B', 7],
    ['1.0015KB', 1001],
    [1, 1],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ])('%j is %i bytes', (text, bytes) => expect(parseShardSize(text)).toBe(bytes));

  test.each([
    ['5PB'],
    ['GB'],
    [''],
    ['-5GB'],
    ['1e3MB'],
    ['0'],
    ['0.4'],
    ['5 G B'],
    ['99999TB'],
    ['9'.repeat(1000)],
    [0],
    [-1],
    [1.5],
    [Number.NaN],
    [2 ** 53],
    [null],
    [undefined],
    [{}],
  ])('%j is refused', (value) => {
    expect(() => parseShardSize(value)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(/maxShardSize/) }),
    );
  });
});

describe('cutShards', () => {
  const cut = (sizes: number[], limit: number): number[][] =>
    cutShards(
      sizes.map((bytes) => ({ bytes })),
      limit,
    ).map((shard) => shard.map(({ bytes }) => bytes));

  test('fills a shard up to the limit, in order', () => {
    // The example of huggingface_hub's own documentation.
    expect(cut([6, 6, 2, 6, 2, 2], 10)).toEqual([[6], [6, 2], [6, 2, 2]]);
    expect(cut([5, 5, 5], 10)).toEqual([[5, 5], [5]]);
    expect(cut([10, 10], 10)).toEqual([[10], [10]]);
    expect(cut([3], 10)).toEqual([[3]]);
  });

  test('a tensor above the limit is alone, and comes before the shard that was being filled', () => {
    expect(cut([1, 11, 2, 12, 3], 10)).toEqual([[11], [12], [1, 2, 3]]);
    expect(cut([11], 10)).toEqual([[11]]);
    expect(cut([11, 12], 1)).toEqual([[11], [12]]);
  });

  test('tensors without bytes belong to a shard, too', () => {
    expect(cut([0, 0], 1)).toEqual([[0, 0]]);
    expect(cut([10, 0, 1], 10)).toEqual([[10, 0], [1]]);
  });

  test('every tensor is in exactly one shard, and only single ones exceed the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1 }), fc.integer({ min: 1, max: 30 }), (sizes, limit) => {
        const tensors = sizes.map((bytes, index) => ({ bytes, index }));
        const shards = cutShards(tensors, limit);
        expect(shards.flat().sort((a, b) => a.index - b.index)).toEqual(tensors);
        for (const shard of shards) {
          expect(shard.length).toBeGreaterThan(0);
          if (shard.length > 1)
            expect(shard.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

test('names of shards', () => {
  expect(shardName(0, 1)).toBe('model.safetensors');
  expect(shardName(0, 2)).toBe('model-00001-of-00002.safetensors');
  expect(shardName(99_999, 123_456)).toBe('model-100000-of-123456.safetensors');
});

test('every shard has one rank, and ranks take turns', () => {
  expect([0, 1, 2, 3, 4].map((index) => rankOfShard(index, 3))).toEqual([0, 1, 2, 0, 1]);
  expect([0, 1, 2].map((index) => rankOfShard(index, 1))).toEqual([0, 0, 0]);
});

describe('rowsOfRank', () => {
  test('cuts as torch.chunk does', () => {
    const of = (rows: number, world: number) =>
      Array.from({ length: world }, (_, rank) => rowsOfRank(rows, rank, world));
    expect(of(10, 4)).toEqual([
      [0, 3],
      [3, 6],
      [6, 9],
      [9, 10],
    ]);
    // Six chunks of one row would be possible, but torch.chunk rounds the size of a chunk up first.
    expect(of(9, 6)).toEqual([
      [0, 2],
      [2, 4],
      [4, 6],
      [6, 8],
      [8, 9],
      [9, 9],
    ]);
    expect(of(1, 3)).toEqual([
      [0, 1],
      [1, 1],
      [1, 1],
    ]);
    expect(of(0, 2)).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('the parts tile the rows', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 64 }), (rows, world) => {
        let at = 0;
        for (let rank = 0; rank < world; rank++) {
          const [begin, end] = rowsOfRank(rows, rank, world);
          expect(begin).toBe(at);
          at = end;
        }
        expect(at).toBe(rows);
      }),
      { numRuns: 200, seed: 1 },
    );
  });
});

test('the index is as Python writes it', () => {
  const json = indexJson({
    totalSize: 12,
    totalParameters: 3,
    weightMap: [
      ['\u{1f600}', 'b'],
      ['\uff5a', 'b'],
      ['a"\\\n\x7f', 'a'],
      ['__proto__', 'a'],
      ['B', 'a'],
    ],
  });
  expect(json).toBe(String.raw`{
  "metadata": {
    "total_parameters": 3,
    "total_size": 12
  },
  "weight_map": {
    "B": "a",
    "__proto__": "a",
    "a\"\\\n\u007f": "a",
    "\uff5a": "b",
    "\ud83d\ude00": "b"
  }
}
`);
});
