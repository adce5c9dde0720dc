import vm from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as api from '../../../src/initializers/index.js';
import { type Initializer, lawOf, parseInitializer } from '../../../src/initializers/index.js';

/** One or more of each kind; the test below fails when one is missing. */
const EXAMPLES: readonly Initializer[] = [
  api.zeros(),
  api.ones(),
  api.constant({ value: -0 }),
  api.constant({ value: 0.1 }),
  api.uniform({ min: -0, max: 0.3 }),
  api.normal({ std: 0.02 }),
  api.truncatedNormal(),
  api.truncatedNormal({ std: 0.02, absolute: [Number.NEGATIVE_INFINITY, 2] }),
  api.truncatedNormal({ sigmas: [1, null], rescale: true }),
  api.varianceScaling({ scale: 1 / 3, mode: 'fanGeoAvg', distribution: 'uniform' }),
  api.glorotUniform(),
  api.glorotNormal(),
  api.heUniform(),
  api.heNormal(),
  api.lecunUniform(),
  api.lecunNormal(),
  api.xavierUniform({ gain: 5 / 3 }),
  api.xavierNormal(),
  api.kaimingUniform({ a: Math.sqrt(5) }),
  api.kaimingNormal({ mode: 'fanOut', nonlinearity: 'tanh' }),
  api.orthogonal({ gain: Math.SQRT2, method: 'qr' }),
  api.sparse({ sparsity: 0.9 }),
  api.mimetic({ role: 'key', source: 'attn', heads: 2 }),
  api.mimetic({ role: 'output', source: 'attn', beta: 1 }),
  api.convolutionOrthogonal({ gain: -2 }),
  api.deltaOrthogonal({ gain: 1.5 }),
  api.looksLinear(),
  api.looksLinear({ gain: -2, mirror: 'both' }),
  api.identity({ gain: 0.1 }),
  api.dirac(),
  api.dirac({ groups: 2 }),
  api.zero(),
  api.hadamardOrthogonal({ gain: 3 }),
  api.ramp({ start: -1, step: 0.5 }),
  api.logRamp(),
  api.sinusoidal({ order: 'halves' }),
  api.logOfUniform({ min: 1, max: 16 }),
  api.softplusInverseLogUniform({ max: 0.2 }),
  api.zeroRows({ init: api.normal({ std: 0.02 }), rows: [0, 1, 5] }),
];

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('every initializer', () => {
  it('is in the examples', () => {
    expect(new Set(EXAMPLES.map(({ kind }) => kind))).toEqual(new Set(api.INITIALIZER_KINDS));
  });

  it('has a factory of its name', () => {
    const exported = new Map(Object.entries(api));
    for (const kind of api.INITIALIZER_KINDS) expect(exported.get(kind)).toBeTypeOf('function');
  });

  it.each(EXAMPLES.map((initializer) => [initializer.kind, initializer] as const))(
    '%s survives JSON and parses to itself, byte for byte',
    (_, initializer) => {
      const json = JSON.stringify(initializer);
      const parsed = parseInitializer(JSON.parse(json), 'init');
      expect(parsed).toEqual(initializer);
      expect(JSON.stringify(parsed)).toBe(json);
      expect(JSON.stringify(parseInitializer(initializer, 'init'))).toBe(json);
      expect(json.startsWith(`{"kind":"${initializer.kind}"`)).toBe(true);
      const kernels = ['deltaOrthogonal', 'convolutionOrthogonal', 'dirac'].includes(initializer.kind);
      const tensor = {
        name: 'w',
        shape: kernels ? [8, 4, 3] : initializer.kind === 'mimetic' ? [8, 8] : [8, 4],
      };
      // Recipes have functions, which are equal only to themselves.
      const lawText = (of: Initializer): string => JSON.stringify(lawOf(of, tensor));
      expect(lawText(parsed)).toEqual(lawText(initializer));
    },
  );

  it('is frozen', () => {
    for (const initializer of EXAMPLES) {
      expect(Object.isFrozen(initializer)).toBe(true);
      expect(Object.isFrozen(parseInitializer({ ...initializer }, 'init'))).toBe(true);
    }
  });

  it('rejects an option that it does not know', () => {
    for (const initializer of EXAMPLES) {
      expect(() => parseInitializer({ ...initializer, sedd: 1 }, 'tensors[3].init')).toThrow(
        invalid('UNKNOWN_OPTION', '"sedd" for tensors[3].init'),
      );
    }
  });
});

