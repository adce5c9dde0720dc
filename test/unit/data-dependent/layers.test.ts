import { describe, expect, it } from 'vitest';
import { checkDistinct, parseLayer } from '../../../src/data-dependent/layers.js';
import { fillSync, heNormal, type Initializer, normal, zeros } from '../../../src/index.js';

const start = { seed: 7n, initializer: heNormal() };
const failing = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });
const array = new Float32Array(6);
const tensor = fillSync('fc', [2, 3], zeros(), { seed: 1, dtype: 'bfloat16' });

describe('parseLayer', () => {
  it('reads tensors, alone or with a name', () => {
    const expected = { name: 'fc', dtype: 'bfloat16', data: tensor.data, length: 6, outputs: 1 };
    expect(parseLayer(tensor, 0)).toEqual(expected);
    expect(parseLayer({ weight: tensor, outputs: 2 }, 0)).toEqual({ ...expected, outputs: 2 });
    expect(parseLayer({ name: 'other', weight: tensor, dtype: 'bfloat16' }, 0)).toEqual({
      ...expected,
      name: 'other',
    });
  });

  it.each([
    ['float32', new Float32Array(6)],
    ['float64', new Float64Array(6)],
    ['float16', new Uint16Array(6)],
  ] as const)('reads arrays of %s', (dtype, weight) => {
    const given = { name: 'w', weight, ...(dtype === 'float16' ? { dtype } : {}) };
    expect(parseLayer(given, 0)).toEqual({ name: 'w', dtype, data: weight, length: 6, outputs: 1 });
  });

  it.each([
    [undefined, 'INVALID_NAME', 'layers[3].name'],
    ['fc', 'INVALID_ARGUMENT', 'the options of layers[3]'],
    [array, 'INVALID_ARGUMENT', 'the options of layers[3]'],
    [{ name: 'w', wieght: array }, 'UNKNOWN_OPTION', 'did you mean "weight"?'],
    [{ name: 'w', weight: array, bias: array }, 'UNKNOWN_OPTION', 'unknown option "bias" for layers[3]'],
    [{ weight: array }, 'INVALID_NAME', 'layers[3].name'],
    [{ name: 'w' }, 'INVALID_TARGET', 'layers[3].weight'],
    [{ name: 'w', weight: [1, 2] }, 'INVALID_TARGET', 'in memory of this process'],
    [{ name: 'w', weight: new Uint16Array(2) }, 'INVALID_TARGET', 'needs dtype "float16"'],
    [{ name: 'w', weight: array, dtype: 'float64' }, 'INVALID_TARGET', 'a Float64Array (float64)'],
    [{ name: 'w', weight: array, dtype: 'float99' }, 'INVALID_DTYPE', 'one of float64'],
    [
      { weight: tensor, dtype: 'float16' },
      'INVALID_DTYPE',
      "bfloat16, the tensor's own, for layers[3].dtype",
    ],
    [{ name: 'w', weight: array, shape: [5] }, 'INVALID_TARGET', 'expected 5 elements'],
    [{ name: 'w', weight: array, shape: 'OI' }, 'INVALID_SHAPE', 'layers[3].shape'],
    [{ name: 'w', weight: array, outputs: 0 }, 'INVALID_OPTION', 'layers[3].outputs'],
    [{ name: 'w', weight: array, outputs: 1.5 }, 'INVALID_OPTION', 'layers[3].outputs'],
  ])('%#: refuses what is no layer', (layer, code, text) => {
    expect(() => parseLayer(layer, 3)).toThrow(failing(code, text));
  });

  it.each([
    [{ name: 'w', weight: array }, heNormal(), 'INVALID_SHAPE', 'initialize needs the shape'],
    [{ name: 'w', weight: array, shape: [6] }, heNormal(), 'INVALID_SHAPE', 'rank'],
    [{ weight: tensor, layout: 'OIH' }, heNormal(), 'INVALID_LAYOUT', '2 axis letters'],
    [{ weight: tensor, groups: 0 }, heNormal(), 'INVALID_OPTION', 'groups'],
    [
      { name: 'w', weight: new Uint16Array(6), dtype: 'float16', shape: [6] },
      normal({ std: 1e6 }),
      'INVALID_OPTION',
      'overflow',
    ],
  ] as [object, Initializer, string, string][])(
    '%#: checks what it will be filled with',
    (layer, initializer, code, text) => {
      expect(() => parseLayer(layer, 0, { ...start, initializer })).toThrow(failing(code, text));
    },
  );

  it.each([
    ['OI', 'float32'],
    ['IO', 'float64'],
    ['OI', 'bfloat16'],
  ] as const)(
    'makes weights of layout %s for %s in full precision, and writes none',
    async (layout, dtype) => {
      const weight = fillSync('fc', [20, 30], zeros(), { seed: 1, dtype });
      const made = await parseLayer({ weight, layout }, 0, start).make!(undefined);
      const wide = dtype === 'float64' ? 'float64' : 'float32';
      expect(made).toEqual(fillSync('fc', [20, 30], heNormal(), { seed: 7, dtype: wide, layout }).data);
      expect(weight.data.every((x) => x === 0)).toBe(true);
    },
  );

  it('stops making weights when told', async () => {
    const { make } = parseLayer({ weight: tensor }, 0, start);
    await expect(make!(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

describe('checkDistinct', () => {
  const parse = (...layers: object[]) => layers.map((layer, index) => parseLayer(layer, index));

  it('wants names that differ', () => {
    const layers = parse({ name: 'w', weight: array }, { name: 'w', weight: new Float32Array(2) });
    expect(() => checkDistinct(layers)).toThrow(failing('INVALID_NAME', 'layers[1].name'));
  });

  it('wants memory that differs', () => {
    const { buffer } = array;
    const at = (offset: number, length: number) => new Float32Array(buffer, offset, length);
    const second = { name: 'b', weight: at(12, 3) };
    expect(() => checkDistinct(parse({ name: 'a', weight: at(0, 3) }, second))).not.toThrow();
    const text = 'that layer "a" does not use';
    expect(() => checkDistinct(parse({ name: 'a', weight: at(0, 4) }, second))).toThrow(
      failing('INVALID_TARGET', text),
    );
    expect(() => checkDistinct(parse({ name: 'a', weight: array }, { ...second, weight: array }))).toThrow(
      failing('INVALID_TARGET', text),
    );
  });
});
