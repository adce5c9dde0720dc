import { describe, expect, it } from 'vitest';
import { fma32 } from '../../../src/js/fma.js';

/** a·b + c in integers, rounded once to float32, ties to even. */
function exactFma(a: number, b: number, c: number): number {
  const SCALE = 300n; // float32 · float32 has no bit below 2^-298
  const parts = (x: number): bigint => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, x);
    const high = view.getUint32(0);
    const exponent = (high >>> 20) & 0x7ff;
    if (exponent === 0) return 0n;
    const mantissa = (BigInt((high & 0xfffff) | 0x100000) << 32n) | BigInt(view.getUint32(4));
    const shift = BigInt(exponent - 1075) + SCALE + 1100n;
    const value = mantissa << shift;
    return high >>> 31 ? -value : value;
  };
  const one = SCALE + 1100n;
  const exact = ((parts(a) * parts(b)) >> one) + parts(c);
  if (exact === 0n) return a * b + c;
  const magnitude = exact < 0n ? -exact : exact;
  const length = BigInt(magnitude.toString(2).length);
  const smallestUnit = one - 149n;
  const unit = length - 24n > smallestUnit ? length - 24n : smallestUnit;
  let rounded = magnitude >> unit;
  const rest = magnitude - (rounded << unit);
  const half = 1n << (unit - 1n);
  if (rest > half || (rest === half && rounded & 1n)) rounded += 1n;
  const value = Number(rounded) * 2 ** Number(unit - one);
  return exact < 0n ? -value : value;
}

/** A small linear congruential generator: inputs of the test, not weights. */
function* floats(count: number, spread: number): Generator<number> {
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state;
  };
  for (let i = 0; i < count; i++) {
    const mantissa = 1 + (next() >>> 9) / 2 ** 23;
    yield (next() & 0x10000 ? -1 : 1) * mantissa * 2 ** ((next() % spread) - (spread >> 1));
  }
}

describe('fma32', () => {
  it.each([4, 30, 100])('rounds once, exponents spread over %i', (spread) => {
    const inputs = [...floats(6000, spread)];
    for (let i = 0; i + 2 < inputs.length; i += 3) {
      const [a, b, c] = inputs.slice(i, i + 3) as [number, number, number];
      expect(fma32(a, b, c), `${a} * ${b} + ${c}`).toBe(exactFma(a, b, c));
    }
  });

  it('is right where rounding twice is wrong', () => {
    let twice = 0;
    // c + tie + a hair: the float64 sum drops the hair and looks like a tie.
    for (let i = 0; i < 200; i++) {
      const c = 1 + i * 2 ** -23;
      for (const [a, b] of [
        [1 + 2 ** -23, (1 - 2 ** -23) * 2 ** -24],
        [1 + 2 ** -12, (1 - 2 ** -12) * 2 ** -24],
        [-(1 + 2 ** -20), (1 - 2 ** -20) * 2 ** -24],
      ] as const) {
        const truth = exactFma(a, b, c);
        if (Math.fround(a * b + c) !== truth) twice++;
        expect(fma32(a, b, c)).toBe(truth);
        expect(fma32(-a, b, -c)).toBe(-truth);
      }
    }
    expect(twice).toBeGreaterThan(100); // else this test proves nothing
  });

  it('rounds subnormal results once', () => {
    const tiny = [...floats(900, 8)];
    for (let i = 0; i + 2 < tiny.length; i += 3) {
      const [a, b, c] = [tiny[i]!, tiny[i + 1]! * 2 ** -140, tiny[i + 2]! * 2 ** -133].map(Math.fround) as [
        number,
        number,
        number,
      ];
      expect(fma32(a, b, c)).toBe(exactFma(a, b, c));
    }
    const half = 2 ** -150; // half the smallest float32
    expect(fma32(2 ** -75, 2 ** -75, 0)).toBe(0); // a true tie, to even
    expect(fma32(2 ** -75 * (1 + 2 ** -23), 2 ** -75, 0)).toBe(2 * half);
  });
});
