import { expect, it } from 'vitest';
import { turnsWithin } from '../../../../bench/orthogonal/turns.mjs';

it('takes as many turns as there is time for, three at least, and no more than asked for', () => {
  expect(turnsWithin(30_000, 50, 7)).toBe(7);
  expect(turnsWithin(30_000, 5000, 7)).toBe(6);
  expect(turnsWithin(30_000, 5001, 7)).toBe(5);
  expect(turnsWithin(30_000, 60_000, 7)).toBe(3);
  expect(turnsWithin(30_000, 60_000, 2)).toBe(2);
});
