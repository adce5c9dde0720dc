import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, positionOf } from '../../src/json.js';

class Refused extends Error {
  readonly offset: number;
  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

const parse = (text: string, maxDepth = 20): unknown =>
  parseJson(text, { maxDepth, fail: (reason, offset) => new Refused(reason, offset) });

describe('parseJson', () => {
  test('agrees with JSON.parse on whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const pretty = JSON.stringify(JSON.parse(text), null, indent);
        expect(JSON.stringify(parse(pretty))).toBe(JSON.stringify(JSON.parse(pretty)));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test('refuses whatever JSON.parse refuses', () => {
    const alphabet = fc.constantFrom(...'{}[]:,"\\ue1234567890.-+ \n\ttruefalsn');
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        if (!valid) expect(() => parse(text)).toThrow(Refused);
      }),
      { seed: 3, numRuns: 5000 },
    );
  });

  test.each([
    ['', 0, /end of the text/],
    ['[1,]', 3, /a JSON value, found "\]"/],
    ['{"a":1,}', 7, /a key in double quotes/],
    ['{a:1}', 1, /a key in double quotes/],
    ["{'a':1}", 1, /a key/],
    ['{"a" 1}', 5, /":"/],
    ['[1 2]', 3, /"," or "\]"/],
    ['"abc', 0, /closing quote/],
    ['"a\nb"', 2, /control character/],
    ['"\\x"', 0, /escape/],
    ['"\\u12"', 0, /escape/],
    ['01', 1, /after the end/],
    ['.5', 0, /a JSON value/],
    ['NaN', 0, /a JSON value/],
    ['[1e400]', 1, /too large/],
    ['{"a":1,"a":2}', 7, /duplicate key "a"/],
    ['{"__proto__":1,"\\u005f_proto__":2}', 15, /duplicate key "__proto__"/],
    ['1 // no', 2, /after the end/],
    ['\u00a01', 0, /a JSON value/],
  ])('refuses %j at %i', (text, offset, reason) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ offset, message: expect.stringMatching(reason) }),
    );
  });

  test('depth counts arrays and objects and is capped without recursion trouble', () => {
    expect(parse('[[{}]]', 3)).toEqual([[{}]]);
    expect(() => parse('[[{}]]', 2)).toThrow(/deeper than 2/);
    expect(() => parse('['.repeat(5_000_000), 16)).toThrow(/deeper than 16/);
  });

  test('objects have no prototype to pollute', () => {
    const value = parse('{"__proto__":{"polluted":1},"constructor":2}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('hostile text takes time in proportion to its length', () => {
    const texts = [
      '"'.padEnd(1e5, '\\'),
      '1'.repeat(1e5),
      `1.${'0'.repeat(1e5)}x`,
      ' '.repeat(1e5),
      '-'.repeat(1e5),
    ];
    const start = performance.now();
    for (const text of texts) {
      try {
        parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Refused);
      }
    }
    expect(performance.now() - start).toBeLessThan(500);
  });
});

test('positionOf counts lines and columns from 1', () => {
  expect(positionOf('ab\ncd\n', 0)).toEqual({ line: 1, column: 1 });
  expect(positionOf('ab\ncd\n', 2)).toEqual({ line: 1, column: 3 });
  expect(positionOf('ab\ncd\n', 3)).toEqual({ line: 2, column: 1 });
  expect(positionOf('ab\ncd\n', 6)).toEqual({ line: 3, column: 1 });
});
