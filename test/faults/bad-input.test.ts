// Every bad input that the project promises to refuse, at every public door it can come in by: a clear error with its
// code, naming what was expected, what came and (where it is not plain) what to do; nothing written; process alive.
//
// Told elsewhere, because it takes a fault and not a value: a full disk, a read-only or missing directory and
// ulimit -f (checkpoint-disk.test.ts); Ctrl-C, SIGTERM, SIGHUP and kill -9 in the middle of a write
// (checkpoint-kill.test.ts); truncated, damaged and foreign .node files (addon.test.ts); buffers transferred away
// during a fill (native.test.ts).
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as isometry from '../../src/index.js';
import { type Ended, runCli } from '../helpers/cli.js';

// Wrong types are the point.
type Any = (...args: unknown[]) => unknown;
const fill = isometry.fill as Any;
const fillSync = isometry.fillSync as Any;
const fillInto = isometry.fillInto as Any;
const parsePlan = isometry.parsePlan as Any;
const writeCheckpoint = isometry.writeCheckpoint as Any;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'isometry-bad-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const UNTOUCHED = 7;
const target = (): Float32Array<ArrayBuffer> => new Float32Array(4).fill(UNTOUCHED);

/** The error that `action` throws or rejects with. */
async function errorOf(action: () => unknown): Promise<isometry.IsometryError> {
  let result: unknown;
  try {
    result = await action();
  } catch (error) {
    expect(error, String(error)).toBeInstanceOf(isometry.IsometryError);
    return error as isometry.IsometryError;
  }
  throw new Error(`no error, but ${String(result)}`);
}

type Parts = readonly (string | RegExp)[];

function expectMessage(message: string, parts: Parts, door: string): void {
  for (const part of parts) expect(message, door).toMatch(part);
  expect(message.length, `${door}: ${message.slice(0, 200)}`).toBeLessThan(1000);
}

