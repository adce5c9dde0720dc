// Every test of the suite accepts the library, and rejects the planted defects that it is there for: a test that cannot
// fail proves nothing.
import { describe, expect, it } from 'vitest';
import { DEFECTS } from './defects.js';
import { Generator, roundNearest } from './generator.js';
import { ALPHA, extremity } from './statistics.js';
import { TESTS } from './suite.js';

const NAMES = [...TESTS.keys()];
const rejects = (name: string, generator: Generator): boolean =>
  extremity(TESTS.get(name)!(generator)) < ALPHA;

describe('the library', () => {
  it.each(NAMES)('passes: %s', (name) => {
    expect(extremity(TESTS.get(name)!(new Generator()))).toBeGreaterThan(ALPHA);
  });
});

describe('a hook that changes nothing', () => {
  it.each(['exact cells', 'rounding'])('passes: %s', (name) => {
    expect(rejects(name, new Generator({ round: roundNearest }))).toBe(false);
  });
  it.each(['serial pairs', 'avalanche'])('passes: %s', (name) => {
    expect(rejects(name, new Generator({ word: (i) => i }))).toBe(false);
  });
});

describe('planted defects', () => {
  it.each(DEFECTS)('$name', ({ hooks, seenBy }) => {
    const generator = new Generator(hooks);
    expect(NAMES.filter((name) => rejects(name, generator))).toEqual(seenBy);
  });

  it('each is seen by a test, and each test sees one', () => {
    expect(DEFECTS.filter(({ seenBy }) => seenBy.length === 0)).toEqual([]);
    expect(NAMES.filter((name) => !DEFECTS.some(({ seenBy }) => seenBy.includes(name)))).toEqual([]);
  });
});
