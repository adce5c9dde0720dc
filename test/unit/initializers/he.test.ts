import { describe, expect, it } from 'vitest';
import { heNormal, heUniform, lawOf, varianceScaling } from '../../../src/initializers/index.js';

/** A dense layer from 1024 to 4096. */
const dense = { name: 'w', shape: [4096, 1024] };

describe('heUniform and heNormal', () => {
  it('are the laws of Keras and JAX', () => {
    const limit = Math.sqrt(6 / 1024);
    expect(lawOf(heUniform(), dense)).toEqual({ kind: 'uniform', min: -limit, max: limit });
    expect(lawOf(heNormal(), dense)).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: Math.sqrt(2 / 1024),
      bounds: { sigmas: [-2, 2] },
      rescale: true,
    });
  });

  it('are special cases of varianceScaling', () => {
    for (const [initializer, distribution] of [
      [heUniform(), 'uniform'],
      [heNormal(), 'truncatedNormal'],
    ] as const) {
      const general = varianceScaling({ scale: 2, mode: 'fanIn', distribution });
      for (const tensor of [dense, { name: 'k', shape: [3, 3, 5, 7], layout: 'HWIO' }]) {
        expect(lawOf(initializer, tensor)).toEqual(lawOf(general, tensor));
      }
    }
  });

  it('take no options', () => {
    expect(() => heNormal({ gain: 2 } as never)).toThrow(expect.objectContaining({ code: 'UNKNOWN_OPTION' }));
    expect(() => heUniform({ scale: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});
