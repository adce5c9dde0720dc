import { expect, test } from 'vitest';
import { chooseWindows, fraction, type Sampled, WINDOW_BYTES } from '../../../../src/model/verify/windows.js';

const tensors = (count: number, bytes: number, elementBytes = 4): Sampled[] =>
  Array.from({ length: count }, (_, index) => ({ name: `t${index}`, bytes, elementBytes }));

const choose = (list: Sampled[], samples: number, key = 'k') => [...chooseWindows(list, samples, key)];

test('fractions are reproducible, differ by every word, and lie in [0, 1)', () => {
  expect(fraction('a', 'b')).toBe(fraction('a', 'b'));
  expect(fraction('a', 'b')).not.toBe(fraction('ab', ''));
  const many = Array.from({ length: 1000 }, (_, index) => fraction('k', String(index)));
  expect(Math.min(...many)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...many)).toBeLessThan(1);
  // The mean of 1000 uniform numbers: 0.5 with a standard error of 0.0091.
  expect(Math.abs(many.reduce((a, b) => a + b) / 1000 - 0.5)).toBeLessThan(0.05);
});

test('large tensors: as many windows of each as the samples allow, of whole elements, within the tensor', () => {
  for (const elementBytes of [1, 2, 4, 8]) {
    const bytes = 10 * WINDOW_BYTES + elementBytes;
    const chosen = choose(tensors(5, bytes, elementBytes), 17);
    expect(chosen).toHaveLength(5);
    for (const { windows } of chosen) {
      expect(windows).toHaveLength(3);
      for (const { begin, end } of windows) {
        expect(begin % elementBytes).toBe(0);
        expect(end - begin).toBe(WINDOW_BYTES);
        expect(end).toBeLessThanOrEqual(bytes);
      }
    }
  }
});

test('small tensors are taken whole, without holes; empty ones are left out', () => {
  const list = [...tensors(2, WINDOW_BYTES * 1.5), { name: 'none', bytes: 0, elementBytes: 4 }];
  expect(choose(list, 4).map(({ windows }) => windows)).toEqual(
    [0, 1].map(() => [
      { begin: 0, end: WINDOW_BYTES },
      { begin: WINDOW_BYTES, end: WINDOW_BYTES * 1.5 },
    ]),
  );
  expect(choose([{ name: 'none', bytes: 0, elementBytes: 4 }], 4)).toEqual([]);
});

test('with more tensors than samples every k-th, and another first one for another key', () => {
  const list = tensors(1000, 4);
  const indices = choose(list, 100).map(({ tensor }) => list.indexOf(tensor));
  expect(indices).toHaveLength(100);
  expect(new Set(indices.slice(1).map((index, i) => index - indices[i]!))).toEqual(new Set([10]));
  const firsts = Array.from({ length: 40 }, (_, key) => choose(list, 100, String(key))[0]!.tensor.name);
  expect(new Set(firsts).size).toBeGreaterThan(5);
});

test('the same question has the same answer; more samples hold the fewer; all is all', () => {
  const list = tensors(3, 100 * WINDOW_BYTES);
  expect(choose(list, 9)).toEqual(choose(list, 9));
  expect(choose(list, 9, 'other')).not.toEqual(choose(list, 9));
  for (const [index, { windows }] of choose(list, 3).entries())
    expect(choose(list, 30)[index]!.windows).toEqual(expect.arrayContaining([...windows]));
  const all = choose(list, Number.POSITIVE_INFINITY)[0]!.windows;
  expect(all.map(({ begin, end }) => [begin, end])).toEqual([
    [0, 4 * 2 ** 20],
    [4 * 2 ** 20, 100 * WINDOW_BYTES],
  ]);
});