/** What a call is made of; a row changes one thing. */
interface Call {
  readonly name?: unknown;
  readonly shape?: unknown;
  readonly init?: unknown;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** The row's call at the doors that take a tensor's name, shape, initializer and options. */
async function expectRefusedByFills(call: Call, code: string, parts: Parts): Promise<void> {
  const { name = 'w', shape = [2, 2], init = { kind: 'ones' }, options = {} } = call;
  const array = target();
  const all = { seed: 1, ...options };
  const doors: readonly [string, () => unknown][] = [
    ['fill', () => fill(name, shape, init, all)],
    ['fillSync', () => fillSync(name, shape, init, all)],
    ['fillInto', () => fillInto(array, name, shape, init, all)],
  ];
  for (const [door, action] of doors) {
    const error = await errorOf(action);
    expect(error.code, `${door}: ${error.message}`).toBe(code);
    expectMessage(error.message, parts, door);
  }
  expect([...array]).toEqual(Array(4).fill(UNTOUCHED));
}

/** A plan that is refused as an object, as text, by writeCheckpoint and by the command, which all write nothing. */
async function expectPlanRefused(plan: unknown, parts: Parts): Promise<void> {
  const text = typeof plan === 'string' ? plan : JSON.stringify(plan);
  const out = mkdtempSync(join(dir, 'out-'));
  const file = join(dir, 'plan.json');
  writeFileSync(file, text);
  const old = join(out, 'old');
  writeFileSync(old, 'old');
  const doors: readonly [string, () => unknown][] = [
    ['parsePlan of a text', () => parsePlan(text)],
    ['readPlan', () => isometry.readPlan(file)],
    ['writeCheckpoint', () => writeCheckpoint(plan, join(out, 'new'), { seed: 1 })],
    ['writeCheckpoint over an old file', () => writeCheckpoint(plan, old, { seed: 1 })],
    ...(typeof plan === 'string' ? [] : [['parsePlan', () => parsePlan(plan)] as [string, () => unknown]]),
  ];
  for (const [door, action] of doors) {
    const error = await errorOf(action);
    expect(error.code, `${door}: ${error.message}`).toBe('PLAN_ERROR');
    expectMessage(error.message, parts, door);
  }
  expectFailed(await runCli(['init', file, '--out', join(out, 'new'), '--seed', '1']), 1, [
    /^isometry: PLAN_ERROR: /,
    ...parts,
  ]);
  expect(readdirSync(out)).toEqual(['old']);
  expect(readFileSync(old, 'utf8')).toBe('old');
}

/** One line, no stack, the exit code; `code` null is a crash. */
function expectFailed({ code, signal, stdout, stderr }: Ended, exitCode: number, parts: Parts): void {
  expect([code, signal], stderr).toEqual([exitCode, null]);
  expect(stdout).toBe('');
  expectMessage(stderr, parts, 'the command');
  // One line; a usage error may have a suggestion below it.
  expect(stderr.trimEnd().split('\n').length, stderr).toBeLessThanOrEqual(exitCode);
}

const plan = (tensor: object): object => ({
  tensors: [{ name: 'w', shape: [2, 2], init: { kind: 'ones' }, ...tensor }],
});

// JSON has no NaN: a text can only say null.
describe('a dimension', () => {
  it.each<[string, unknown, RegExp, RegExp]>([
    ['-1', -1, /received -1 of type number/, /received -1 of type number/],
    ['1.5', 1.5, /received 1.5 of type number/, /received 1.5 of type number/],
    ['"3"', '3', /received "3" of type string/, /received "3" of type string/],
    ['NaN', Number.NaN, /received NaN of type number/, /received (NaN of type number|null of type null)/],
    ['2^53', 2 ** 53, /received 9007199254740992 of type number/, /9007199254740992/],
    ['1e300', 1e300, /received 1e\+300 of type number/, /1e\+300/],
  ])('%s', async (_, dim, received, receivedOfPlan) => {
    await expectRefusedByFills({ shape: [2, dim] }, 'INVALID_SHAPE', [
      /expected a whole number from 0 to 2\^53 − 1 for shape\[1\]/,
      received,
    ]);
    await expectPlanRefused(plan({ shape: [2, dim] }), [/\/tensors\/0\/shape\/1/, receivedOfPlan]);
  });

  it('product beyond 2^53 − 1', async () => {
    const parts = [/at most 9007199254740991 elements/, /\[134217728,134217728\] of type Array/];
    await expectRefusedByFills({ shape: [2 ** 27, 2 ** 27] }, 'TOO_LARGE', parts);
    await expectPlanRefused(plan({ shape: [2 ** 27, 2 ** 27] }), [...parts, /\/tensors\/0\/shape/]);
  });

  it('files beyond 2^53 bytes, each tensor possible alone', async () => {
    const init = { kind: 'ones' };
    const tensors = ['a', 'b'].map((name) => ({ name, shape: [2 ** 52], init }));
    const error = await errorOf(() => writeCheckpoint({ tensors }, join(dir, 'huge'), { seed: 1 }));
    expect(error.code).toBe('TOO_LARGE');
    expectMessage(error.message, [/2\^53 bytes/, /split the plan/], 'writeCheckpoint');
    expect(existsSync(join(dir, 'huge'))).toBe(false);
  });

  it.each(['heNormal', 'glorotUniform', 'xavierNormal', 'kaimingUniform', 'varianceScaling'])(
    'rank 0 with %s',
    async (kind) => {
      const parts = [
        /expected a shape of rank 2 to 5 or a layout for the fans of tensor "w" but received \[\]/,
        /use zeros\(\)/,
      ];
      await expectRefusedByFills({ shape: [], init: { kind } }, 'INVALID_SHAPE', parts);
      await expectPlanRefused(plan({ shape: [], init: { kind } }), [...parts, /\/tensors\/0/]);
    },
  );
});

describe('a dtype', () => {
  it.each(['float33', '__proto__', 'constructor'])('%s', async (dtype) => {
    const parts = [
      /expected one of float64, float32, float16, bfloat16 for dtype/,
      new RegExp(`received "${dtype}" of type string`),
    ];
    await expectRefusedByFills({ options: { dtype } }, 'INVALID_DTYPE', parts);
    // A plan's tensor may also be of whole numbers.
    const inPlan = [/expected one of float64, .*, int64, .* for dtype/, parts[1]!, /\/tensors\/0/];
    await expectPlanRefused(plan({ dtype }), inPlan);
    await expectPlanRefused({ dtype, ...plan({}) }, [/float64, float32, float16, bfloat16/, `"${dtype}"`]);
    await expectOptionRefused({ seed: 1, dtype }, 'INVALID_DTYPE', parts, ['--dtype', dtype]);
  });
});

/** An option of writeCheckpoint and of the command: a usage error there. */
async function expectOptionRefused(
  options: object,
  code: string,
  parts: Parts,
  args?: readonly string[],
  cliParts: Parts = [],
): Promise<void> {
  const out = mkdtempSync(join(dir, 'out-'));
  const error = await errorOf(() => writeCheckpoint(plan({}), join(out, 'new'), options));
  expect(error.code, error.message).toBe(code);
  expectMessage(error.message, parts, 'writeCheckpoint');
  if (args !== undefined) {
    const file = join(dir, 'good.json');
    writeFileSync(file, JSON.stringify(plan({})));
    const seed = args.includes('--seed') ? [] : ['--seed', '1'];
    expectFailed(await runCli(['init', file, '--out', join(out, 'new'), ...seed, ...args]), 2, [
      /^error: /,
      ...cliParts,
    ]);
  }
  expect(readdirSync(out)).toEqual([]);
}

describe('a seed', () => {
  it.each<[unknown, string | null, RegExp]>([
    [-1, '-1', /received -1 of type number/],
    [-1n, null, /BigInt\.asUintN\(64, seed\)/],
    [1.5, '1.5', /received 1\.5 of type number/],
    [2n ** 64n, '18446744073709551616', /received 18446744073709551616n of type bigint/],
    [2 ** 64, null, /write it as a bigint/],
    [2 ** 53, null, /write it as a bigint/],
    [Number.NaN, 'NaN', /received NaN/],
    ['1', '1e3', /convert it with BigInt\(text\)/],
    [undefined, '', /a seed is required/],
    [null, ' ', /a seed is required/],
  ])('%s', async (seed, text, part) => {
    const parts = [
      /expected a whole number from 0 to 2\^53 − 1 or a bigint from 0 to 2\^64 − 1 for seed/,
      part,
    ];
    await expectRefusedByFills({ options: { seed } }, 'INVALID_SEED', parts);
    const args = text === null ? undefined : [`--seed`, text];
    // At the command nobody knows what a bigint is.
    await expectOptionRefused({ seed }, 'INVALID_SEED', parts, args, [
      `argument '${text}' is invalid`,
      /whole number from 0 to 2\^64 − 1, in decimal or as 0x/,
    ]);
  });
});

describe('an option', () => {
  it('sedd', async () => {
    const parts = [/unknown option "sedd"/, /did you mean "seed"\?/];
    await expectRefusedByFills({ options: { sedd: 1 } }, 'UNKNOWN_OPTION', parts);
    await expectOptionRefused({ sedd: 1 }, 'UNKNOWN_OPTION', parts, ['--sedd', '2'], [/--sedd/, /--seed/]);
    await expectPlanRefused({ sedd: 1, ...plan({}) }, [/unknown option "sedd"/]);
    await expectPlanRefused(plan({ shpe: [2] }), [/"shpe" for \/tensors\/0/, /did you mean "shape"\?/]);
  });

  it('__proto__, constructor and toString', async () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const options = JSON.parse(`{ "seed": 1, "${key}": 1 }`);
      const parts = [`unknown option "${key}"`];
      await expectRefusedByFills({ options }, 'UNKNOWN_OPTION', parts);
      await expectOptionRefused(options, 'UNKNOWN_OPTION', parts);
    }
    expect(({} as Record<string, unknown>)['seed']).toBeUndefined();
  });
});

