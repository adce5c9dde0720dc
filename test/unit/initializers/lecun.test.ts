import { describe, expect, it } from 'vitest';
import { lawOf, lecunNormal, lecunUniform, varianceScaling } from '../../../src/initializers/index.js';

/** A dense layer from 1024 to 4096. */
const dense = { name: 'w', shape: [4096, 1024] };

describe('lecunUniform and lecunNormal', () => {
  it('are the laws of Keras and JAX', () => {
    const limit = Math.sqrt(3 / 1024);
    expect(lawOf(lecunUniform(), dense)).toEqual({ kind: 'uniform', min: -limit, max: limit });
    expect(lawOf(lecunNormal(), dense)).toEqual({
      kind: 'truncatedNormal',
      mean: 0,
      std: Math.sqrt(1 / 1024),
      bounds: { sigmas: [-2, 2] },
      rescale: true,
    });
  });

  it('are special cases of varianceScaling', () => {
    for (const [initializer, distribution] of [
      [lecunUniform(), 'uniform'],
      [lecunNormal(), 'truncatedNormal'],
    ] as const) {
      const general = varianceScaling({ scale: 1, mode: 'fanIn', distribution });
      for (const tensor of [dense, { name: 'k', shape: [3, 3, 5, 7], layout: 'HWIO' }]) {
        expect(lawOf(initializer, tensor)).toEqual(lawOf(general, tensor));
      }
    }
  });

  it('take no options', () => {
    expect(() => lecunNormal({ gain: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
    expect(() => lecunUniform({ scale: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});
