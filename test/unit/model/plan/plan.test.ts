import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { IsometryError } from '../../../../src/errors.js';
import { type Plan, parsePlan, readPlan, serializePlan } from '../../../../src/model/plan/plan.js';
import { planHash } from '../../../../src/model/plan/plan-hash.js';

const tensor = { name: 'w', shape: [4, 3], init: { kind: 'normal', std: 0.02 } };
const withTensor = (fields: object): object => ({ tensors: [{ ...tensor, ...fields }] });

const planError = (...parts: (string | RegExp)[]) => {
  const pattern = parts.map((part) =>
    typeof part === 'string' ? part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : part.source,
  );
  return expect.objectContaining({
    code: 'PLAN_ERROR',
    message: expect.stringMatching(new RegExp(pattern.join('.*'))),
  });
};

describe('a good plan', () => {
  test('comes back validated, frozen, with defaults of initializers filled in', () => {
    const plan = parsePlan({
      $schema: 'x',
      dtype: 'bfloat16',
      metadata: { __proto__: null, license: 'mit' },
      tensors: [
        { ...tensor, dtype: 'float32', layout: 'IO', groups: 1 },
        { name: 'b', shape: [], init: { kind: 'zeros' } },
      ],
    });
    expect(plan).toEqual({
      dtype: 'bfloat16',
      metadata: { license: 'mit' },
      tensors: [
        {
          name: 'w',
          shape: [4, 3],
          init: { kind: 'normal', mean: 0, std: 0.02 },
          dtype: 'float32',
          layout: 'IO',
          groups: 1,
        },
        { name: 'b', shape: [], init: { kind: 'zeros' } },
      ],
    });
    expect(Object.isFrozen(plan) && Object.isFrozen(plan.tensors) && Object.isFrozen(plan.tensors[0])).toBe(
      true,
    );
  });

  test('text and object agree; a parsed plan is taken as it is', () => {
    const fromText = parsePlan(JSON.stringify(withTensor({})));
    expect(fromText).toEqual(parsePlan(withTensor({})));
    expect(parsePlan(fromText)).toBe(fromText);
  });

  test('a byte order mark is ignored, as are properties that are undefined', () => {
    expect(parsePlan(`\ufeff${JSON.stringify(withTensor({}))}`)).toEqual(
      parsePlan(withTensor({ dtype: undefined })),
    );
  });

  test('unusual names and shapes are fine', () => {
    const names = ['constructor', 'toString', '../x', '\u{1f600}', '\u202e', ' ', 'a'.repeat(10_000)];
    const plan = parsePlan({ tensors: names.map((name) => ({ ...tensor, name, shape: [0, 7] })) });
    expect(plan.tensors.map(({ name }) => name)).toEqual(names);
  });
});