describe('an initializer', () => {
  it.each<[string, object, Parts]>([
    ['normal of std -1', { kind: 'normal', std: -1 }, [/expected a finite number ≥ 0/, /std/, /received -1/]],
    [
      'truncatedNormal of std 0',
      { kind: 'truncatedNormal', std: 0 },
      [/expected a finite number > 0/, /std/],
    ],
    ['normal without std', { kind: 'normal' }, [/std/]],
    ['uniform, lo = hi', { kind: 'uniform', min: 1, max: 1 }, [/min < max/, /\{"min":1,"max":1\}/]],
    ['uniform, lo > hi', { kind: 'uniform', min: 2, max: 1 }, [/min < max/, /\{"min":2,"max":1\}/]],
    [
      'sigmas, lo = hi',
      { kind: 'truncatedNormal', sigmas: [1, 1] },
      [/lower < upper/, /sigmas/, /\["1","1"\]/],
    ],
    ['absolute, lo > hi', { kind: 'truncatedNormal', absolute: [2, 1] }, [/lower < upper/, /absolute/]],
    [
      'both bounds',
      { kind: 'truncatedNormal', sigmas: [-1, 1], absolute: [-1, 1] },
      [/either sigmas or absolute/],
    ],
    ['an unknown option', { kind: 'normal', stdd: 1 }, [/unknown option "stdd"/, /did you mean "std"\?/]],
  ])('%s', async (_, init, parts) => {
    const code = 'stdd' in init ? 'UNKNOWN_OPTION' : 'INVALID_OPTION';
    await expectRefusedByFills({ init }, code, parts);
    const withoutWords = parts.filter((part) => !String(part).includes('≥') && !String(part).includes('>'));
    await expectPlanRefused(plan({ init }), [...withoutWords, /\/tensors\/0\/init/]);
  });

  // Not in JSON: a plan's text can only have null in their place.
  it.each<[string, object]>([
    ['NaN std', { kind: 'normal', std: Number.NaN }],
    ['infinite std', { kind: 'normal', std: Number.POSITIVE_INFINITY }],
    ['NaN min', { kind: 'uniform', min: Number.NaN, max: 1 }],
    ['NaN max', { kind: 'uniform', min: 0, max: Number.NaN }],
    ['infinite max', { kind: 'uniform', min: 0, max: Number.POSITIVE_INFINITY }],
    ['NaN sigma', { kind: 'truncatedNormal', sigmas: [Number.NaN, 1] }],
    ['NaN bound', { kind: 'truncatedNormal', absolute: [0, Number.NaN] }],
    ['the wrong infinity', { kind: 'truncatedNormal', sigmas: [Number.POSITIVE_INFINITY, 1] }],
    ['NaN value', { kind: 'constant', value: Number.NaN }],
  ])('%s', async (_, init) => {
    await expectRefusedByFills({ init }, 'INVALID_OPTION', [/expected /, /received .*(NaN|Infinity)/]);
    for (const action of [
      () => parsePlan(plan({ init })),
      () => writeCheckpoint(plan({ init }), join(dir, 'nan'), { seed: 1 }),
    ]) {
      const error = await errorOf(action);
      expect(error.code).toBe('PLAN_ERROR');
      expectMessage(error.message, [/\/tensors\/0\/init/], 'a plan object');
    }
    expect(existsSync(join(dir, 'nan'))).toBe(false);
  });

  it.each(['norml', '__proto__', 'constructor'])('of kind %s', async (kind) => {
    const parts = [/expected one of zeros, ones, constant/, `received "${kind}" of type string`];
    await expectRefusedByFills({ init: { kind } }, 'INVALID_INITIALIZER', parts);
    await expectPlanRefused(plan({ init: { kind } }), [...parts, /\/tensors\/0\/init\/kind/]);
  });

  it('that overflows the dtype: found before the file is touched', async () => {
    const init = { kind: 'constant', value: 1e5 };
    const options = { dtype: 'float16' };
    for (const door of [fill, fillSync]) {
      const error = await errorOf(() => door('w', [4], init, { seed: 1, ...options }));
      expect(error.code).toBe('INVALID_OPTION');
      expectMessage(error.message, [/100000 overflows float16/, /"w"/, /wider dtype/], 'fill');
    }
    const error = await errorOf(() =>
      writeCheckpoint(plan({ init }), join(dir, 'over'), { seed: 1, ...options }),
    );
    expect(error.code).toBe('INVALID_OPTION');
    expect(readdirSync(dir).filter((name) => name.includes('over'))).toEqual([]);
  });
});

