import { describe, expect, it } from 'vitest';
import { alignedTable, median, ratioOf } from '../../../bench/table.mjs';

describe('median', () => {
  it('sorts numbers as numbers, and takes the mean of the two in the middle', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(median([10, 9, 100, 2])).toBe(9.5);
    expect(median([7])).toBe(7);
  });

  it('leaves the values as they are', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('ratioOf', () => {
  it('compares each turn with the same turn: a slow spell of the machine changes nothing', () => {
    expect(ratioOf([6, 60, 6], [2, 20, 2])).toBe(3);
    // The ratio of the medians would be 6 / 20.
    expect(ratioOf([6, 6, 60], [2, 20, 20])).toBe(3);
  });

  it('is of as many turns as both have, whoever has fewer', () => {
    expect(ratioOf([6], [2, 1, 1])).toBe(3);
    expect(ratioOf([6, 100, 100], [2])).toBe(3);
  });
});

describe('alignedTable', () => {
  it('is Markdown whose columns line up, the first ones to the left', () => {
    const rows = [
      ['a', 'long name', '1'],
      ['bbb', 'c', '22'],
    ];
    expect(alignedTable(['', 'name', 'n'], rows, 2).split('\n')).toEqual([
      '|     | name      |  n |',
      '|-----|-----------|---:|',
      '| a   | long name |  1 |',
      '| bbb | c         | 22 |',
    ]);
    expect(alignedTable(['', 'name', 'n'], rows).split('\n')[3]).toBe('| bbb |         c | 22 |');
  });
});
