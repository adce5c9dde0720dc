import { describe, expect, it } from 'vitest';
import {
  heUniform,
  type KaimingOptions,
  kaimingNormal,
  kaimingUniform,
  lawOf,
} from '../../../src/initializers/index.js';

/** A 3×3 convolution from 128 to 512 channels: fans 1152 and 4608. */
const conv = { name: 'w', shape: [512, 128, 3, 3] };

describe('kaimingUniform and kaimingNormal', () => {
  // gain/√fan with the gain of torch.nn.init.calculate_gain(nonlinearity, a).
  it.each<[KaimingOptions, number]>([
    [{}, Math.sqrt(2) / Math.sqrt(1152)],
    [{ mode: 'fanOut' }, Math.sqrt(2) / Math.sqrt(4608)],
    [{ mode: 'fanOut', nonlinearity: 'relu' }, Math.sqrt(2) / Math.sqrt(4608)],
    [{ a: 0.2 }, Math.sqrt(2 / 1.04) / Math.sqrt(1152)],
    [{ a: -0.2 }, Math.sqrt(2 / 1.04) / Math.sqrt(1152)],
    [{ nonlinearity: 'linear' }, 1 / Math.sqrt(1152)],
    [{ nonlinearity: 'tanh' }, 5 / 3 / Math.sqrt(1152)],
    [{ nonlinearity: 'selu' }, 0.75 / Math.sqrt(1152)],
    [{ mode: 'fanAvg' }, Math.sqrt(2) / Math.sqrt(2880)],
  ])('%j has std %d', (options, std) => {
    expect(lawOf(kaimingNormal(options), conv)).toEqual({
      kind: 'normal',
      mean: 0,
      std: expect.closeTo(std, 15),
    });
    const max = Math.sqrt(3) * std;
    expect(lawOf(kaimingUniform(options), conv)).toEqual({
      kind: 'uniform',
      min: expect.closeTo(-max, 15),
      max: expect.closeTo(max, 15),
    });
  });

  it('with a = √5 is the default of torch.nn.Linear, ±1/√fanIn', () => {
    const law = lawOf(kaimingUniform({ a: Math.sqrt(5) }), { name: 'w', shape: [10, 400] });
    expect(law).toMatchObject({ kind: 'uniform', max: expect.closeTo(0.05, 15) });
  });

  it('agrees with He to the bit by default', () => {
    expect(lawOf(kaimingUniform(), conv)).toEqual(lawOf(heUniform(), conv));
    expect(lawOf(kaimingUniform({ nonlinearity: 'relu' }), conv)).toEqual(lawOf(heUniform(), conv));
  });

  it('writes its defaults out', () => {
    const defaults = { a: 0, mode: 'fanIn', nonlinearity: 'leakyRelu' };
    expect(kaimingNormal()).toEqual({ kind: 'kaimingNormal', ...defaults });
    expect(kaimingUniform()).toEqual({ kind: 'kaimingUniform', ...defaults });
  });

  it.each<[unknown, string]>([
    [{ a: Number.NaN }, '.a'],
    [{ a: 1e151 }, '.a'],
    [{ a: null }, '.a'],
    [{ a: 0.1, nonlinearity: 'relu' }, 'slope of leakyRelu'],
    [{ mode: 'fan_out' }, 'did you mean "fanOut"'],
    [{ mode: null }, '.mode'],
    [{ nonlinearity: 'leaky_relu' }, 'did you mean "leakyRelu"'],
    [{ nonlinearity: 'constructor' }, '.nonlinearity'],
    [{ nonlinearity: null }, '.nonlinearity'],
  ])('rejects %j', (options, text) => {
    for (const factory of [kaimingUniform, kaimingNormal]) {
      expect(() => factory(options as KaimingOptions)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
      );
    }
  });
});