describe('a target array', () => {
  const options = { seed: 1 };
  const init = { kind: 'ones' };
  const into = (array: unknown, more: object = {}): unknown =>
    fillInto(array, 'w', [2, 2], init, { ...options, ...more });

  it.each<[string, () => ArrayBufferView | unknown[], Parts]>([
    ['of bytes', () => new Uint8Array(4), [/a Float32Array, a Float64Array or a Uint16Array/, /Uint8Array/]],
    ['of signed integers', () => new Int32Array(4), [/Int32Array/]],
    ['a DataView', () => new DataView(new ArrayBuffer(16)), [/DataView/]],
    ['a plain array', () => [7, 7, 7, 7], [/\[7,7,7,7\] of type Array/]],
    ['too short', () => new Float32Array(3), [/expected 4 elements/, /received 3 of type Float32Array/]],
    ['too long', () => new Float64Array(5), [/expected 4 elements/, /received 5 of type Float64Array/]],
    ['empty', () => new Float32Array(0), [/expected 4 elements/, /received 0/]],
    ['16 bits without a dtype', () => new Uint16Array(4), [/needs dtype "float16" or "bfloat16"/]],
  ])('%s', async (_, make, parts) => {
    const array = make();
    const before = JSON.stringify(array);
    const error = await errorOf(() => into(array));
    expect(error.code, error.message).toBe('INVALID_TARGET');
    expectMessage(error.message, parts, 'fillInto');
    expect(JSON.stringify(array)).toBe(before);
  });

  it('not of the dtype', async () => {
    for (const [array, dtype] of [
      [new Float32Array(4), 'float64'],
      [new Float64Array(4), 'float32'],
      [new Float32Array(4), 'bfloat16'],
    ] as const) {
      const error = await errorOf(() => into(array, { dtype }));
      expect(error.code).toBe('INVALID_TARGET');
      expectMessage(error.message, [`for dtype ${dtype}`], 'fillInto');
      expect([...array]).toEqual([0, 0, 0, 0]);
    }
  });

  it('detached, on every backend', async () => {
    for (const device of ['js', 'auto'] as const) {
      const array = target();
      structuredClone(array.buffer, { transfer: [array.buffer] });
      const error = await errorOf(() => into(array, { device }));
      expect(error.code).toBe('INVALID_TARGET');
      expectMessage(error.message, [/detached/, /transferred elsewhere/], 'fillInto');
    }
  });

  it('that lies about itself is filled all the same', () => {
    class Liar extends Float32Array {
      override get length(): number {
        return 1;
      }
      override fill(): this {
        throw new Error('called');
      }
      override subarray(): never {
        throw new Error('called');
      }
    }
    for (const device of ['js', 'auto'] as const) {
      for (const law of [init, { kind: 'uniform', min: 1, max: 2 }]) {
        const liar = new Liar(4);
        fillInto(liar, 'w', [2, 2], law, { ...options, device });
        expect([...new Float32Array(liar.buffer)].every((value) => value >= 1 && value < 2)).toBe(true);
      }
    }
  });
});

