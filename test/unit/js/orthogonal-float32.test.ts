// The fast loops against `fma32` term by term, on numbers for which rounding twice is wrong.
import { describe, expect, it } from 'vitest';
import { fma32 } from '../../../src/js/fma.js';
import { float32Arithmetic as loops } from '../../../src/js/orthogonal-float32.js';

type Fused = typeof fma32;
const twice: Fused = (a, b, c) => Math.fround(a * b + c);

/** A small linear congruential generator: inputs of the test, not weights. */
class Random {
  private state = 12345;
  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }
  /** A float32 of random sign in [1/2, 2). */
  value(): number {
    const x = Math.fround(0.5 + 1.5 * this.next());
    return this.next() < 0.5 ? -x : x;
  }
}

/** Numbers [a, b] whose product is half a unit in the last place of what `start` returns, and a hair, or less a hair. */
type Hairs = readonly (readonly [a: number, b: number])[];

interface Size {
  readonly hairs: Hairs;
  start(random: Random): number;
}

const hairs = (a: number, b: number): Hairs => [
  [(1 + 2 ** -23) * a, (1 - 2 ** -23) * b],
  [(1 + 2 ** -12) * a, (1 - 2 ** -12) * b],
  [(1 + 2 ** -20) * a, (1 + 2 ** -20) * b],
];

/** The unit of 1 is 2^-23. */
const ORDINARY: Size = { hairs: hairs(1, 2 ** -24), start: (random) => random.value() };

/** The unit of 2^-127, a subnormal of 23 bits, is 2^-149. Odd, so that ties go the other way. */
const SUBNORMAL: Size = {
  hairs: hairs(2 ** -24, 2 ** -126),
  start: (random) => (2 ** 22 + 2 * Math.floor(2 ** 19 * random.next()) + 1) * 2 ** -149,
};

interface Case {
  readonly count: number;
  readonly columns: number;
  readonly rows: number;
}
const CASES: readonly Case[] = [2, 3, 4, 5, 8, 64].flatMap((count) =>
  [1, 2, 3, 4].flatMap((columns) => [4, 8, 64].map((rows) => ({ count, columns, rows }))),
);

/** Whether two results are of the same bits everywhere. */
const same = (a: Float64Array, b: Float64Array): boolean => a.every((x, i) => Object.is(x, b[i]!));

/** In how many of the cases `run` gives other bits with loops that round twice. Where they round once, it must not. */
function differences(run: (options: Case, fused: Fused | undefined) => Float64Array): number {
  let different = 0;
  for (const options of CASES) {
    const fast = run(options, undefined);
    expect(same(fast, run(options, fma32)), JSON.stringify(options)).toBe(true);
    if (!same(fast, run(options, twice))) different++;
  }
  return different;
}

const STRIDE = 64;
const WIDTH = 4;

function dot({ hairs, start }: Size) {
  return ({ count, columns, rows }: Case, fused: Fused | undefined): Float64Array => {
    const random = new Random();
    const v = new Float32Array(rows * STRIDE);
    const y = new Float64Array(rows * WIDTH);
    for (let r = 0; r < rows; r++) {
      const [a, b] = hairs[r % 3]!;
      for (let i = 0; i < count; i++) v[r * STRIDE + i] = r === 0 ? 1 : i % 2 ? a : -a;
      for (let s = 0; s < columns; s++) y[r * WIDTH + s] = r === 0 ? start(random) : b;
    }
    const sums = new Float64Array(STRIDE * WIDTH);
    if (fused === undefined) {
      loops.dot(v, 0, STRIDE, count, y, 0, WIDTH, columns, rows, sums, 0);
      loops.dot(v, 0, STRIDE, count, y, 0, WIDTH, columns, rows, sums, 0);
    } else {
      for (let i = 0; i < count; i++) {
        for (let s = 0; s < columns; s++) {
          let sum = 0;
          for (let r = 0; r < rows; r++) sum = fused(v[r * STRIDE + i]!, y[r * WIDTH + s]!, sum);
          sums[i * WIDTH + s] = Math.fround(sum + sum);
        }
      }
    }
    // What is beside the sums asked for is nobody's.
    return sums.map((x, at) => (at < count * WIDTH && at % WIDTH < columns ? x : 0));
  };
}

