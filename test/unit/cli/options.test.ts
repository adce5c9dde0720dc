import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  collect,
  deviceOption,
  numberOption,
  rankOption,
  seedOption,
  setOption,
  sizeOption,
  threadsOption,
} from '../../../src/cli/options.js';

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

test('counts and ranks', () => {
  expect(['1', '64'].map(numberOption)).toEqual([1, 64]);
  expect(['0', '7'].map(rankOption)).toEqual([0, 7]);
  for (const text of ['0', '-1', '1.5', '', 'x', '9'.repeat(16)])
    expect(() => numberOption(text)).toThrow(InvalidArgumentError);
  for (const text of ['-1', '1.5', '', 'x', '9'.repeat(10)])
    expect(() => rankOption(text)).toThrow(InvalidArgumentError);
});

test('sizes of shards, as the library takes them', () => {
  expect(['5GB', '1MiB', '1000'].map(sizeOption)).toEqual([5e9, 2 ** 20, 1000]);
  for (const text of ['0', '5XB', '', '-1GB']) expect(() => sizeOption(text)).toThrow(InvalidArgumentError);
});

test('what may be repeated is collected', () => {
  expect(collect('b', collect('a', undefined))).toEqual(['a', 'b']);
});

describe('setOption', () => {
  test.each([
    ['std=0.01', 'std', 0.01],
    ['n=-3', 'n', -3],
    ['s=1e-4', 's', 1e-4],
    ['flag=true', 'flag', true],
    ['flag=false', 'flag', false],
    ['mode=fanIn', 'mode', 'fanIn'],
    ['path=a=b', 'path', 'a=b'],
    ['empty=', 'empty', ''],
    ['odd=1.2.3', 'odd', '1.2.3'],
    ['hex=0x10', 'hex', '0x10'],
    ['__proto__=1', '__proto__', 1],
  ])('%s', (text, key, value) => expect([...setOption(text, undefined)]).toEqual([[key, value]]));

  test('several; one of them twice, or without a key, is refused', () => {
    const both = setOption('b=2', setOption('a=1', undefined));
    expect([...both]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(() => setOption('a=3', both)).toThrow(InvalidArgumentError);
    for (const text of ['a', '=1', ''])
      expect(() => setOption(text, undefined)).toThrow(InvalidArgumentError);
  });
});
