import { describe, expect, it } from 'vitest';
import { GAIN_ACTIVATIONS, type GainActivation, gain, gainSquared } from '../../src/gain.js';

describe('gain', () => {
  // What torch.nn.init.calculate_gain returns, activation by activation.
  it.each<[GainActivation, number | undefined, number]>([
    ['linear', undefined, 1],
    ['conv1d', undefined, 1],
    ['conv2d', undefined, 1],
    ['conv3d', undefined, 1],
    ['convTranspose1d', undefined, 1],
    ['convTranspose2d', undefined, 1],
    ['convTranspose3d', undefined, 1],
    ['sigmoid', undefined, 1],
    ['tanh', undefined, 1.6666666666666667],
    ['relu', undefined, Math.SQRT2],
    ['leakyRelu', undefined, 1.4141428569978354],
    ['leakyRelu', 0.2, 1.3867504905630728],
    ['leakyRelu', 0, Math.SQRT2],
    ['leakyRelu', -0.2, 1.3867504905630728],
    ['selu', undefined, 0.75],
  ])('of %s (%s) is %d', (activation, param, value) => {
    expect(gain(activation, param)).toBe(value);
  });

  it('squares exactly where the gain is irrational', () => {
    expect(gainSquared('relu')).toBe(2);
    expect(gainSquared('leakyRelu', 1)).toBe(1);
  });

  it('is finite and positive for every activation and extreme slopes', () => {
    for (const activation of GAIN_ACTIVATIONS) expect(gain(activation)).toBeGreaterThan(0);
    expect(gain('leakyRelu', 1e150)).toBeGreaterThan(0);
  });

  it.each([
    ['leaky_relu', 'did you mean "leakyRelu"'],
    ['ReLU', 'did you mean "relu"'],
    ['tahn', 'did you mean "tanh"'],
    ['__proto__', 'one of linear'],
    [undefined, 'one of linear'],
    [3, 'one of linear'],
  ])('rejects %s', (activation, text) => {
    expect(() => gain(activation as GainActivation)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) }),
    );
  });

  it.each([
    ['leakyRelu', Number.NaN],
    ['leakyRelu', Number.POSITIVE_INFINITY],
    ['leakyRelu', 1e151],
    ['leakyRelu', null],
    ['relu', 0.2],
    ['relu', 0],
    ['tanh', 1],
  ])('rejects %s with parameter %s', (activation, param) => {
    expect(() => gain(activation as GainActivation, param as number)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});
