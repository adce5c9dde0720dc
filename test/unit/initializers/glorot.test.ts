import { describe, expect, it } from 'vitest';
import { glorotNormal, glorotUniform, lawOf, varianceScaling } from '../../../src/initializers/index.js';

/** A dense layer from 1024 to 4096. */
const dense = { name: 'w', shape: [4096, 1024] };

describe('glorotUniform and glorotNormal', () => {
  it('are the laws of Keras and JAX', () => {
    const limit = Math.sqrt(6 / (1024 + 4096));
    expect(lawOf(glorotUniform(), dense)).toEqual({ kind: 'uniform', min: -limit, max: limit });
    expect(lawOf(glorotNormal(), dense)).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: Math.sqrt(2 / (1024 + 4096)),
      bounds: { sigmas: [-2, 2] },
      rescale: true,
    });
  });

  it('are special cases of varianceScaling', () => {
    for (const [initializer, distribution] of [
      [glorotUniform(), 'uniform'],
      [glorotNormal(), 'truncatedNormal'],
    ] as const) {
      const general = varianceScaling({ scale: 1, mode: 'fanAvg', distribution });
      for (const tensor of [dense, { name: 'k', shape: [3, 3, 5, 7], layout: 'HWIO' }]) {
        expect(lawOf(initializer, tensor)).toEqual(lawOf(general, tensor));
      }
    }
  });

  it('take no options', () => {
    expect(() => glorotNormal({ gain: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
    expect(() => glorotUniform({ scale: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});
