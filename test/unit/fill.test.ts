import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import type { TensorArray } from '../../src/dtype.js';
import { fill, fillInto, fillSync, prepareFill } from '../../src/fill.js';
import { glorotUniform, heNormal, normal, ones, uniform, zeros } from '../../src/initializers/index.js';
import type { Slice } from '../../src/region.js';
import { Tensor } from '../../src/tensor.js';

const law = uniform({ min: -1, max: 1 });

function bytes(data: TensorArray): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');
}

describe('fill', () => {
  it('gives a tensor that says what it is', async () => {
    const w = await fill('encoder.weight', [3, 4], heNormal(), { seed: 42 });
    expect(w).toBeInstanceOf(Tensor);
    expect(w).toMatchObject({
      name: 'encoder.weight',
      shape: [3, 4],
      dtype: 'float32',
      size: 12,
      byteLength: 48,
    });
    expectTypeOf(w.data).toEqualTypeOf<Float32Array>();
    const half = await fill('w', [3], ones(), { seed: 1, dtype: 'float16' });
    expectTypeOf(half.data).toEqualTypeOf<Uint16Array>();
    expect([...half.data]).toEqual([0x3c00, 0x3c00, 0x3c00]);
  });

  it('agrees with fillSync and fillInto, below and above the size that is computed at once', async () => {
    for (const count of [0, 1, 1000, 65_536, 65_537, 200_001]) {
      for (const dtype of ['float64', 'float32', 'float16', 'bfloat16'] as const) {
        const a = await fill('w', [count], law, { seed: 7, dtype });
        const b = fillSync('w', [count], law, { seed: 7, dtype });
        const c = fillInto(a.data.slice().fill(9), 'w', [count], law, { seed: 7, dtype });
        expect(Buffer.compare(Buffer.from(a.data.buffer), Buffer.from(b.data.buffer))).toBe(0);
        expect(Buffer.compare(Buffer.from(a.data.buffer), Buffer.from(c.buffer))).toBe(0);
      }
    }
  });

  it('gives a slice what the whole tensor has there', () => {
    const shape = [5, 6, 7];
    const whole = fillSync('w', shape, law, { seed: 3 }).data;
    const range = (dim: number) =>
      fc.option(
        fc.tuple(fc.nat(dim), fc.nat(dim)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      );
    fc.assert(
      fc.property(fc.tuple(range(5), range(6), range(7)), (slice) => {
        const part = fillSync('w', shape, law, { seed: 3, slice: slice as Slice });
        const [i, j, k] = shape.map((dim, axis) => slice[axis] ?? ([0, dim] as const));
        const expected: number[] = [];
        for (let a = i![0]; a < i![1]; a++) {
          for (let b = j![0]; b < j![1]; b++) {
            for (let c = k![0]; c < k![1]; c++) expected.push(whole[(a * 6 + b) * 7 + c]!);
          }
        }
        expect(part.shape).toEqual([i!, j!, k!].map(([from, to]) => to - from));
        expect([...part.data]).toEqual(expected);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it('takes fans from the whole shape, not from the slice', () => {
    const whole = fillSync('w', [64, 32], glorotUniform(), { seed: 3 });
    const row = fillSync('w', [64, 32], glorotUniform(), { seed: 3, slice: [[63, 64]] });
    expect([...row.data]).toEqual([...whole.data.subarray(63 * 32)]);
  });

  it('depends on seed and name, and 1 is 1n', () => {
    const one = bytes(fillSync('w', [9], law, { seed: 1 }).data);
    expect(bytes(fillSync('w', [9], law, { seed: 1n }).data)).toBe(one);
    expect(bytes(fillSync('v', [9], law, { seed: 1 }).data)).not.toBe(one);
    expect(bytes(fillSync('w', [9], law, { seed: 2 }).data)).not.toBe(one);
    expect(bytes(fillSync('w', [9], law, { seed: 2n ** 32n + 1n }).data)).not.toBe(one);
  });

  it('takes an initializer as plain data', () => {
    const fromJson = JSON.parse('{ "kind": "normal", "std": 0.02 }');
    expect(bytes(fillSync('w', [9], fromJson, { seed: 1 }).data)).toBe(
      bytes(fillSync('w', [9], normal({ std: 0.02 }), { seed: 1 }).data),
    );
  });

  it('fills scalars and empty tensors', async () => {
    expect((await fill('w', [], ones(), { seed: 1 })).data).toEqual(Float32Array.of(1));
    expect((await fill('w', [0, 5], heNormal(), { seed: 1 })).data).toHaveLength(0);
    expect((await fill('w', [4], law, { seed: 1, slice: [[2, 2]] })).shape).toEqual([0]);
  });

  it('does not keep the arrays that it is given', () => {
    const shape = [2, 3];
    const w = fillSync('w', shape, zeros(), { seed: 1 });
    shape[0] = 99;
    expect(w.shape).toEqual([2, 3]);
  });
});

const good = { seed: 1 };
const bad: [string, unknown[], string][] = [
  ['no name', [undefined, [2], zeros(), good], 'INVALID_NAME'],
  ['an empty name', ['', [2], zeros(), good], 'INVALID_NAME'],
  ['no shape', ['w', undefined, zeros(), good], 'INVALID_SHAPE'],
  ...[-1, Number.NaN, 1.5, '3', null, 3n, true].map((dim): [string, unknown[], string] => [
    `dimension ${String(dim)}`,
    ['w', [2, dim], zeros(), good],
    'INVALID_SHAPE',
  ]),
  ['a product beyond 2^53', ['w', [2 ** 30, 2 ** 30], zeros(), good], 'TOO_LARGE'],
  ['no initializer', ['w', [2], undefined, good], 'INVALID_INITIALIZER'],
  ['a factory itself', ['w', [2], zeros, good], 'INVALID_INITIALIZER'],
  ['rank 0 with fans', ['w', [], heNormal(), good], 'INVALID_SHAPE'],
  ['no options', ['w', [2], zeros()], 'INVALID_SEED'],
  ['options of another type', ['w', [2], zeros(), 42], 'INVALID_ARGUMENT'],
  ['an unknown option', ['w', [2], zeros(), { sedd: 1 }], 'UNKNOWN_OPTION'],
  ['an own __proto__', ['w', [2], zeros(), JSON.parse('{ "seed": 1, "__proto__": 1 }')], 'UNKNOWN_OPTION'],
  ...[-1, 1.5, 2 ** 53, 2n ** 64n, -1n, '1', null, Number.NaN].map((seed): [string, unknown[], string] => [
    `seed ${String(seed)}`,
    ['w', [2], zeros(), { seed }],
    'INVALID_SEED',
  ]),
  ...['float33', '__proto__', 'constructor', 'toString', null, 32].map(
    (dtype): [string, unknown[], string] => [
      `dtype ${dtype}`,
      ['w', [2], zeros(), { seed: 1, dtype }],
      'INVALID_DTYPE',
    ],
  ),
  ...['gpu', 'cuda:', 'cuda:-1', '__proto__', null, 0].map((device): [string, unknown[], string] => [
    `device ${device}`,
    ['w', [2], zeros(), { seed: 1, device }],
    'INVALID_OPTION',
  ]),
  ['a device that is not there', ['w', [2], zeros(), { seed: 1, device: 'cuda:1' }], 'BACKEND_UNAVAILABLE'],
  ['a slice outside', ['w', [2], zeros(), { seed: 1, slice: [[1, 3]] }], 'INVALID_SLICE'],
  ['a layout of another rank', ['w', [2], zeros(), { seed: 1, layout: 'OIHW' }], 'INVALID_LAYOUT'],
  ['groups 0', ['w', [2, 2], zeros(), { seed: 1, groups: 0 }], 'INVALID_OPTION'],
];

describe('wrong arguments', () => {
  it.each(bad)('%s', async (_, args, code) => {
    const call = args as Parameters<typeof fill>;
    await expect(fill(...call)).rejects.toMatchObject({ name: 'IsometryError', code });
    expect(() => fillSync(...call)).toThrowError(expect.objectContaining({ code }));
    expect(() => fillInto(new Float32Array(2), ...call)).toThrowError(expect.objectContaining({ code }));
  });

  it.each([
    ['keep', 'gpu'],
    ['keep', null],
    ['signal', 1],
    ['signal', null],
    ['signal', {}],
    ['signal', { aborted: false, addEventListener() {} }],
  ])('option %s: %s', async (key, value) => {
    await expect(fill('w', [2], zeros(), { seed: 1, [key]: value })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });

  it('more than an array or the memory holds', async () => {
    const code = expect.stringMatching(/^(TOO_LARGE|OUT_OF_MEMORY)$/);
    await expect(fill('w', [2 ** 52], zeros(), good)).rejects.toMatchObject({ code });
    expect(() => fillSync('w', [2 ** 52], zeros(), good)).toThrowError(expect.objectContaining({ code }));
  });

  it('options that only fill takes are unknown elsewhere', () => {
    const { signal } = new AbortController();
    const options = { seed: 1, signal };
    expect(() => fillSync('w', [2], zeros(), options)).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
    expect(() => fillInto(new Float32Array(2), 'w', [2], zeros(), options)).toThrowError(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });

  it('are found before anything is computed, whatever the size', () => {
    expect(() => prepareFill('w', [2 ** 50], normal({ std: 1 }), { seed: -1 })).toThrow(/seed/);
    const { request, shape } = prepareFill('w', [2 ** 50], normal({ std: 1 }), { seed: 1 });
    expect([request.length, shape]).toEqual([2 ** 50, [2 ** 50]]);
  });

  it('never throw anything but an IsometryError', () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 5 }), (args) => {
        try {
          fillInto(...(args as unknown as Parameters<typeof fillInto>));
        } catch (error) {
          expect(error).toMatchObject({ name: 'IsometryError' });
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('fillInto', () => {
  it('takes the dtype from the array, and 16 bits need to be told which', () => {
    expect(fillInto(new Float64Array(2), 'w', [2], ones(), good)).toEqual(Float64Array.of(1, 1));
    expect(fillInto(new Float32Array(2), 'w', [2], ones(), good)).toEqual(Float32Array.of(1, 1));
    expect(fillInto(new Uint16Array(2), 'w', [2], ones(), { seed: 1, dtype: 'bfloat16' })).toEqual(
      Uint16Array.of(0x3f80, 0x3f80),
    );
    expect(() => fillInto(new Uint16Array(2), 'w', [2], ones(), good)).toThrow(/"float16" or "bfloat16"/);
  });

  it('writes into a part of a buffer and nothing beside it', () => {
    const buffer = new Float32Array(10).fill(-7);
    fillInto(buffer.subarray(3, 6), 'w', [3], ones(), good);
    expect([...buffer]).toEqual([-7, -7, -7, 1, 1, 1, -7, -7, -7, -7]);
  });

  it('takes arrays of another realm', () => {
    const foreign = runInNewContext('new Float32Array(4)') as Float32Array;
    expect(foreign).not.toBeInstanceOf(Float32Array);
    fillInto(foreign, 'w', [4], law, { seed: 5 });
    expect([...foreign]).toEqual([...fillSync('w', [4], law, { seed: 5 }).data]);
  });

  it.each([
    ['an array', [0, 0]],
    ['bytes', new Uint8Array(2)],
    ['signed 16 bits', new Int16Array(2)],
    ['a buffer', new ArrayBuffer(8)],
    ['a view', new DataView(new ArrayBuffer(8))],
    ['an impostor', Object.create(Float32Array.prototype)],
    ['one with a false tag', { [Symbol.toStringTag]: 'Float32Array', length: 2 }],
    ['nothing', undefined],
    ['too short', new Float32Array(1)],
    ['too long', new Float32Array(3)],
    ['a length of its own', Object.defineProperty(new Float32Array(1), 'length', { value: 2 })],
  ])('refuses %s', (_, target) => {
    expect(() => fillInto(target as Float32Array, 'w', [2], ones(), good)).toThrowError(
      expect.objectContaining({ code: 'INVALID_TARGET' }),
    );
  });

  it('refuses a dtype that is not the array’s', () => {
    expect(() => fillInto(new Float32Array(2), 'w', [2], ones(), { seed: 1, dtype: 'float64' })).toThrow(
      /a Float64Array for dtype float64/,
    );
  });

  it('asks for as many elements as the slice has', () => {
    const options = { seed: 1, slice: [[1, 3]] } as const;
    expect(() => fillInto(new Float32Array(9), 'w', [9], law, options)).toThrow(/expected 2 elements/);
    expect(fillInto(new Float32Array(2), 'w', [9], law, options)).toHaveLength(2);
  });

  it('refuses a buffer that options detach while they are read', () => {
    const target = new Float32Array(2);
    const options = {
      get seed() {
        structuredClone(target.buffer, { transfer: [target.buffer] });
        return 1;
      },
    };
    expect(() => fillInto(target, 'w', [2], ones(), options)).toThrow(/detached/);
  });
});