describe('a plan', () => {
  it.each<[string, unknown, Parts]>([
    ['that is no JSON', '{ tensors: [] }', [/line 1, column 3/, /expected a key in double quotes/]],
    ['that is empty', '', [/the end of the text/]],
    ['that is cut', '{"tensors":[{"name":"w","sha', [/without its closing quote/]],
    ['that is another type', [1], [/object/]],
    ['with duplicate keys', '{"tensors":[],"tensors":[]}', [/duplicate key "tensors"/]],
    ['without tensors', {}, [/"tensors"/, /missing/]],
    ['with no tensors', { tensors: [] }, [/at least 1/, /\/tensors/]],
    [
      'with duplicate names',
      { tensors: ['a', 'b', 'a'].map((name) => ({ name, shape: [1], init: { kind: 'ones' } })) },
      [/unique name for \/tensors\/2\/name/, /"a"/, /\/tensors\/0\/name/],
    ],
    ['with a tensor named __proto__', plan({ name: '__proto__' }), [/__proto__/, /\/tensors\/0\/name/]],
    [
      'with a key __proto__',
      `{"tensors":[{"name":"w","shape":[1],"init":{"kind":"ones"},"__proto__":{"shape":[2]}}]}`,
      [/unknown option "__proto__" for \/tensors\/0/],
    ],
    ['with a missing shape', plan({ shape: undefined }), [/"shape"|\/tensors\/0\/shape/]],
    ['with a missing init', plan({ init: undefined }), [/"init"|\/tensors\/0\/init/]],
  ])('%s', async (_, source, parts) => {
    await expectPlanRefused(source, parts);
  });

  it('of another type, as an argument', async () => {
    for (const source of [undefined, null, 1, true, [], () => ({}), new Map(), Symbol('plan')]) {
      for (const action of [
        () => parsePlan(source),
        () => writeCheckpoint(source, join(dir, 'none'), { seed: 1 }),
      ]) {
        expect((await errorOf(action)).code).toBe('PLAN_ERROR');
      }
    }
    expect(existsSync(join(dir, 'none'))).toBe(false);
  });

  it('that is the output too is not overwritten', async () => {
    const file = join(dir, 'both.json');
    const text = JSON.stringify(plan({}));
    writeFileSync(file, text);
    mkdirSync(join(dir, 'sub'), { recursive: true });
    for (const out of [file, join(dir, 'sub', '..', 'both.json')]) {
      const ended = await runCli(['init', file, '--out', out, '--seed', '1']);
      expectFailed(ended, 1, [/INVALID_ARGUMENT/, /the plan/, /another/]);
      expect(readFileSync(file, 'utf8')).toBe(text);
    }
  });
});

