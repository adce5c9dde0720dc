import { describe, expect, it } from 'vitest';
import { cos, erf, expm1, log1p, sigmoid, sin, tanh } from '../../../src/theory/elementary.js';

describe('elementary functions', () => {
  // mpmath 1.3 with 40 digits.
  it.each<[(x: number) => number, number, number]>([
    [expm1, 1e-9, 1.0000000005000001e-9],
    [expm1, -0.3, -0.2591817793182821],
    [expm1, 0.49, 0.632316219955379],
    [expm1, -0.5, -0.3934693402873666],
    [expm1, 2, 6.38905609893065],
    [expm1, -30, -0.9999999999999064],
    [tanh, 1e-9, 1e-9],
    [tanh, -0.2, -0.197375320224904],
    [tanh, 0.25, 0.24491866240370913],
    [tanh, 0.9, 0.7162978701990245],
    [tanh, -3, -0.9950547536867305],
    [tanh, 25, 1.0],
    [sigmoid, 0, 0.5],
    [sigmoid, -1, 0.2689414213699951],
    [sigmoid, 2.5, 0.9241418199787564],
    [sigmoid, -40, 4.248354255291589e-18],
    [sigmoid, 700, 1.0],
    [log1p, 0, 0.0],
    [log1p, 1e-12, 9.999999999995e-13],
    [log1p, 0.3, 0.26236426446749106],
    [log1p, 0.41, 0.3435897043900769],
    [log1p, 0.42, 0.35065687161316933],
    [log1p, 1, Math.LN2],
    [erf, 1e-9, 1.1283791670955127e-9],
    [erf, 0.3, 0.3286267594591274],
    [erf, -1.7, -0.9837904585907745],
    [erf, 2.49, 0.9995707121322661],
    [erf, 2.51, 0.9996142945182758],
    [erf, -4, -0.9999999845827421],
    [erf, 7, 1.0],
    [sin, 1e-9, 1e-9],
    [sin, 0.7, 0.644217687237691],
    [sin, 0.8, 0.7173560908995228],
    [sin, -2, -0.9092974268256817],
    [sin, 4, -0.7568024953079282],
    [sin, 100.5, -0.030959966783271346],
    [sin, -12345.678, 0.7040813137533816],
    [cos, 0, 1.0],
    [cos, 0.7, 0.7648421872844885],
    [cos, 0.8, 0.6967067093471654],
    [cos, -2, -0.4161468365471424],
    [cos, 4, -0.6536436208636119],
    [cos, 100.5, 0.9995206253283515],
    [cos, -12345.678, 0.7101193587160628],
  ])('%o of %d', (f, x, value) => {
    expect(Math.abs(f(x) - value)).toBeLessThanOrEqual(2e-15 * Math.abs(value));
  });

  it('have no steps where one formula takes over from another', () => {
    for (const [f, at] of [
      [expm1, 0.5],
      [expm1, -0.5],
      [tanh, 22],
      [log1p, 0.4142135623730951],
      [erf, 2.5],
      [erf, -2.5],
      [sin, Math.PI / 4],
      [cos, Math.PI / 4],
    ] as const) {
      const [before, after] = [f(at - 1e-12), f(at + 1e-12)];
      expect(Math.abs(after - before)).toBeLessThan(4e-12);
    }
  });

  it('agree with Math over their ranges', () => {
    for (let x = -30; x <= 30; x += 0.0371) {
      expect(tanh(x)).toBeCloseTo(Math.tanh(x), 14);
      expect(sin(x)).toBeCloseTo(Math.sin(x), 14);
      expect(cos(x)).toBeCloseTo(Math.cos(x), 14);
      expect(sigmoid(x)).toBeCloseTo(1 / (1 + Math.exp(-x)), 14);
      expect(expm1(x) / Math.expm1(x)).toBeCloseTo(1, 14);
    }
    for (let x = 0.001; x <= 1; x += 0.00371) expect(log1p(x) / Math.log1p(x)).toBeCloseTo(1, 14);
  });

  it('keep their limits', () => {
    expect([tanh(1e300), tanh(-1e300), erf(1e300), erf(-1e300)]).toEqual([1, -1, 1, -1]);
    expect([sigmoid(1e300), sigmoid(-1e300)]).toEqual([1, 0]);
    expect(sin(1e6)).toBeCloseTo(-0.34999350217129294, 14);
  });
});
