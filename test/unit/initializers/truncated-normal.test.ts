import { describe, expect, it } from 'vitest';
import { lawOf, type TruncatedNormalOptions, truncatedNormal } from '../../../src/initializers/index.js';

const tensor = { name: 'w', shape: [3] };
const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

describe('truncatedNormal', () => {
  it('writes its defaults out', () => {
    const defaults = { kind: 'truncatedNormal', mean: 0, std: 1, sigmas: [-2, 2], rescale: false };
    expect(truncatedNormal()).toEqual(defaults);
    expect(truncatedNormal({ mean: undefined, sigmas: undefined, absolute: undefined })).toEqual(defaults);
    expect(truncatedNormal({ absolute: [0, 1] })).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: 1,
      absolute: [0, 1],
      rescale: false,
    });
  });

  it('keeps the two meanings of bounds apart', () => {
    expect(lawOf(truncatedNormal({ std: 0.02, sigmas: [-3, 3], rescale: true }), tensor)).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: 0.02,
      bounds: { sigmas: [-3, 3] },
      rescale: true,
    });
    expect(lawOf(truncatedNormal({ mean: 5, std: 0.02, absolute: [-2, 2] }), tensor)).toEqual({
      kind: 'truncatedNormal',
      mean: 5,
      std: 0.02,
      bounds: { absolute: [-2, 2] },
      rescale: false,
    });
  });

  it('stores open sides as null and means infinity', () => {
    const half = truncatedNormal({ absolute: [0, POSITIVE_INFINITY] });
    expect(half).toMatchObject({ absolute: [0, null] });
    expect(lawOf(half, tensor)).toMatchObject({ bounds: { absolute: [0, POSITIVE_INFINITY] } });
    const other = truncatedNormal({ sigmas: [null, 1], rescale: true });
    expect(lawOf(other, tensor)).toMatchObject({ bounds: { sigmas: [NEGATIVE_INFINITY, 1] }, rescale: true });
  });

  it('open on both sides is the normal', () => {
    const open = truncatedNormal({ mean: 1, std: 2, sigmas: [null, POSITIVE_INFINITY], rescale: true });
    expect(lawOf(open, tensor)).toEqual({ kind: 'normal', mean: 1, std: 2 });
  });

  it('copies and freezes its bounds', () => {
    const sigmas: [number, number] = [-1, 1];
    const initializer = truncatedNormal({ sigmas });
    sigmas[0] = 9;
    expect(initializer).toMatchObject({ sigmas: [-1, 1] });
    expect('sigmas' in initializer && Object.isFrozen(initializer.sigmas)).toBe(true);
  });

  it.each<[unknown, string]>([
    [{ std: 0 }, 'truncatedNormal.std'],
    [{ std: -1 }, 'truncatedNormal.std'],
    [{ std: Number.NaN }, 'truncatedNormal.std'],
    [{ std: null }, 'truncatedNormal.std'],
    [{ mean: POSITIVE_INFINITY }, 'truncatedNormal.mean'],
    [{ sigmas: [2, -2] }, 'truncatedNormal.sigmas'],
    [{ sigmas: [1, 1] }, 'truncatedNormal.sigmas'],
    [{ sigmas: [Number.NaN, 1] }, 'truncatedNormal.sigmas'],
    [{ sigmas: [0, NEGATIVE_INFINITY] }, 'truncatedNormal.sigmas'],
    [{ sigmas: null }, 'truncatedNormal.sigmas'],
    [{ sigmas: 2 }, 'truncatedNormal.sigmas'],
    [{ absolute: [1] }, 'truncatedNormal.absolute'],
    [{ absolute: null }, 'truncatedNormal.absolute'],
    [{ sigmas: [-2, 2], absolute: [-2, 2] }, 'received both'],
    [{ absolute: [-2, 2], rescale: true }, 'rescale: false with absolute'],
    [{ rescale: 1 }, 'truncatedNormal.rescale'],
    [{ rescale: 'false' }, 'truncatedNormal.rescale'],
  ])('rejects %j', (options, text) => {
    expect(() => truncatedNormal(options as TruncatedNormalOptions)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });
});
