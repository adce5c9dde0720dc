import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { QUANTILE_TABLE_SIZE, quantile32, quantile64 } from '../../../src/js/quantile.js';
import { NormalWindow } from '../../../src/quantile/normal-law.js';
import { quantileTable } from '../../../src/quantile/table.js';
import * as precise from '../../../tools/high-precision.mjs';

const INF = Number.POSITIVE_INFINITY;

/** Words spread over both sides, all octaves, and the ends. */
function* numbers(): Generator<[number, number]> {
  for (let shift = 0; shift < 63; shift++) {
    for (const jitter of [0n, 0x5555555555555555n, 0x123456789abcdefn]) {
      const n = (1n << BigInt(shift)) | (jitter & ((1n << BigInt(shift)) - 1n));
      yield [Number(n >> 32n) | 0, Number(n & 0xffffffffn) | 0];
      const mirrored = ~n & 0xffffffffffffffffn;
      yield [Number(mirrored >> 32n) | 0, Number(mirrored & 0xffffffffn) | 0];
    }
  }
  yield [0, 0];
  yield [-1, -1];
}

/** (high·2^32 + low + 1/2)·2^-64 in fixed point. */
function probability(high: number, low: number): bigint {
  const n = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return (2n * n + 1n) << (precise.FRACTION_BITS - 65n);
}

describe('quantileTable', () => {
  it('is the inverse normal CDF to 3e-15, up to 9.1 σ', () => {
    const table = quantileTable(-INF, INF);
    let worst = 0;
    for (const [high, low] of numbers()) {
      const p = probability(high, low);
      const truth = p * 2n > precise.ONE ? -precise.inverseCdf(precise.ONE - p) : precise.inverseCdf(p);
      worst = Math.max(worst, Math.abs(quantile64(high, low, table) - precise.toNumber(truth)));
    }
    expect(worst).toBeLessThan(3e-15);
    expect(quantile64(0, 0, table)).toBeCloseTo(-9.155, 3);
  });

  it.each([
    [-2, 2],
    [-1, 3],
    [0.5, 0.75],
    [3, 3.5],
    [-7, -6],
    [-1e-5, 2e-5],
    [2, 9],
  ])('inverts the CDF of the normal truncated to [%d, %d]', (lower, upper) => {
    const table = quantileTable(lower, upper);
    const [low, high] = [precise.fromNumber(lower), precise.fromNumber(upper)];
    const total = precise.cdf(high) - precise.cdf(low);
    for (const [a, b] of numbers()) {
      const x = quantile64(a, b, table);
      // How far the point is from where it should be: mass missing over density.
      const mass =
        precise.cdf(precise.fromNumber(x)) - precise.cdf(low) - precise.mul(total, probability(a, b));
      const error = Math.abs(precise.toNumber(precise.div(mass, precise.density(precise.fromNumber(x)))));
      expect(error, `${a}, ${b}`).toBeLessThan(2e-15 * Math.max(1, Math.abs(x)));
    }
  });

  it('is exponential at 1000 σ', () => {
    const table = quantileTable(1000, INF);
    for (const word of [1 << 20, 1 << 28, 0x7fffffff, -(1 << 20)]) {
      const u = ((word >>> 0) + 0.5) / 2 ** 32;
      const excess = (quantile32(word, table) - 1000) * 1000;
      expect(excess / -Math.log1p(-u)).toBeCloseTo(1, 4);
    }
  });

  it('keeps to any window, at the ends and in between, and never falls', () => {
    for (const [lower, upper] of [
      [-2, 2],
      [8, 9],
      [8, INF],
      [-INF, -30],
      [0.1, 0.1001],
      [1e6, INF],
      [-50, 60],
      [1e15, 2e15],
    ] as const) {
      const table = quantileTable(lower, upper);
      const points = Array.from({ length: 4096 }, (_, n) =>
        quantile64((n << 20) | (n * 77), n * 12345, table),
      );
      const slack = 4e-16 * Math.max(Math.abs(lower === -INF ? upper : lower), 1);
      expect(Math.min(...points)).toBeGreaterThanOrEqual(lower - slack);
      expect(Math.max(...points)).toBeLessThanOrEqual(upper + slack);
      const falls = points.filter((x, n) => n > 0 && x < points[n - 1]! - slack);
      expect(falls).toEqual([]);
    }
  });

  it('agrees with itself at 32 bits and mirrors exactly', () => {
    const table = quantileTable(-INF, INF);
    for (const word of [0, 1, 5, 1000, 123456789, 0x7fffffff]) {
      expect(quantile32(~word, table)).toBe(-quantile32(word, table));
    }
    const window = new NormalWindow(-1, 2);
    expect(quantile32(0x7fffffff, quantileTable(-1, 2))).toBeCloseTo(
      quantile32(-0x80000000, quantileTable(-1, 2)),
      8,
    );
    expect(window.mode).toBe(0);
  });

  // The tables are part of stream version 1: on every engine they must come out to the bit.
  it.each([
    [-INF, INF, '954b65cd069ca1f2'],
    [-2, 2, '5f04ed7cf18bcb94'],
    [8, INF, '1c40b6365dba5b18'],
    [0.25, 0.375, 'db6d74554f38dc0b'],
  ])('is bit for bit the same on every engine: [%d, %d]', (lower, upper, digest) => {
    const table = quantileTable(lower, upper);
    expect(table.length).toBe(QUANTILE_TABLE_SIZE);
    expect(createHash('sha256').update(new Uint8Array(table.buffer)).digest('hex').slice(0, 16)).toBe(digest);
  });
});
