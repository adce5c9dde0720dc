import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { deviceOption, seedOption, threadsOption } from '../../../src/cli/options.js';

describe('seedOption', () => {
  test.each([
    ['0', 0n],
    ['42', 42n],
    ['0042', 42n],
    ['0x2A', 42n],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['0xffffffffffffffff', 2n ** 64n - 1n],
  ])('%s', (text, seed) => expect(seedOption(text)).toBe(seed));

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    'x',
    '0x',
    '0b1',
    '1n',
    ' 1',
    '١',
    '18446744073709551616',
    '9'.repeat(1e6),
  ])('refuses %.30j', (text) => {
    expect(() => seedOption(text)).toThrow(InvalidArgumentError);
  });
});

test('deviceOption knows the names', () => {
  expect(['auto', 'cpu', 'js', 'cuda', 'cuda:1'].map(deviceOption)).toEqual([
    'auto',
    'cpu',
    'js',
    'cuda',
    'cuda:1',
  ]);
  expect(() => deviceOption('gpu')).toThrow(InvalidArgumentError);
});

test('threadsOption takes whole numbers from 1 on', () => {
  expect(threadsOption('16')).toBe('16');
  for (const text of ['0', '-1', '1.5', '', 'all'])
    expect(() => threadsOption(text)).toThrow(InvalidArgumentError);
});
