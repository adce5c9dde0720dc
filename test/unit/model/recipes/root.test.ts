import { expect, test } from 'vitest';
import { root } from '../../../../src/model/recipes/root.js';

test.each([
  [27, 3, 3],
  [1024, 10, 2],
  [1e25, 1, 1e25],
  [7 ** 7, 7, 7],
  [0.001, 3, 0.1],
  [1, 9, 1],
])('the root of %d of degree %d', (x, n, expected) => {
  expect(Math.abs(root(x, n) / expected - 1)).toBeLessThan(1e-15);
});

test('powers of roots, for all degrees up to 64', () => {
  for (let n = 1; n <= 64; n++) {
    for (const x of [2, 3, 12, 96, 1000, 16384, 1e9, 0.3]) {
      // Rounding in Math.pow itself is one unit in the last place, and n of them in the power.
      expect(Math.abs(root(x, n) / x ** (1 / n) - 1), `${n}, ${x}`).toBeLessThan(1e-15);
    }
  }
});