describe('parseInitializer', () => {
  it('takes objects of another realm and without a prototype', () => {
    const expected = { kind: 'normal', mean: 0, std: 0.02 };
    expect(parseInitializer(vm.runInNewContext('({ kind: "normal", std: 0.02 })'), 'init')).toEqual(expected);
    const bare = Object.assign(Object.create(null), { kind: 'normal', std: 0.02 });
    expect(parseInitializer(bare, 'init')).toEqual(expected);
  });

  it('does not keep what it was given', () => {
    const given = { kind: 'truncatedNormal', sigmas: [-1, 1] };
    const parsed = parseInitializer(given, 'init');
    given.sigmas[0] = 5;
    given.kind = 'zeros';
    expect(parsed).toMatchObject({ kind: 'truncatedNormal', sigmas: [-1, 1] });
  });

  it('reads kind and options once', () => {
    let reads = 0;
    const given = {
      get kind() {
        return reads++ === 0 ? 'constant' : 'zeros';
      },
      get value() {
        return reads++;
      },
    };
    expect(parseInitializer(given, 'init')).toEqual({ kind: 'constant', value: 1 });
    expect(reads).toBe(2);
  });

  it.each<[unknown, string]>([
    [undefined, 'expected an initializer for tensors[3].init but received undefined'],
    [null, 'received null'],
    ['heNormal', 'write { kind: "heNormal" }'],
    [api.heNormal, 'call the function'],
    [3, 'received 3'],
    [[], 'of type Array'],
    [[{ kind: 'zeros' }], 'of type Array'],
    [new Map([['kind', 'zeros']]), 'of type Map'],
    [{}, 'tensors[3].init.kind but received undefined'],
    [{ std: 1 }, 'tensors[3].init.kind but received undefined'],
    [{ kind: 'he_normal' }, 'did you mean "heNormal"'],
    [{ kind: 'xavierNormel' }, 'did you mean "xavierNormal"'],
    [{ kind: '__proto__' }, 'tensors[3].init.kind but received "__proto__"'],
    [{ kind: 'constructor' }, 'one of zeros'],
    [{ kind: ['zeros'] }, 'one of zeros'],
    [{ kind: null }, 'one of zeros'],
  ])('rejects %j', (value, text) => {
    expect(() => parseInitializer(value, 'tensors[3].init')).toThrow(invalid('INVALID_INITIALIZER', text));
  });

  it('names the value that is wrong', () => {
    const parse = (value: unknown) => () => parseInitializer(value, 'tensors[3].init');
    expect(parse({ kind: 'normal', std: -1 })).toThrow(invalid('INVALID_OPTION', 'tensors[3].init.std'));
    expect(parse({ kind: 'uniform', min: 1, max: 0 })).toThrow(invalid('INVALID_OPTION', 'tensors[3].init'));
    expect(parse({ kind: 'normal', stdd: 1 })).toThrow(invalid('UNKNOWN_OPTION', 'did you mean "std"'));
  });

  it.each(['__proto__', 'constructor'])('rejects an own %s', (key) => {
    const hostile = JSON.parse(`{ "kind": "zeros", "${key}": { "kind": "ones" } }`);
    expect(() => parseInitializer(hostile, 'init')).toThrow(invalid('UNKNOWN_OPTION', key));
    const only = JSON.parse(`{ "__proto__": { "kind": "zeros" } }`);
    expect(() => parseInitializer(only, 'init')).toThrow(invalid('INVALID_INITIALIZER', 'init.kind'));
  });

  it('throws nothing but IsometryError, whatever it is given', () => {
    const kind = fc.oneof(fc.constantFrom(...api.INITIALIZER_KINDS), fc.string());
    const anything = fc.anything({
      withBigInt: true,
      withMap: true,
      withNullPrototype: true,
      withTypedArray: true,
    });
    const value = fc.oneof(
      anything,
      fc.double(),
      fc.array(fc.oneof(anything, fc.double()), { maxLength: 3 }),
    );
    const key = fc.constantFrom(
      'value',
      'min',
      'max',
      'mean',
      'std',
      'sigmas',
      'absolute',
      'scale',
      'mode',
      'gain',
      'a',
    );
    const options = fc.dictionary(key, value, { maxKeys: 4 });
    fc.assert(
      fc.property(fc.oneof(anything, fc.tuple(kind, options)), (given) => {
        const candidate =
          Array.isArray(given) && given.length === 2 ? { ...given[1], kind: given[0] } : given;
        try {
          expect(JSON.stringify(parseInitializer(candidate, 'init'))).toContain('"kind"');
        } catch (error) {
          expect(error).toMatchObject({
            name: 'IsometryError',
            code: expect.stringMatching(/INVALID|UNKNOWN/),
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('lawOf', () => {
  it('checks layout and groups even where they have no effect', () => {
    const at = (layout?: string, groups?: number) => () =>
      lawOf(api.zeros(), { name: 'b', shape: [4], layout, groups });
    expect(at()).not.toThrow();
    expect(at('O', 2)).not.toThrow();
    expect(at('OI')).toThrow(invalid('INVALID_LAYOUT', 'layout'));
    expect(at(undefined, 0)).toThrow(invalid('INVALID_OPTION', 'groups'));
  });

  it('refuses a kind that it does not know', () => {
    const unknown = { kind: 'heNorml' } as unknown as Initializer;
    expect(() => lawOf(unknown, { name: 'w', shape: [2, 2] })).toThrow(
      invalid('INVALID_INITIALIZER', 'heNormal'),
    );
  });
});
