import { describe, expect, it } from 'vitest';
import { fillSync } from '../../../src/fill.js';
import { lawOf, type OrthogonalOptions, orthogonal } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';

const qr = orthogonal({ method: 'qr' });
const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

describe('orthogonal', () => {
  it('writes its defaults out', () => {
    expect(qr).toEqual({ kind: 'orthogonal', gain: 1, method: 'qr' });
    expect(orthogonal()).toEqual({ kind: 'orthogonal', gain: 1, method: 'reflections' });
  });

  it.each([
    [{ method: null }, 'orthogonal.method'],
    [{ method: 'householder' }, 'orthogonal.method'],
    [{ method: 'qr', gain: Number.NaN }, 'orthogonal.gain'],
    [{ method: 'qr', gain: Number.NEGATIVE_INFINITY }, 'orthogonal.gain'],
    [{ method: 'qr', gain: '1' }, 'orthogonal.gain'],
  ])('rejects %j', (options, text) => {
    expect(() => orthogonal(options as OrthogonalOptions)).toThrow(invalid('INVALID_OPTION', text));
  });

  it.each([
    [[3, 4], undefined, [1, 1, 3, 4]],
    [[2, 3, 4, 5, 6, 7], undefined, [1, 1, 2, 2520]],
    [[3, 4], 'IO', [1, 3, 4, 1]],
    [[5, 6, 3, 4], 'HWIO', [1, 90, 4, 1]],
    [[3, 4, 5, 6], 'IOHW', [1, 3, 4, 30]],
    [[2, 7, 3, 4], 'EEOI', [14, 1, 3, 4]],
    [[9], 'O', [1, 1, 9, 1]],
    [[4, 0], undefined, [1, 1, 4, 0]],
  ] as const)('of shape %j and layout %s', (shape, layout, [count, before, outputs, after]) => {
    expect(lawOf(qr, { name: 'w', shape, layout, groups: 1 })).toEqual({
      kind: 'qr',
      gain: 1,
      matrices: { count, before, outputs, after },
    });
  });

  it.each([
    [[4], undefined, 'INVALID_SHAPE', 'zeros()'],
    [[], undefined, 'INVALID_SHAPE', 'a shape of rank 2 or more'],
    [[4, 4], 'IH', 'INVALID_LAYOUT', 'a layout with an axis O'],
    [[4, 4, 4], 'OEI', 'INVALID_LAYOUT', 'axes E come first'],
    [[4, 4, 4], 'EOE', 'INVALID_LAYOUT', 'axes E come first'],
  ])('has no matrix in shape %j with layout %s', (shape, layout, code, text) => {
    expect(() => lawOf(qr, { name: 'w', shape, layout })).toThrow(invalid(code, text));
    expect(() => lawOf(qr, { name: 'w', shape, layout })).toThrow(invalid(code, '"w"'));
  });

  it('of gain 0 is zero', () => {
    expect(lawOf(orthogonal({ method: 'qr', gain: -0 }), { name: 'w', shape: [2, 2] })).toEqual({
      kind: 'constant',
      value: 0,
    });
  });

  it('has no slices, but for the whole', () => {
    const options = { seed: 1, slice: [[0, 2], null] as const };
    expect(() => fillSync('w', [3, 2], qr, options)).toThrow(invalid('INVALID_OPTION', 'for slice'));
    expect(() => fillSync('w', [3, 2], qr, { seed: 1, slice: [[0, 0]] })).toThrow(
      invalid('INVALID_OPTION', 'such a matrix is made whole'),
    );
    expect(fillSync('w', [2, 2], qr, options)).toEqual(fillSync('w', [2, 2], qr, { seed: 1 }));
  });

  it('does not overflow its dtype', () => {
    const large = orthogonal({ method: 'qr', gain: -70000 });
    expect(() => fillSync('w', [3, 2], large, { seed: 1, dtype: 'float16' })).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
    const largest = orthogonal({ method: 'qr', gain: 65504 });
    const { data } = fillSync('w', [1, 1], largest, { seed: 1, dtype: 'float16' });
    expect(data[0]! & 0x7fff).toBe(0x7bff);
    const huge = orthogonal({ method: 'qr', gain: Number.MAX_VALUE });
    expect(Math.abs(fillSync('w', [1, 1], huge, { seed: 1, dtype: 'float64' }).data[0]!)).toBe(
      Number.MAX_VALUE,
    );
  });

  it('in a plan says how it is made, and has a tensor with a matrix', () => {
    const plan = (tensor: object, init: object = { kind: 'orthogonal', method: 'qr' }) => ({
      tensors: [{ name: 'w', shape: [3, 2], init, ...tensor }],
    });
    expect(parsePlan(plan({})).tensors[0]!.init).toEqual(qr);
    expect(parsePlan(plan({}, { kind: 'orthogonal' })).tensors[0]!.init).toEqual(orthogonal());
    for (const [tensor, init] of [
      [{}, { kind: 'orthogonal', method: 'QR' }],
      [{}, { kind: 'orthogonal', method: 'qr', gain: null }],
      [{}, { kind: 'orthogonal', method: 'qr', std: 1 }],
      [{ shape: [3] }, undefined],
      [{ shape: [3, 2], layout: 'IH' }, undefined],
    ] as const) {
      expect(() => parsePlan(plan(tensor, init))).toThrow(invalid('PLAN_ERROR', '/tensors/0'));
    }
  });
});
