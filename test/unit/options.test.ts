import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IsometryError } from '../../src/errors.js';
import { booleanOption, boundsOption, checkKeys, nearest, numberOption, oneOf } from '../../src/options.js';

const invalid = (code: string, text: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(text) });

const KNOWN = ['seed', 'dtype', 'layout', 'groups', 'slice', 'device', 'keep', 'signal'];

describe('checkKeys', () => {
  it.each([undefined, null, {}, Object.create(null)])('takes %s as no options', (options) => {
    expect(Object.keys(checkKeys(options, KNOWN, 'fill'))).toEqual([]);
  });

  it('copies known keys and drops undefined ones', () => {
    const options = { seed: 1, dtype: undefined, keep: null };
    const checked = checkKeys(options, KNOWN, 'fill');
    options.seed = 2;
    expect({ ...checked }).toEqual({ seed: 1, keep: null });
    expect(Object.hasOwn(checked, 'dtype')).toBe(false);
  });

  it('reads every value once', () => {
    let reads = 0;
    const options = {
      get seed() {
        return ++reads;
      },
    };
    expect(checkKeys(options, KNOWN, 'fill')['seed']).toBe(1);
    expect(reads).toBe(1);
  });

  it('has no prototype to look things up in', () => {
    expect(checkKeys({ seed: 1 }, KNOWN, 'fill')['constructor']).toBeUndefined();
    expect(Object.getPrototypeOf(checkKeys(undefined, KNOWN, 'fill'))).toBeNull();
  });

  it('takes objects of another realm', () => {
    expect(checkKeys(vm.runInNewContext('({ seed: 3 })'), KNOWN, 'fill')['seed']).toBe(3);
  });

  it.each([
    ['sedd', 'seed'],
    ['Seed', 'seed'],
    ['data_type', 'dtype'],
    ['group', 'groups'],
    ['lay-out', 'layout'],
  ])('names the key nearest to %s', (key, near) => {
    expect(() => checkKeys({ [key]: 1 }, KNOWN, 'fill')).toThrow(
      invalid(
        'UNKNOWN_OPTION',
        `unknown option "${key}" for fill; did you mean "${near}"\\? known options: seed, dtype`,
      ),
    );
  });

  it('suggests nothing for what resembles nothing', () => {
    expect(() => checkKeys({ zzzzzz: 1 }, KNOWN, 'fill')).toThrow(
      invalid('UNKNOWN_OPTION', /fill; known options/),
    );
    expect(() => checkKeys({ a: 1 }, [], 'zeros')).toThrow(
      invalid('UNKNOWN_OPTION', /zeros; it takes no options/),
    );
  });

  it('rejects an unknown key even when it is undefined', () => {
    expect(() => checkKeys({ sedd: undefined }, KNOWN, 'fill')).toThrow(invalid('UNKNOWN_OPTION', 'sedd'));
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'reports an own %s as unknown',
    (key) => {
      const hostile = JSON.parse(`{ "${key}": { "seed": 1 } }`);
      expect(() => checkKeys(hostile, KNOWN, 'fill')).toThrow(invalid('UNKNOWN_OPTION', `"${key}"`));
      expect(({} as Record<string, unknown>)['seed']).toBeUndefined();
    },
  );

  it('shortens a huge key', () => {
    const error = (() => {
      try {
        checkKeys({ ['k'.repeat(1e6)]: 1 }, KNOWN, 'fill');
      } catch (error) {
        return error as IsometryError;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(IsometryError);
    expect(error?.message.length).toBeLessThan(300);
  });

  class Options {
    seed = 1;
  }
  it.each([
    1,
    'seed',
    true,
    [],
    [1],
    () => 1,
    new Map([['seed', 1]]),
    Promise.resolve({}),
    new Options(),
    new Date(),
  ])('rejects %s', (options) => {
    expect(() => checkKeys(options, KNOWN, 'fill')).toThrow(
      invalid('INVALID_ARGUMENT', 'the options of fill'),
    );
  });
});

describe('nearest', () => {
  it('finds a name with one edit in it', () => {
    const name = fc.constantFrom('seed', 'dtype', 'distribution', 'truncatedNormal');
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom('q', ''), (name, where, letter) => {
        const at = where % name.length;
        const typed = name.slice(0, at) + letter + name.slice(at + 1);
        expect(nearest(typed, ['distribution', 'seed', 'truncatedNormal', 'dtype'])).toBe(name);
      }),
    );
  });

  it('compares no long texts, which would take long', () => {
    expect(nearest('k'.repeat(64), ['k'.repeat(64)])).toBe('k'.repeat(64));
    expect(nearest('k'.repeat(65), ['k'.repeat(65)])).toBeUndefined();
  });

  it.each([
    ['stddev', ['mean', 'std'], 'std'],
    ['fan_in', ['fanOut', 'fanIn'], 'fanIn'],
    ['', ['seed'], undefined],
    ['nothing', [], undefined],
  ])('of %s among %j is %s', (value, names, found) => {
    expect(nearest(value, names)).toBe(found);
  });
});

describe('oneOf', () => {
  const MODES = ['fanIn', 'fanOut'] as const;

  it('returns the name', () => {
    expect(oneOf('fanOut', MODES, 'mode')).toBe('fanOut');
  });

  it.each([
    ['fan_in', 'received "fan_in" of type string; did you mean "fanIn"\\?'],
    ['FANOUT', 'did you mean "fanOut"\\?'],
    ['toString', 'expected one of fanIn, fanOut for mode but received "toString" of type string$'],
    [0, 'received 0 of type number$'],
    [null, 'received null of type null$'],
    [['fanIn'], 'of type Array$'],
  ])('rejects %j', (value, text) => {
    expect(() => oneOf(value, MODES, 'mode')).toThrow(invalid('INVALID_OPTION', text));
  });
});

describe('numberOption', () => {
  it('takes numbers in range, with −0 as 0', () => {
    expect(numberOption(5e-324, 'std', { above: 0 })).toBe(5e-324);
    expect(numberOption(0, 'std', { min: 0 })).toBe(0);
    expect(numberOption(3, 'x', { max: 3 })).toBe(3);
    expect(Object.is(numberOption(-0, 'value'), 0)).toBe(true);
  });

  it.each([
    [-1, { min: 0 }, 'a finite number ≥ 0 for std'],
    [0, { above: 0 }, 'a finite number > 0 for std'],
    [3, { min: 0, max: 2 }, 'a finite number from 0 to 2 for std'],
    [3, { max: 2 }, 'a finite number ≤ 2 for std'],
    [3, { above: 0, max: 2 }, 'a finite number > 0 and ≤ 2 for std'],
    [Number.NaN, {}, 'a finite number for std'],
    [Number.POSITIVE_INFINITY, {}, 'a finite number for std'],
    ['1', {}, 'a finite number for std'],
    [1n, {}, 'a finite number for std'],
    [null, {}, 'a finite number for std'],
    [undefined, {}, 'a finite number for std'],
  ])('rejects %s in %j', (value, range, text) => {
    expect(() => numberOption(value, 'std', range)).toThrow(invalid('INVALID_OPTION', text));
  });
});

describe('booleanOption', () => {
  it('takes booleans alone', () => {
    expect(booleanOption(true, 'rescale')).toBe(true);
    expect(booleanOption(false, 'rescale')).toBe(false);
    for (const value of [0, 1, 'true', null, undefined]) {
      expect(() => booleanOption(value, 'rescale')).toThrow(invalid('INVALID_OPTION', 'rescale'));
    }
  });
});

describe('boundsOption', () => {
  const { NEGATIVE_INFINITY: low, POSITIVE_INFINITY: high } = Number;

  it.each([
    [
      [-2, 2],
      [-2, 2],
    ],
    [
      [low, 2],
      [null, 2],
    ],
    [
      [-2, high],
      [-2, null],
    ],
    [
      [null, null],
      [null, null],
    ],
    [
      [-0, 1],
      [0, 1],
    ],
  ])('takes %j', (value, bounds) => {
    const parsed = boundsOption(value, 'sigmas');
    expect(parsed).toEqual(bounds);
    expect(Object.isFrozen(parsed)).toBe(true);
    expect(parsed).not.toBe(value);
  });

  it.each([
    [[2, -2]],
    [[1, 1]],
    [[0, -0]],
    [[Number.NaN, 1]],
    [[0, Number.NaN]],
    [[high, null]],
    [[high, high]],
    [[0, low]],
    [[low, low]],
    [[0]],
    [[0, 1, 2]],
    [['0', '1']],
    [[undefined, 1]],
    [[Object.create(null), 1]],
    [[Symbol('a'), 1n]],
    [{ 0: 0, 1: 1, length: 2 }],
    [2],
    [null],
  ])('rejects bad bounds %#', (value) => {
    expect(() => boundsOption(value, 'normal.sigmas')).toThrow(invalid('INVALID_OPTION', 'normal.sigmas'));
  });
});