describe('a bad plan names the place and what to do', () => {
  test.each<[string, unknown, ...(string | RegExp)[]]>([
    [
      'empty text',
      '',
      'the plan is not valid: expected a JSON value, found the end of the text (line 1, column 1)',
    ],
    ['no JSON', 'tensors:\n- a', '(line 1, column 1)'],
    ['missing comma', '{\n  "dtype": "float32"\n  "tensors": []\n}', '"," or "}"', '(line 3, column 3)'],
    ['trailing bytes', '{"tensors":[]} x', 'text after the end', 'column 16'],
    ['duplicate key', '{"tensors":[],"tensors":[]}', 'duplicate key "tensors"'],
    ['number beyond a double', '{"tensors":[{"shape":[1e400]}]}', 'too large'],
    ['list', [], 'expected object for the plan but received [] of type Array'],
    ['number', 3, 'expected object for the plan but received 3'],
    ['null', null, 'expected object for the plan but received null'],
    ['function', () => {}, 'a function of type function'],
    ['Map', new Map(), 'expected'],
    ['no tensors', {}, 'expected a key "tensors" in the plan'],
    ['misspelt tensors', { tensor: [] }, 'unknown option "tensor"', 'did you mean "tensors"?'],
    ['no tensor', { tensors: [] }, 'at least 1 entries for /tensors'],
    ['tensors no list', { tensors: {} }, 'expected array for /tensors but received {} of type object'],
    [
      'unknown dtype',
      { tensors: [tensor], dtype: 'float33' },
      'one of float64, float32, float16, bfloat16',
      '/dtype',
      '"float33"',
    ],
    [
      'metadata no string',
      { tensors: [tensor], metadata: { a: 1 } },
      'expected string for /metadata/a but received 1',
    ],
    [
      'metadata lone surrogate',
      { tensors: [tensor], metadata: { a: '\ud800' } },
      'well-formed',
      '/metadata/a',
    ],
    ['tensor no object', { tensors: [tensor, 3] }, 'expected an object for /tensors/1 but received 3'],
    ['tensor a list', { tensors: [[]] }, '/tensors/0'],
    [
      'misspelt key',
      withTensor({ dtpye: 'float32' }),
      'unknown option "dtpye" for /tensors/0',
      'did you mean "dtype"?',
    ],
    [
      'own key __proto__',
      `{"tensors":[{"__proto__":{"polluted":1},"name":"w","shape":[],"init":{"kind":"ones"}}]}`,
      '"__proto__"',
      '/tensors/0',
    ],
    ['__proto__ at the top', `{"__proto__":{"polluted":1},"tensors":[]}`, '"__proto__"'],
    ['missing name', withTensor({ name: undefined }), '/tensors/0/name'],
    ['empty name', withTensor({ name: '' }), 'a non-empty string for /tensors/0/name'],
    ['name no string', withTensor({ name: 3 }), '/tensors/0/name', '3 of type number'],
    ['name __metadata__', withTensor({ name: '__metadata__' }), '/tensors/0/name', '__metadata__'],
    ['name __proto__', withTensor({ name: '__proto__' }), '/tensors/0/name'],
    ['name with lone surrogate', withTensor({ name: 'a\udc00' }), 'lone surrogates', '/tensors/0/name'],
    ['name with NUL', withTensor({ name: 'a\0b' }), 'NUL', '/tensors/0/name'],
    ['missing shape', withTensor({ shape: undefined }), '/tensors/0/shape'],
    ['shape no list', withTensor({ shape: 4 }), '/tensors/0/shape'],
    ['negative dim', withTensor({ shape: [4, -1] }), 'for /tensors/0/shape/1 but received -1'],
    ['fractional dim', withTensor({ shape: [1.5] }), '/tensors/0/shape/0', '1.5'],
    ['text dim', withTensor({ shape: ['3'] }), '/tensors/0/shape/0', '"3"'],
    ['NaN dim', withTensor({ shape: [Number.NaN] }), '/tensors/0/shape/0', 'NaN'],
    ['bigint dim', withTensor({ shape: [3n] }), '/tensors/0/shape/0', '3n'],
    ['dim of 2^53', withTensor({ shape: [2 ** 53] }), '/tensors/0/shape/0'],
    ['too many elements', withTensor({ shape: [2 ** 30, 2 ** 30] }), '/tensors/0/shape'],
    ['rank 33', withTensor({ shape: Array(33).fill(1) }), '32', '/tensors/0/shape'],
    ['typed array as shape', withTensor({ shape: new Uint8Array([3]) }), 'array for /tensors/0/shape'],
    ['missing init', withTensor({ init: undefined }), '/tensors/0/init'],
    ['init as text', withTensor({ init: 'normal' }), '/tensors/0/init', '"normal"'],
    [
      'unknown init',
      withTensor({ init: { kind: 'norml', std: 1 } }),
      '/tensors/0/init/kind',
      '"norml"',
      'did you mean "normal"?',
    ],
    ['init constructor', withTensor({ init: { kind: 'constructor' } }), '/tensors/0/init/kind'],
    ['init without kind', withTensor({ init: { std: 1 } }), '/tensors/0/init/kind'],
    [
      'misspelt option',
      withTensor({ init: { kind: 'normal', stdd: 1 } }),
      '"stdd" for /tensors/0/init',
      'did you mean "std"?',
    ],
    ['negative std', withTensor({ init: { kind: 'normal', std: -1 } }), '/tensors/0/init/std', '-1'],
    ['std as text', withTensor({ init: { kind: 'normal', std: '1' } }), '/tensors/0/init/std', '"1"'],
    ['empty interval', withTensor({ init: { kind: 'uniform', min: 1, max: 1 } }), '/tensors/0/init'],
    ['fan of a vector', withTensor({ init: { kind: 'heNormal' }, shape: [4] }), 'at /tensors/0: ', 'bias'],
    ['unknown tensor dtype', withTensor({ dtype: '__proto__' }), 'at /tensors/0: ', '"__proto__"'],
    ['layout of another rank', withTensor({ layout: 'OIHW' }), 'at /tensors/0: ', 'the tensor has 2 axes'],
    ['groups 0', withTensor({ groups: 0 }), 'at /tensors/0: ', 'groups'],
    [
      'groups that do not divide',
      withTensor({ groups: 3, init: { kind: 'heNormal' } }),
      'at /tensors/0: ',
      'divisor',
    ],
  ])('%s', (_, plan, ...parts) => {
    expect(() => parsePlan(plan)).toThrow(planError(...parts));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('duplicate names, with both places', () => {
    const tensors = ['a', 'b', 'c', 'b'].map((name) => ({ ...tensor, name }));
    expect(() => parsePlan({ tensors })).toThrow(planError('/tensors/3/name', '"b"', '/tensors/1/name'));
  });

  test('nesting, as text and as an object that contains itself, is no stack overflow', () => {
    expect(() => parsePlan('['.repeat(1_000_000))).toThrow(planError('nesting deeper'));
    expect(() => parsePlan(`{"tensors":[{"init":${'{"a":'.repeat(1_000_000)}`)).toThrow(
      planError('nesting deeper'),
    );
    const loop: Record<string, unknown> = { ...tensor };
    loop['init'] = loop;
    expect(() => parsePlan({ tensors: [loop] })).toThrow(planError('nesting deeper'));
  });

  test('a getter is read once', () => {
    let reads = 0;
    const tricky = {
      ...tensor,
      get shape() {
        return reads++ === 0 ? [2] : ['no'];
      },
    };
    expect(parsePlan({ tensors: [tricky] }).tensors[0]!.shape).toEqual([2]);
    expect(reads).toBe(1);
  });

  test('whatever the object, the answer is a plan or PLAN_ERROR', () => {
    const values = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('w', 'normal', 'float32', 0.5, 3, [2, 2], {}, [], null) },
      {
        weight: 1,
        arbitrary: fc.anything({
          withBigInt: true,
          withMap: true,
          withTypedArray: true,
          maxDepth: 2,
          withNullPrototype: true,
        }),
      },
    );
    const key = (...names: string[]) => fc.constantFrom(...names);
    const init = fc.dictionary(key('kind', 'std', 'mean', 'value', 'sigmas', '__proto__'), values);
    const entry = fc.dictionary(
      key('name', 'shape', 'init', 'dtype', 'layout', 'groups', 'x'),
      fc.oneof(values, init),
    );
    const plan = fc.dictionary(
      key('tensors', 'dtype', 'metadata', '$schema', 'x'),
      fc.oneof(values, fc.array(entry)),
    );
    fc.assert(
      fc.property(fc.oneof(plan, values), (value) => {
        try {
          expect(parsePlan(value).tensors.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(IsometryError);
          expect((error as IsometryError).code).toBe('PLAN_ERROR');
        }
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});

test('whatever rules, ties and copies, the answer is a plan that serializes, or PLAN_ERROR', () => {
  const rarely = <T>(value: fc.Arbitrary<T>) =>
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
  const names = fc.constantFrom('a', 'b', 'c.d', 'c.e', 'f');
  const inits = fc.constantFrom({ kind: 'ones' }, { kind: 'normal', std: 1 }, { kind: 'ramp' });
  const made = fc.record({ init: inits });
  const tied = fc.oneof(fc.record({ tie: names }), fc.record({ copyOf: names }));
  const copied = fc.record({ copied: fc.record({ dtype: fc.constantFrom('F4', 'F32', 'I8', 'I8', 'x') }) });
  const more = fc.record({
    dtype: rarely(fc.constantFrom('float16', 'int8', 'bool', 'int128')),
    zeroRows: rarely(fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 2 })),
    init: rarely(inits),
    shape: fc.oneof(
      { weight: 9, arbitrary: fc.constant([2, 2]) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, [], [0, 3], [-1]) },
    ),
  });
  const both = <T extends object, U extends object>(a: fc.Arbitrary<T>, b: fc.Arbitrary<U>) =>
    fc.tuple(a, b).map(([first, second]) => ({ ...second, ...first }));
  const tensor = both(both(fc.record({ name: names }), fc.oneof(made, tied, copied, fc.constant({}))), more);
  const globs = fc.constantFrom('**', '**', 'a', 'c.*', '{a,b}', ['a', 'b'], '[');
  const rule = both(fc.record({ match: globs }), fc.oneof(made, made, tied));
  let good = 0;
  fc.assert(
    fc.property(
      rarely(fc.array(rule, { maxLength: 2 })),
      fc.uniqueArray(tensor, { selector: ({ name }) => name, minLength: 1 }),
      (rules, tensors) => {
        let plan: Plan;
        try {
          plan = parsePlan({ rules, tensors });
        } catch (error) {
          expect(error).toMatchObject({ name: 'IsometryError', code: 'PLAN_ERROR' });
          return;
        }
        good++;
        expect(planHash(parsePlan(serializePlan(plan)))).toBe(planHash(plan));
        const stored = plan.order ?? plan.tensors.map(({ name }) => name);
        const tied = (plan.ties ?? []).map(({ name }) => name);
        expect([...stored, ...tied].sort()).toEqual(tensors.map(({ name }) => name).sort());
      },
    ),
    { seed: 7, numRuns: 2000 },
  );
  expect(good).toBeGreaterThan(100);
});

describe('serializePlan', () => {
  const source = {
    dtype: 'float16',
    metadata: { a: 'b' },
    rules: [{ match: 'embed', init: { kind: 'normal', std: 0.02 }, zeroRows: [0] }],
    tensors: [
      { name: 'head', tie: 'embed' },
      { name: 'again', copyOf: 'embed' },
      { name: 'embed', shape: [4, 3], layout: 'OI' },
      { name: 'kept', shape: [3], copied: { dtype: 'F8_E4M3' } },
      { name: 'steps', shape: [], dtype: 'int64', init: { kind: 'zeros' } },
      { name: 'cut', shape: [2], init: { kind: 'truncatedNormal', sigmas: [null, 1] }, groups: 1 },
    ],
  };

  test('is a plan of its own, equal but for what made it', () => {
    const plan = parsePlan(source);
    const again = parsePlan(serializePlan(plan));
    expect(plan.tensors.map(({ name, rule }) => [name, rule])).toContainEqual(['embed', 0]);
    expect(again).toEqual({ ...plan, tensors: plan.tensors.map(({ rule: _, ...tensor }) => tensor) });
    expect(again.order).toEqual(['again', 'embed', 'kept', 'steps', 'cut']);
    expect(planHash(again)).toBe(planHash(plan));
    expect(serializePlan(again)).toBe(serializePlan(plan));
  });

  test('has one tensor to a line', () => {
    expect(serializePlan(parsePlan(withTensor({})))).toBe(
      '{\n  "tensors": [\n    {"name":"w","shape":[4,3],"init":{"kind":"normal","mean":0,"std":0.02}}\n  ]\n}\n',
    );
  });
});

describe('readPlan', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'isometry-plan-'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test('reads a file; errors name it', async () => {
    const path = join(dir, 'plan.json');
    writeFileSync(path, JSON.stringify(withTensor({})));
    expect(await readPlan(path)).toEqual(parsePlan(withTensor({})));
    writeFileSync(path, '{');
    await expect(readPlan(path)).rejects.toThrow(planError(path, 'line 1, column 2'));
    writeFileSync(path, Buffer.from([0x22, 0xff, 0x22]));
    await expect(readPlan(path)).rejects.toThrow(planError(path, 'not UTF-8'));
  });

  test('a file that is missing, a directory, or no path at all', async () => {
    const ioError = (code: string) =>
      expect.objectContaining({ code: 'IO_ERROR', message: expect.stringContaining(code) });
    await expect(readPlan(join(dir, 'none'))).rejects.toThrow(ioError('ENOENT'));
    await expect(readPlan(dir)).rejects.toThrow(ioError('EISDIR'));
    for (const path of ['', 'a\0b', undefined]) {
      await expect(readPlan(path as string)).rejects.toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  test('nor is one written that could not be read back', () => {
    const tensors = [{ name: 'w', shape: [1], init: { kind: 'zeros' } }];
    const plan = parsePlan({ tensors, metadata: { long: 'x'.repeat(2 ** 28) } });
    expect(() => serializePlan(plan)).toThrow(
      expect.objectContaining({
        code: 'TOO_LARGE',
        message: expect.stringContaining('at most 268435456 bytes'),
      }),
    );
  });

  test('a file above 2^28 bytes is refused', async () => {
    const path = join(dir, 'large.json');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 28 + 1); // sparse
    await expect(readPlan(path)).rejects.toThrow(planError('longer than 268435456 bytes'));
  });
});
