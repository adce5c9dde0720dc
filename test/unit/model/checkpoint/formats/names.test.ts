import { describe, expect, test } from 'vitest';
import { checkEntryNames, checkFileNames } from '../../../../../src/model/checkpoint/formats/names.js';
import { tensor } from './job.js';

const tensors = (names: readonly string[]): ReturnType<typeof tensor>[] =>
  names.map((name) => tensor(name, 'F32', []));
const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'INVALID_NAME', message: expect.stringMatching(message) });

describe('checkFileNames', () => {
  test.each([[['a.weight', 'b', '..', '.', ' ', '__proto__', 'é', 'n'.repeat(200)]]])('takes %j', (names) => {
    expect(() => checkFileNames(tensors(names))).not.toThrow();
  });

  test.each<[string[], RegExp]>([
    [['a/b'], /without "\/".*write npz or safetensors/],
    [['../a'], /without "\/"/],
    [['a\\b'], /without "\/"/],
    [['a\0'], /and NUL/],
    [['n'.repeat(201)], /at most 200 bytes/],
    [['é'.repeat(101)], /at most 200 bytes/],
    [['n'.repeat(1_000_000)], /at most 200 bytes/],
    [['W', 'w'], /differs from "W" in more than letter case.*received "w"/],
    [['é', 'e\u0301'], /differs from/],
    [['constructor', 'Constructor'], /differs from/],
  ])('refuses %j', (names, message) => {
    expect(() => checkFileNames(tensors(names))).toThrow(refusal(message));
  });
});

describe('checkEntryNames', () => {
  test.each([[['a/b', 'a', 'A', 'a..b', '...', 'x.npy', '__proto__', 'é'.repeat(1000)]]])(
    'takes some',
    (names) => {
      expect(() => checkEntryNames(tensors(names))).not.toThrow();
    },
  );

  test.each<[string[], RegExp]>([
    [['../a'], /leads nowhere else/],
    [['a/../../b'], /leads nowhere else/],
    [['..'], /leads nowhere else/],
    [['/a'], /leads nowhere else/],
    [['a\\b'], /leads nowhere else/],
    [['a\0b'], /leads nowhere else/],
    [['n'.repeat(65_532)], /at most 65531 bytes/],
    [['a', 'a.npy'], /other than "a" with ".npy" behind it/],
  ])('refuses %j', (names, message) => {
    expect(() => checkEntryNames(tensors(names))).toThrow(refusal(message));
  });
});