function update({ hairs, start }: Size) {
  return ({ count, columns, rows }: Case, fused: Fused | undefined): Float64Array => {
    const random = new Random();
    const v = new Float32Array(rows * STRIDE);
    const y = new Float64Array(rows * WIDTH);
    const z = new Float64Array(STRIDE * WIDTH);
    for (let i = 0; i < count; i++) {
      const [a, b] = hairs[i % 3]!;
      for (let r = 0; r < rows; r++) v[r * STRIDE + i] = r % 2 ? a : -a;
      for (let s = 0; s < columns; s++) z[i * WIDTH + s] = s % 2 ? b : -b;
    }
    for (let r = 0; r < rows; r++) for (let s = 0; s < columns; s++) y[r * WIDTH + s] = start(random);
    if (fused === undefined) {
      loops.update(v, 0, STRIDE, count, y, 0, WIDTH, columns, rows, count, z, 0);
    } else {
      for (let r = 0; r < rows; r++) {
        for (let s = 0; s < columns; s++) {
          const at = r * WIDTH + s;
          for (let i = 0; i < count; i++) y[at] = fused(v[r * STRIDE + i]!, z[i * WIDTH + s]!, y[at]!);
        }
      }
    }
    return y;
  };
}

function solve({ hairs, start }: Size) {
  return ({ count, columns }: Case, fused: Fused | undefined): Float64Array => {
    const random = new Random();
    const u = new Float64Array(64 * STRIDE);
    const rhos = Float64Array.from({ length: count }, (_, j) => (j === count - 1 ? 1 : 0.5));
    const sums = new Float64Array(STRIDE * WIDTH);
    const last = count - 1;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) u[64 * j + i] = j === last ? hairs[i % 3]![0] : random.value();
      for (let s = 0; s < columns; s++) sums[i * WIDTH + s] = i === last ? hairs[s % 3]![1] : start(random);
    }
    if (fused === undefined) {
      loops.solve(u, 0, true, rhos, 0, count, sums, 0, WIDTH, columns);
    } else {
      for (let s = 0; s < columns; s++) {
        for (let i = last; i >= 0; i--) {
          const at = i * WIDTH + s;
          for (let j = last; j > i; j--) sums[at] = fused(u[64 * j + i]!, sums[j * WIDTH + s]!, sums[at]!);
          sums[at] = -Math.fround(sums[at]! * rhos[i]!);
        }
      }
    }
    return sums;
  };
}

describe.each([
  ['dot', dot],
  ['update', update],
  ['solve', solve],
] as const)('%s', (_, of) => {
  it('rounds once where rounding twice is wrong', () => {
    expect(differences(of(ORDINARY))).toBeGreaterThan(CASES.length / 2);
  });

  it('rounds once to a subnormal', () => {
    expect(differences(of(SUBNORMAL))).toBeGreaterThan(CASES.length / 2);
  });
});

it('rounds once to a subnormal that turns up on the way', () => {
  // Row 1: 1 − 1 leaves 0, and then come a subnormal and half a unit of it and a hair, from numbers of common size.
  const subnormal = (2 ** 22 + 1) * 2 ** -149;
  const [a, b] = SUBNORMAL.hairs[0]!;
  const u = new Float64Array(64 * STRIDE);
  u[64 * 4 + 1] = 1;
  u[64 * 3 + 1] = 1;
  u[64 * 2 + 1] = a;
  const rhos = Float64Array.of(1, 1, 2 ** -80, 2 ** -80, 1);
  const sums = new Float64Array(STRIDE * WIDTH);
  for (const [i, x] of [1, 1, b * 2 ** 80, subnormal * 2 ** 80, 1].entries()) sums.fill(x, 4 * i, 4 * i + 4);
  loops.solve(u, 0, true, rhos, 0, 5, sums, 0, WIDTH, 4);
  expect(Array.from(sums.subarray(4, 8))).toEqual(new Array(4).fill(fma32(a, b, subnormal)));
  expect(twice(a, b, subnormal)).not.toBe(fma32(a, b, subnormal));
});

it('says which products are safe from subnormals', () => {
  const u = Float64Array.of(0, 1, -(2 ** -24), 2 ** -25);
  expect(loops.isOrdinary(u, 0, 3)).toBe(true);
  expect(loops.isOrdinary(u, 0, 4)).toBe(false);
  expect(loops.isOrdinary(u, 2, 2)).toBe(false);
});
