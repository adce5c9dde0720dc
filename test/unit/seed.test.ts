import { describe, expect, it } from 'vitest';
import { parseSeed } from '../../src/seed.js';

describe('parseSeed', () => {
  it.each([
    [0, 0n],
    [-0, 0n],
    [1, 1n],
    [1n, 1n],
    [2 ** 53 - 1, 2n ** 53n - 1n],
    [2n ** 64n - 1n, 2n ** 64n - 1n],
  ])('takes %s', (seed, value) => {
    expect(parseSeed(seed)).toBe(value);
  });

  it.each([
    [undefined, 'seed is required'],
    [null, 'seed is required'],
    ['42', 'BigInt(text)'],
    [2 ** 53, 'write it as a bigint'],
    [1e30, 'write it as a bigint'],
    [-1, '{ seed: 42 }'],
    [1.5, '{ seed: 42 }'],
    [Number.NaN, '{ seed: 42 }'],
    [Number.POSITIVE_INFINITY, '{ seed: 42 }'],
    [-1n, 'asUintN'],
    [2n ** 64n, '2^64 − 1'],
    [true, '{ seed: 42 }'],
    [[1], '{ seed: 42 }'],
    [{ valueOf: () => 1 }, '{ seed: 42 }'],
    [Symbol('seed'), '{ seed: 42 }'],
  ])('rejects %s with a remedy', (seed, remedy) => {
    expect(() => parseSeed(seed)).toThrow(
      expect.objectContaining({ code: 'INVALID_SEED', message: expect.stringContaining(remedy) }),
    );
  });
});
