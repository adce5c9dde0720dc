import { describe, expect, it } from 'vitest';
import {
  glorotUniform,
  lawOf,
  type XavierOptions,
  xavierNormal,
  xavierUniform,
} from '../../../src/initializers/index.js';

const dense = { name: 'w', shape: [300, 100] };

describe('xavierUniform and xavierNormal', () => {
  it('are the laws of torch.nn.init', () => {
    const uniform = lawOf(xavierUniform({ gain: 5 / 3 }), dense);
    const limit = (5 / 3) * Math.sqrt(6 / 400);
    expect(uniform).toEqual({
      kind: 'uniform',
      min: expect.closeTo(-limit, 14),
      max: expect.closeTo(limit, 14),
    });
    const std = (5 / 3) * Math.sqrt(2 / 400);
    expect(lawOf(xavierNormal({ gain: 5 / 3 }), dense)).toEqual({
      kind: 'normal',
      mean: 0,
      std: expect.closeTo(std, 14),
    });
  });

  it('agree with Glorot to the bit at gain 1', () => {
    for (const shape of [dense.shape, [7, 11], [64, 3, 7, 7]]) {
      const tensor = { name: 'w', shape };
      expect(lawOf(xavierUniform(), tensor)).toEqual(lawOf(glorotUniform(), tensor));
    }
  });

  it('write gain 1 out', () => {
    expect(xavierUniform()).toEqual({ kind: 'xavierUniform', gain: 1 });
    expect(xavierNormal({})).toEqual({ kind: 'xavierNormal', gain: 1 });
  });

  it('of gain 0 are 0', () => {
    expect(lawOf(xavierUniform({ gain: 0 }), dense)).toEqual({ kind: 'constant', value: 0 });
    expect(lawOf(xavierNormal({ gain: 0 }), dense)).toEqual({ kind: 'constant', value: 0 });
  });

  it('are finite at the largest gain', () => {
    const law = lawOf(xavierUniform({ gain: 1e150 }), { name: 'w', shape: [1, 1] });
    expect(law.kind === 'uniform' && Number.isFinite(law.max)).toBe(true);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e151, null, '1'])('reject gain %s', (gain) => {
    for (const factory of [xavierUniform, xavierNormal]) {
      expect(() => factory({ gain } as XavierOptions)).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringMatching(/xavier\w+\.gain/),
        }),
      );
    }
  });
});
