import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonScanner, parseJson, positionOf } from '../../src/json.js';

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
    ['["\\ud83d"]', 1, /half a surrogate pair/],
    ['"\\ude00\\ud83d"', 0, /half a surrogate pair/],
    ['-', 0, /a JSON value/],
    ['1.', 1, /after the end/],
    ['1e', 1, /after the end/],
    ['00', 1, /after the end/],
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

  test('numbers are what JSON.parse makes of them, however they are spelled', () => {
    const spelled = [
      '0',
      '-0',
      '7',
      '999999999999999',
      '9007199254740993',
      '123456789012345678901',
      '1.50',
      '-2e-3',
      '1E+2',
    ];
    for (const number of spelled) expect(parse(`[${number}]`)).toEqual([JSON.parse(number)]);
  });

  test('where only whole numbers are expected, only their plain spelling is taken', () => {
    const whole = (text: string): unknown =>
      parseJson(text, { maxDepth: 1, wholeNumbers: true, fail: (reason, at) => new Refused(reason, at) });
    for (const text of ['0', '-1', '12', '9007199254740993']) expect(whole(text)).toBe(Number(text));
    for (const text of ['-0', '1.0', '1e3', '0.5', '1E0', '0e0', '-1.0'])
      expect(() => whole(text)).toThrow(/not spelled as a whole number/);
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

describe('JsonScanner', () => {
  const scan = (text: string): JsonScanner =>
    new JsonScanner(text, { maxDepth: 2, fail: (reason, offset) => new Refused(reason, offset) });

  test('reads objects and arrays piece by piece', () => {
    const scanner = scan(' {"a" : [1, 2] , "b":"x", "a":null} ');
    const seen: unknown[] = [];
    scanner.object((key, keyAt) => {
      seen.push([key, keyAt]);
      if (scanner.next() === '[') scanner.array(() => seen.push(scanner.value()));
      else seen.push(scanner.value());
    });
    scanner.end();
    expect(seen).toEqual([['a', 2], 1, 2, ['b', 17], 'x', ['a', 26], null]);
    expect(scanner.next()).toBeUndefined();
    expect(scanner.duplicate('a', 26)).toMatchObject({ offset: 26, message: 'duplicate key "a"' });
  });

  test('refuses other brackets, too many of them, and what follows', () => {
    expect(() => scan('[]').object(() => {})).toThrow('expected "{", found "["');
    expect(() => scan('{}').array(() => {})).toThrow('expected "[", found "{"');
    expect(() => scan('[[[]]]').value()).toThrow(/deeper than 2/);
    const scanner = scan('[] 1');
    scanner.array(() => {});
    expect(() => scanner.end()).toThrow(/text after the end/);
  });
});
