import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBackend } from '../../src/backends/choose.js';
import { createCudaBackend } from '../../src/backends/cuda.js';
import type { NativeBinding } from '../../src/backends/native.js';
import type { CudaDevice } from '../../src/backends/native-cuda.js';
import { fromNative } from '../../src/backends/native-error.js';
import { DeviceBlock } from '../../src/device-memory.js';
import { DeviceTensor } from '../../src/device-tensor.js';
import { describe as describeValue, type ErrorCode, expected, IsometryError } from '../../src/errors.js';
import {
  type FillOptions,
  fill,
  fillInto,
  fillSync,
  heNormal,
  type Initializer,
  lsuv,
  normal,
  parsePlan,
  writeCheckpoint,
  zeros,
} from '../../src/index.js';
import { fillRange } from '../../src/js/fill.js';
import { allocateTensor } from '../../src/memory.js';
import { finalizeCheckpoint } from '../../src/model/checkpoint/finalize.js';
import { planFrom } from '../../src/model/plan/plan-from.js';
import { SafetensorsReader } from '../../src/safetensors/read.js';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

function revoked<T extends object>(target: T): T {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

const throwing = (): never => {
  throw new Error('mine');
};

/** One way to each code: the message that the table shows. */
const PROVOKE: { readonly [code in ErrorCode]: () => unknown } = {
  INVALID_ARGUMENT: () => fillSync('w', [4], zeros(), 42 as unknown as FillOptions),
  INVALID_NAME: () => fillSync('', [4], zeros(), { seed: 1 }),
  INVALID_SHAPE: () => fillSync('w', [4, 1.5], zeros(), { seed: 1 }),
  INVALID_SLICE: () => fillSync('w', [4, 4], zeros(), { seed: 1, slice: [[0, 5]] }),
  INVALID_LAYOUT: () => fillSync('w', [4, 4], heNormal(), { seed: 1, layout: 'OIHW' }),
  INVALID_DTYPE: () => fillSync('w', [4], zeros(), { seed: 1, dtype: 'float33' as 'float32' }),
  INVALID_SEED: () => fillSync('w', [4], zeros(), { seed: '42' as unknown as number }),
  INVALID_OPTION: () => normal({ std: -1 }),
  UNKNOWN_OPTION: () => fill('w', [4], zeros(), { sedd: 1 } as unknown as FillOptions),
  INVALID_INITIALIZER: () => fillSync('w', [4], { kind: 'heNorm' } as unknown as Initializer, { seed: 1 }),
  INVALID_TARGET: () => fillInto(new Float32Array(3), 'w', [4], zeros(), { seed: 1 }),
  TOO_LARGE: () => fillSync('w', [2 ** 32, 2 ** 32], zeros(), { seed: 1 }),
  OUT_OF_MEMORY: () => allocateTensor('float32', 1e8, 'w', () => 1e6),
  // The reasons are the driver's, which differ from machine to machine.
  BACKEND_UNAVAILABLE: () => {
    const cuda = { probe: { available: false, reason: 'no NVIDIA driver was found' }, devices: [] } as const;
    const cpu = { available: true, detail: '' } as const;
    const capabilities = { cuda, cpu, js: cpu, threads: 1, preferred: 'auto' };
    chooseBackend({ device: 'cuda', bytes: 4, keep: 'host' }, capabilities);
  },
  DEVICE_ERROR: () => {
    throw fromNative({
      code: 'DEVICE_ERROR',
      message:
        'cuLaunchKernel on GPU 0 (NVIDIA H200) failed: CUDA_ERROR_ILLEGAL_ADDRESS (700): an illegal memory access was encountered. This process cannot use the GPU any more: start it again',
    });
  },
  DISPOSED: () => {
    const backend = createCudaBackend({} as NativeBinding, { index: 0 } as CudaDevice);
    const tensor = new DeviceTensor('w', [0], 'float32', new DeviceBlock(backend, 0, 'w'), 0);
    tensor.dispose();
    return tensor.pointer;
  },
  ACTIVATION_ERROR: () => lsuv([{ name: 'fc', weight: Float32Array.of(0.5) }], () => [3, 3, 3]),
  PLAN_ERROR: () => parsePlan('{"tensors":[{"name":"w","shape":[4],"init":{"kind":"hello"}}]}'),
  CONFIG_ERROR: () =>
    planFrom({
      model_type: 'gpt2',
      vocab_size: 8,
      n_positions: 4,
      n_embd: 10,
      n_layer: 1,
      n_head: 3,
    }),
  CHECKPOINT_ERROR: () => finalizeCheckpoint('/nowhere'),
  FORMAT_ERROR: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isometry-'));
    const before = process.cwd();
    try {
      process.chdir(folder);
      writeFileSync('model.safetensors', 'abcd');
      await SafetensorsReader.open('model.safetensors');
    } finally {
      process.chdir(before);
      rmSync(folder, { recursive: true });
    }
  },
  IO_ERROR: () =>
    writeCheckpoint(
      { tensors: [{ name: 'w', shape: [4], init: { kind: 'zeros' } }] },
      '/nowhere/model.safetensors',
      { seed: 1 },
    ),
  // Not to be had through the API: lowering gives float64 a table.
  INTERNAL: () => {
    const region = { shape: [], sourceOffset: 0, sourceStrides: [], targetOffset: 0, targetStrides: [] };
    const jobs = [{ primitive: { kind: 'normal', mean: 0, std: 1 } as const, stream: 0n, region }];
    fillRange({ seed: 1n, dtype: 'float64', length: 1, jobs }, new Float64Array(1), 0, 1);
  },
};

