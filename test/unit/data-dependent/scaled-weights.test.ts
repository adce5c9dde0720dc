import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckedLayer, parseLayer } from '../../../src/data-dependent/layers.js';
import { ScaledWeights } from '../../../src/data-dependent/scaled-weights.js';
import { dtypeInfo } from '../../../src/dtype.js';
import { roundTo } from '../../../src/dtype-grid.js';
import { DTYPE_NAMES, type DType, fillSync, normal, toFloat32 } from '../../../src/index.js';

const layerOf = (dtype: DType, elements = 100): CheckedLayer =>
  parseLayer(fillSync('fc', [elements], normal({ std: 1 }), { seed: 1, dtype }), 0);
const values = ({ data, dtype }: CheckedLayer): number[] =>
  dtype === 'float64' ? [...data] : [...toFloat32(data, dtype)];

describe('ScaledWeights', () => {
  it.each(DTYPE_NAMES)('%s: always the initial ones times the last factor, rounded once', (dtype) => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 1 }), (scales) => {
        const layer = layerOf(dtype);
        const initial = values(layer);
        const weights = new ScaledWeights(layer);
        for (const scale of scales) weights.write(scale);
        const last = scales.at(-1)!;
        expect(values(layer)).toEqual(initial.map((x) => roundTo(dtype, x * last)));
        weights.write(1);
        expect(values(layer)).toEqual(initial);
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it('rounds 16-bit weights once from the float32 ones it is given', () => {
    const initial = fillSync('fc', [1000], normal({ std: 1 }), { seed: 1 }).data;
    const layer = layerOf('bfloat16', 1000);
    new ScaledWeights(layer, initial).write(1 / 3);
    const expected = [...initial].map((x) => roundTo('bfloat16', x / 3));
    // x × (1/3) is not x / 3 to the last bit of a float64, and none of these thousand is that near a tie.
    expect(values(layer)).toEqual(expected);
    const twice = layerOf('bfloat16', 1000);
    new ScaledWeights(twice).write(1 / 3);
    expect(values(twice)).not.toEqual(expected);
  });

  it('says whether anything changed', () => {
    const layer = layerOf('bfloat16');
    const weights = new ScaledWeights(layer);
    expect(weights.write(1)).toBe(false);
    expect(weights.write(1 + 2 ** -12)).toBe(false);
    expect(weights.write(1.1)).toBe(true);
    expect(weights.write(1.1)).toBe(false);
  });

  it.each(DTYPE_NAMES)('%s: knows what overflows', (dtype) => {
    const layer = layerOf(dtype);
    const largest = Math.max(...values(layer).map(Math.abs));
    const weights = new ScaledWeights(layer);
    const limit = dtypeInfo(dtype).max / largest;
    expect(weights.overflows(limit * 0.999)).toBe(false);
    expect(weights.overflows(limit * 1.001)).toBe(true);
    expect(weights.overflows(Number.NaN)).toBe(true);
  });

  it.each([
    ['are all zero', Float32Array.of(0, -0)],
    ['hold NaN at 1', Float32Array.of(0, Number.NaN)],
    ['hold -Infinity at 0', Float32Array.of(Number.NEGATIVE_INFINITY, 1)],
    ['are none', new Float32Array(0)],
  ])('refuses weights that %s', (text, weight) => {
    const layer = parseLayer({ name: 'fc', weight }, 0);
    expect(() => new ScaledWeights(layer)).toThrow(
      expect.objectContaining({ code: 'ACTIVATION_ERROR', message: expect.stringContaining(text) }),
    );
  });

  it('does not write to memory that went elsewhere', () => {
    const layer = layerOf('float32');
    const weights = new ScaledWeights(layer);
    structuredClone(layer.data.buffer, { transfer: [layer.data.buffer as ArrayBuffer] });
    const gone = expect.objectContaining({
      code: 'INVALID_TARGET',
      message: expect.stringContaining('detached'),
    });
    expect(() => weights.write(2)).toThrow(gone);
    expect(() => new ScaledWeights(layer)).toThrow(gone);
  });
});
