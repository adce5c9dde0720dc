import { describe, expect, it } from 'vitest';
import type { Activation } from '../../../src/theory/activations.js';
import { type CriticalLineOptions, criticalLine } from '../../../src/theory/critical-line.js';
import { erf } from '../../../src/theory/elementary.js';

const invalid = (text: string): unknown =>
  expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) });

describe('criticalLine at q', () => {
  const qs = [1e-3, 0.1, 1, 3, 100, 1e6];

  it.each(qs)('of erf has its closed form at q = %d', (q) => {
    // E erf(√q z)² = 2/π asin(2q/(1 + 2q)) (Williams 1997); E erf′² = 4/π / √(1 + 4q).
    const { sigmaW, sigmaB } = criticalLine('erf', { q });
    const weight = (Math.PI / 4) * Math.sqrt(1 + 4 * q);
    const bias = q - weight * (2 / Math.PI) * Math.asin((2 * q) / (1 + 2 * q));
    expect(sigmaW ** 2 / weight).toBeCloseTo(1, 12);
    expect(Math.abs(sigmaB ** 2 - bias)).toBeLessThan(1e-14 * q + 1e-11 * bias);
  });

  it.each(qs)('of sin has its closed form at q = %d', (q) => {
    // E sin² = (1 − e^−2q)/2, E cos² = (1 + e^−2q)/2.
    const { sigmaW, sigmaB } = criticalLine('sin', { q });
    const e = Math.exp(-2 * q);
    expect(sigmaW ** 2).toBeCloseTo(2 / (1 + e), 12);
    expect(Math.abs(sigmaB ** 2 - (q - (1 - e) / (1 + e)))).toBeLessThan(2e-14 * q);
  });

  it.each(qs)('of hardtanh has its closed form at q = %d', (q) => {
    // E f′² = erf(1/√(2q)) (Pennington et al. 2017, arXiv:1711.04735); E f² by parts.
    const inside = erf(1 / Math.sqrt(2 * q));
    const signal = q * inside - Math.sqrt((2 * q) / Math.PI) * Math.exp(-1 / (2 * q)) + (1 - inside);
    const { sigmaW, sigmaB } = criticalLine('hardtanh', { q });
    expect(sigmaW ** 2 * inside).toBeCloseTo(1, 10);
    expect(Math.abs(sigmaB ** 2 - (q - signal / inside))).toBeLessThan(1e-10 * q);
  });

  it.each([1e-9, 1, 1e9])('of relu is σ_w = √2, σ_b = 0 at q = %d', (q) => {
    const { sigmaW, sigmaB } = criticalLine('relu', { q });
    expect(sigmaW).toBeCloseTo(Math.SQRT2, 14);
    expect(sigmaB).toBe(0);
    expect(criticalLine('leakyRelu', { q, slope: 0.5 }).sigmaW).toBeCloseTo(Math.sqrt(2 / 1.25), 14);
  });

  // σ_w² and σ_b² by mpmath 1.3 with 20 digits.
  it.each<[Activation, number, number, number]>([
    ['tanh', 1 / 64, 1.030557510799647, 4.651333266064137e-6],
    ['tanh', 0.1, 1.177569096164601, 8.322804246863155e-4],
    ['tanh', 1, 2.15330264890279, 0.1509646293785529],
    ['selu', 1, 0.9332058017780294, 0.06679419822197055],
    ['elu', 1, 1.496777435435287, 0.0346602520092012],
    ['silu', 1, 2.635168659878962, 0.06247150022516688],
    ['gelu', 0.1, 3.300199906591614, 0.003995659854978316],
    ['gelu', 1, 2.193699903532395, 0.0671916747056337],
    ['geluTanh', 1, 2.193858816316027, 0.06718502840790555],
    ['mish', 1, 2.087317681972857, 0.0558181435514512],
    ['softsign', 1, 4.392296360822795, 0.1961481804113977],
    ['hardswish', 1, 2.789155073086203, 0.07520717356422868],
    ['relu6', 9, 2.095338452542889, 0.320236122278694],
  ])('of %s at q = %d is σ_w² = %d, σ_b² = %d', (activation, q, weight, bias) => {
    const point = criticalLine(activation, { q });
    expect(point.q).toBe(q);
    expect(point.sigmaW ** 2 / weight).toBeCloseTo(1, 10);
    expect(point.sigmaB ** 2 / bias).toBeCloseTo(1, 9);
  });

  it('has the limit of small signals at q = 0', () => {
    expect(criticalLine('tanh', { q: 0 })).toEqual({ q: 0, sigmaW: 1, sigmaB: 0 });
    expect(criticalLine('silu', { q: 0 })).toEqual({ q: 0, sigmaW: 2, sigmaB: 0 });
    const near = criticalLine('tanh', { q: 1e-9 });
    expect(near.sigmaW).toBeCloseTo(1, 8);
    expect(near.sigmaB).toBeLessThan(1e-10);
    expect(() => criticalLine('relu', { q: 0 })).toThrow(invalid('not differentiable at 0'));
    expect(() => criticalLine((x) => Math.max(0, x), { q: 0 })).toThrow(invalid('not differentiable at 0'));
    expect(() => criticalLine('relu2', { q: 0 })).toThrow(invalid('slope lets signals through'));
  });

  it.each<[Activation, number]>([
    ['sigmoid', 0],
    ['sigmoid', 1],
    ['sigmoid', 10],
    ['softplus', 4],
  ])('says that %s has no point at q = %d', (activation, q) => {
    expect(() => criticalLine(activation, { q })).toThrow(invalid('σ_b² would have to be -'));
  });
});