describe('docs/errors.md', () => {
  const inCode = [...read('src/errors.ts').matchAll(/^ {2}\| '([A-Z_]+)'/gm)].map(([, code]) => code);
  const inTable = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);

  it('lists exactly the codes of src/errors.ts, in their order', () => {
    expect(inCode.length).toBeGreaterThan(10);
    expect(inTable).toEqual(inCode);
  });

  const rows = read('docs/errors.md')
    .split('\n')
    .filter((line) => /^\| `[A-Z_]+` \|/.test(line))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));

  it.each(rows)('%s: the typical message is what it says', async (code, _, message, remedy) => {
    expect(remedy).toMatch(/\.$/);
    const provoke = PROVOKE[code!.replaceAll('`', '') as ErrorCode];
    let error: unknown;
    try {
      await provoke();
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: code!.replaceAll('`', ''), message });
  });
});

describe('IsometryError', () => {
  it('is an Error with a code and, where there is one, a cause', () => {
    const cause = new TypeError('below');
    const error = new IsometryError('IO_ERROR', 'could not', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'IsometryError', code: 'IO_ERROR', message: 'could not', cause });
    expect('cause' in new IsometryError('IO_ERROR', 'could not')).toBe(false);
    expect(String(error)).toBe('IsometryError: could not');
  });

  it('has the one message form', () => {
    expect(expected('INVALID_SEED', 'a whole number', 'seed', -1)).toMatchObject({
      code: 'INVALID_SEED',
      message: 'expected a whole number for seed but received -1 of type number',
    });
  });
});

