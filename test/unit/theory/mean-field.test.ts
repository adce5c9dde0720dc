import { describe, expect, it } from 'vitest';
import { criticalLine } from '../../../src/theory/critical-line.js';
import { type MeanFieldOptions, meanField } from '../../../src/theory/mean-field.js';

const invalid = (text: string): unknown =>
  expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(text) });

describe('meanField', () => {
  // q, χ and V′(q) by mpmath 1.3 with 20 digits: order, chaos, and next to the edge between them.
  it.each([
    [1.3, 0.05, 0.3153164774852913, 0.8801635098832167, 0.57112348462023],
    [2.5, 0.05, 1.063958377416812, 1.133515698704272, 0.42846385094644],
    [1.76, 0.05, 0.5694628398517763, 0.9997964242037352, 0.51831495231476],
  ])('of tanh at σ_w² = %d, σ_b² = %d has q = %d, χ = %d', (weight, bias, q, chi, slope) => {
    const field = meanField('tanh', { sigmaW: Math.sqrt(weight), sigmaB: Math.sqrt(bias) });
    expect(field.q).toBeCloseTo(q, 11);
    expect(field.chi).toBeCloseTo(chi, 11);
    expect(field.depthScale * Math.abs(Math.log(chi))).toBeCloseTo(1, 8);
    expect(field.varianceDepthScale * -Math.log(slope)).toBeCloseTo(1, 8);
  });

  it.each(['tanh', 'erf', 'gelu', 'hardtanh', 'relu6'] as const)(
    'has χ = 1 on the critical line of %s',
    (name) => {
      const { q, sigmaW, sigmaB } = criticalLine(name, { q: 1 });
      const field = meanField(name, { sigmaW, sigmaB });
      expect(field.q).toBeCloseTo(q, 9);
      expect(field.chi).toBeCloseTo(1, 9);
      expect(field.depthScale).toBeGreaterThan(1e8);
    },
  );

  it('of relu: χ = σ_w²/2, and q = σ_b²/(1 − σ_w²/2)', () => {
    const field = meanField('relu', { sigmaW: 1.2, sigmaB: 0.5 });
    expect(field.chi).toBeCloseTo(0.72, 12);
    expect(field.q).toBeCloseTo(0.25 / 0.28, 12);
    expect(field.depthScale).toBeCloseTo(-1 / Math.log(0.72), 10);
    expect(field.varianceDepthScale).toBeCloseTo(-1 / Math.log(0.72), 10);
    expect(meanField('relu', { sigmaW: Math.SQRT2 })).toMatchObject({ q: 1 });
    expect(meanField('relu', { sigmaW: 1.2 })).toMatchObject({ q: 0 });
    expect(() => meanField('relu', { sigmaW: 1.5 })).toThrow(invalid('without bound'));
    expect(meanField('leakyRelu', { sigmaW: 1, slope: 0.5 }).chi).toBeCloseTo(0.625, 12);
  });

  it('of selu has the fixed point of self-normalizing networks', () => {
    // Klambauer et al. 2017: variance 1 is stable.
    const { q, varianceDepthScale } = meanField('selu', { sigmaW: 1 });
    expect(q).toBeCloseTo(1, 10);
    expect(varianceDepthScale).toBeLessThan(10);
  });

  it('finds that signals die out', () => {
    const { q, chi } = meanField('tanh', { sigmaW: Math.sqrt(0.5) });
    expect(q).toBe(0);
    expect(chi).toBeCloseTo(0.5, 12);
    expect(meanField(Math.tanh, { sigmaW: 0.5 }).q).toBe(0);
  });

  it('follows real layers', () => {
    // The fixed point is where repeating V leads.
    const { q } = meanField('sigmoid', { sigmaW: 3, sigmaB: 0.2 });
    const points = Array.from({ length: 4001 }, (_, i) => -8 + i / 250);
    let variance = 1;
    for (let layer = 0; layer < 200; layer++) {
      let sum = 0;
      for (const z of points) sum += Math.exp(-0.5 * z * z) / (1 + Math.exp(-Math.sqrt(variance) * z)) ** 2;
      variance = (9 * sum) / 250 / Math.sqrt(2 * Math.PI) + 0.04;
    }
    expect(q).toBeCloseTo(variance, 9);
  });

  it.each<[unknown, string]>([
    [undefined, 'for sigmaW'],
    [{ sigmaW: 0 }, 'for sigmaW'],
    [{ sigmaW: 1, sigmaB: -1 }, 'for sigmaB'],
    [{ sigmaW: 1, slope: 1 }, 'only leakyRelu'],
  ])('rejects the options %o', (options, text) => {
    expect(() => meanField('tanh', options as MeanFieldOptions)).toThrow(invalid(text));
  });

  it('rejects an unknown option', () => {
    expect(() => meanField('tanh', { sigmaw: 1 } as unknown as MeanFieldOptions)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('"sigmaW"') }),
    );
  });
});