describe('criticalLine of functions', () => {
  it('takes their derivative, or finds it', () => {
    const { sigmaW, sigmaB } = criticalLine('tanh', { q: 1 });
    for (const derivative of [undefined, (x: number) => 1 - Math.tanh(x) ** 2]) {
      const point = criticalLine(Math.tanh, { q: 1, derivative });
      expect(point.sigmaW).toBeCloseTo(sigmaW, 9);
      expect(point.sigmaB).toBeCloseTo(sigmaB, 9);
    }
  });

  it('finds derivatives beside kinks', () => {
    for (const q of [1e-9, 1, 1e4]) {
      const point = criticalLine((x) => Math.max(0, x), { q });
      expect(point.sigmaW).toBeCloseTo(Math.SQRT2, 8);
      expect(point.sigmaB).toBe(0);
    }
    const clipped = criticalLine((x) => Math.max(-1, Math.min(1, x)), { q: 0.7 });
    expect(clipped.sigmaW).toBeCloseTo(criticalLine('hardtanh', { q: 0.7 }).sigmaW, 8);
    // A shift changes E f², not E f′²: σ_b² = q − 2·(q/2 + 2·0.1·√(q/2π) + 0.01).
    expect(() => criticalLine((x) => Math.max(0, x) + 0.1, { q: 1 })).toThrow(
      invalid('σ_b² would have to be'),
    );
  });

  it.each<[string, (y: number) => number]>([
    ['in terms of the output', (y) => 1 - y * y],
    ['of another function', () => 1],
    ['that is not finite', () => Number.NaN],
  ])('refuses a derivative %s', (_, derivative) => {
    expect(() => criticalLine(Math.tanh, { q: 1, derivative })).toThrow(invalid('derivative'));
  });

  it('refuses functions without a slope', () => {
    expect(() => criticalLine(Math.sign, { q: 1 })).toThrow(invalid('slope lets signals through'));
    expect(() => criticalLine(() => 3, { q: 1 })).toThrow(invalid('slope lets signals through'));
    expect(() => criticalLine(Math.sqrt, { q: 1 })).toThrow(invalid('received NaN'));
  });
});