describe('describe', () => {
  // A loop, because the titles of `it.each` do not survive all of these.
  const cases: readonly (readonly [unknown, string])[] = [
    [undefined, 'undefined of type undefined'],
    [null, 'null of type null'],
    [-0, '-0 of type number'],
    [Number.NaN, 'NaN of type number'],
    ['a"b\n', '"a\\"b\\n" of type string'],
    [7n, '7n of type bigint'],
    [-(2n ** 127n), `${-(2n ** 127n)}n of type bigint`],
    [2n ** 128n, 'an integer of 2^128 or more of type bigint'],
    [-(2n ** 128n), 'an integer of -2^128 or less of type bigint'],
    [Symbol('s'), 'Symbol(s) of type symbol'],
    [throwing, 'a function of type function'],
    [{ min: 1 }, '{"min":1} of type object'],
    [[1, 2], '[1,2] of type Array'],
    [Object.create(null), '{} of type object'],
    [new Float32Array(3), '[12 bytes] of type Float32Array'],
    [new Map(), '{} of type Map'],
    [runInNewContext('[3]'), '[3] of type Array'],
    [{ toJSON: () => undefined }, 'an object of type object'],
    [{ toJSON: throwing }, 'an object of type object'],
    [{ n: 1n }, 'an object of type object'],
    [revoked({}), 'an object of type object'],
    [revoked([]), 'an object of type object'],
    [{ inner: revoked([]) }, 'an object of type object'],
    [revoked(throwing), 'a function of type function'],
    [new Proxy({}, { get: throwing }), 'an object of type object'],
    [new Proxy({}, { ownKeys: throwing }), 'an object of type object'],
    [{ [Symbol.toStringTag]: 'Mine' }, '{} of type Mine'],
    [Object.defineProperty({}, Symbol.toStringTag, { get: throwing }), '{} of type object'],
  ];
  it('tells the value and its type', () => {
    for (const [value, text] of cases) expect(describeValue(value)).toBe(text);
  });

  it('takes an object that contains itself, and one nested deeply', () => {
    const self: Record<string, unknown> = {};
    self['self'] = self;
    expect(describeValue(self)).toBe('an object of type object');
    let deep: unknown = 0;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(describeValue(deep)).toBe('an object of type Array');
  });

  it('is short, whatever the value', () => {
    expect(describeValue('x'.repeat(1000))).toBe(`"${'x'.repeat(78)}… of type string`);
    expect(describeValue(Array.from({ length: 50 }, (_, i) => i))).toMatch(/^\[0,1,2,.{72}… of type Array$/);
    // No half of a surrogate pair is left at the cut.
    expect(describeValue('😀'.repeat(100))).toBe(`"${'😀'.repeat(39)}… of type string`);
    expect(describeValue(`-${'😀'.repeat(100)}`)).toBe(`"-${'😀'.repeat(38)}… of type string`);
    expect(describeValue(Symbol('x'.repeat(1000))).length).toBeLessThan(120);
    expect(describeValue({ [Symbol.toStringTag]: 'x'.repeat(1000) }).length).toBeLessThan(200);
  });

  it('takes no time for values that would print for hours', () => {
    const started = performance.now();
    describeValue(1n << (2n ** 29n)); // 10^8 digits
    describeValue(new Array(2 ** 32 - 1));
    describeValue({ inner: new Array(2 ** 32 - 1) });
    describeValue(new Proxy([], { get: (_, key) => (key === 'length' ? 2 ** 32 - 1 : undefined) }));
    describeValue('x'.repeat(2 ** 28));
    describeValue(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [i, 'x'.repeat(2 ** 20)])));
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('never throws', () => {
    const trap = fc.constantFrom('get', 'ownKeys', 'getOwnPropertyDescriptor', 'getPrototypeOf', 'has');
    // Makers of values: fast-check itself would trip over some of the values.
    const hostile: fc.Arbitrary<() => unknown> = fc.oneof(
      fc
        .anything({ withBigInt: true, withMap: true, withNullPrototype: true, withTypedArray: true })
        .map((value) => () => value),
      fc.anything().map((value) => () => ({ value, [Symbol.toStringTag]: value })),
      fc.anything().map((value) => () => ({ toJSON: () => value })),
      trap.map((name) => () => new Proxy([], { [name]: throwing })),
      trap.map((name) => () => ({ inner: new Proxy({}, { [name]: throwing }) })),
    );
    fc.assert(
      fc.property(hostile, (make) => {
        const text = describeValue(make());
        expect(text).toContain(' of type ');
        expect(text.length).toBeLessThan(200);
      }),
    );
  });
});