describe('a path', () => {
  it.each<[unknown, RegExp]>([
    ['', /""/],
    ['a\0b', /a\\u0000b/],
    [undefined, /undefined/],
    [3, /3 of type number/],
  ])('%j', async (path, received) => {
    const error = await errorOf(() => writeCheckpoint(plan({}), path, { seed: 1 }));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expectMessage(
      error.message,
      [/expected the path of a file or of a directory for path/, received],
      'writeCheckpoint',
    );
  });

  it('in a directory that is missing, or that is below a file', async () => {
    const file = join(dir, 'a-file');
    writeFileSync(file, 'old');
    for (const [path, part] of [
      [join(dir, 'missing', 'new'), /ENOENT; its directory does not exist; create it first/],
      [join(file, 'new'), /ENOTDIR/],
    ] as const) {
      const error = await errorOf(() => writeCheckpoint(plan({}), path, { seed: 1 }));
      expect(error.code).toBe('IO_ERROR');
      expectMessage(error.message, [path, part], 'writeCheckpoint');
      expect((error.cause as NodeJS.ErrnoException).code).toMatch(/^E/);
    }
    expect(readFileSync(file, 'utf8')).toBe('old');
  });
});

describe('a tensor larger than memory', () => {
  // 4 TiB of float32, and 2^53 - 1 elements.
  it.each([2 ** 40, 2 ** 53 - 1])('of %d elements', async (count) => {
    for (const door of [fill, fillSync]) {
      const error = await errorOf(() => door('embedding', [count], { kind: 'ones' }, { seed: 1 }));
      expect(error.code).toMatch(/^(TOO_LARGE|OUT_OF_MEMORY)$/);
      expectMessage(error.message, [/embedding/, String(count), /slice/, /writeCheckpoint/], 'fill');
    }
    // A part of it is no problem.
    const part = isometry.fillSync('embedding', [count], isometry.ones(), {
      seed: 1,
      slice: [[count - 3, count]],
    });
    expect([...part.data]).toEqual([1, 1, 1]);
  });

  it('that fits an array but not the memory', async () => {
    const count = 2 ** 32 - 1; // 32 GiB of float64
    if (process.availableMemory() > 8 * count) return;
    const error = await errorOf(() => fill('w', [count], { kind: 'ones' }, { seed: 1, dtype: 'float64' }));
    expect(error.code).toBe('OUT_OF_MEMORY');
    expectMessage(error.message, [/w needs 34359738360 bytes/, /available/, /writeCheckpoint/], 'fill');
  });

  it('or than the disk is refused before the work', async () => {
    const started = performance.now();
    const error = await errorOf(() =>
      writeCheckpoint(plan({ shape: [2 ** 50] }), join(dir, 'large'), { seed: 1 }),
    );
    expect(error.code).toBe('IO_ERROR');
    expectMessage(error.message, [/ENOSPC/, /bytes are needed/], 'writeCheckpoint');
    expect(performance.now() - started).toBeLessThan(5000);
    expect(readdirSync(dir).filter((name) => name.includes('large'))).toEqual([]);
  });
});

it('a message stays short, whatever the value', async () => {
  const long = 'x'.repeat(5_000_000);
  for (const action of [
    () => fillSync(`${long}\0`, [2], { kind: 'ones' }, { seed: 1 }),
    () => fillSync(long, [2], { kind: 'heNormal' }, { seed: 1 }),
    () => fillSync(long, [2], { kind: 'constant', value: 1e300 }, { seed: 1 }),
    () => fillSync(long, [2 ** 50], { kind: 'ones' }, { seed: 1 }),
    () => fillSync('w', [2], { kind: long }, { seed: 1 }),
    () => fillSync('w', [2], { kind: 'ones' }, { seed: 1, [long]: 1 }),
    () => parsePlan(plan({ name: `${long}\0` })),
    () => parsePlan({ ...plan({}), metadata: { [long]: 1 } }),
    () => parsePlan(`{"${long}":1}`),
    () => parsePlan(`{"tensors":[{"name":"${long}"},`),
    () => writeCheckpoint(plan({}), join(dir, 'x'), { seed: 1, metadata: { [long]: 3 } }),
  ]) {
    expectMessage((await errorOf(action)).message, [/./], String(action));
  }
});