describe('criticalLine at σ_b or σ_w', () => {
  // By mpmath 1.3 with 20 digits. Papers that train at these points round them: (1.76, 0.05) and (1.05, 2.01e-5).
  it.each([
    [2.01e-5, 1.049995628499039, 0.02591860274804945],
    [0.05, 1.760954639606739, 0.5700478816407641],
    [0.3, 2.505127189679763, 1.46116944693198],
  ])('of tanh at σ_b² = %d is σ_w² = %d, q = %d', (bias, weight, q) => {
    const point = criticalLine('tanh', { sigmaB: Math.sqrt(bias) });
    expect(point.sigmaB).toBe(Math.sqrt(bias));
    expect(point.sigmaW ** 2 / weight).toBeCloseTo(1, 10);
    expect(point.q / q).toBeCloseTo(1, 9);
    const back = criticalLine('tanh', { sigmaW: Math.sqrt(weight) });
    expect(back.sigmaB ** 2 / bias).toBeCloseTo(1, 8);
  });

  it.each<[Activation | ((x: number) => number), number]>([
    ['gelu', 0.4],
    ['selu', 0.3],
    ['hardtanh', 2],
    ['sigmoid', 60],
    [Math.tanh, 0.8],
  ])('of %s is where q = %d has it', (activation, q) => {
    const { sigmaW, sigmaB } = criticalLine(activation, { q });
    expect(criticalLine(activation, { sigmaB }).q / q).toBeCloseTo(1, 7);
    expect(criticalLine(activation, { sigmaW }).q / q).toBeCloseTo(1, 7);
  });

  it('is the limit of small signals where that has it', () => {
    expect(criticalLine('tanh', { sigmaB: 0 })).toEqual({ q: 0, sigmaW: 1, sigmaB: 0 });
    expect(criticalLine('tanh', { sigmaW: 1 })).toEqual({ q: 0, sigmaW: 1, sigmaB: 0 });
    // The sigmoid's has σ_b² = −4: not a point.
    expect(criticalLine('sigmoid', { sigmaB: 0 }).q).toBeGreaterThan(40);
  });

  it.each<[Activation, CriticalLineOptions, string]>([
    ['relu', { sigmaB: 0.1 }, 'has σ_b² from 0 to 0'],
    ['relu', { sigmaB: 0 }, 'choose q'],
    ['relu', { sigmaW: 1.5 }, 'received sigmaW = 1.5'],
    ['sin', { sigmaW: 1.5 }, 'it has σ_w² from 1.0'],
    ['softplus', { sigmaW: 1.5 }, 'σ_b² would have to be -'],
  ])('of %s with %o says that there is none', (activation, options, text) => {
    expect(() => criticalLine(activation, options)).toThrow(invalid(text));
  });
});

describe('criticalLine', () => {
  it.each<[unknown, unknown, string]>([
    ['tanh', {}, 'exactly one of q, sigmaW and sigmaB'],
    ['tanh', undefined, 'received none'],
    ['tanh', { q: 1, sigmaB: 1 }, 'received q and sigmaB'],
    ['tanh', { q: -1 }, 'for q'],
    ['tanh', { q: 2 ** 41 }, 'for q'],
    ['tanh', { q: Number.NaN }, 'for q'],
    ['tanh', { q: '1' }, 'for q'],
    ['tanh', { sigmaW: 0 }, 'for sigmaW'],
    ['tanh', { sigmaB: -1 }, 'for sigmaB'],
    ['tanh', { sigmaB: Number.POSITIVE_INFINITY }, 'for sigmaB'],
    ['tahn', { q: 1 }, 'did you mean "tanh"'],
    ['conv2d', { q: 1 }, 'one of linear'],
    [undefined, { q: 1 }, 'one of linear'],
    ['tanh', { q: 1, derivative: Math.cos }, 'the derivative of tanh is known'],
    [Math.tanh, { q: 1, derivative: 3 }, 'a function of x for derivative'],
    ['tanh', { q: 1, slope: 0.1 }, 'only leakyRelu has a slope'],
  ])('rejects %s with %o', (activation, options, text) => {
    expect(() => criticalLine(activation as Activation, options as CriticalLineOptions)).toThrow(
      invalid(text),
    );
  });

  it('rejects an unknown option', () => {
    expect(() => criticalLine('tanh', { sigma: 1 } as CriticalLineOptions)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION' }),
    );
  });
});
