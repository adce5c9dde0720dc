// fillOrthogonal against docs/adr/0008-orthogonal.md written down naively: one column, one term at a time.
import { constants } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { type DType, dtypeInfo, type TensorArray } from '../../../src/dtype.js';
import type { ElementPrimitive, OrthogonalRequest, Region } from '../../../src/job.js';
import { fillRange } from '../../../src/js/fill.js';
import { fma32 } from '../../../src/js/fma.js';
import { fillOrthogonal } from '../../../src/js/orthogonal.js';
import { toBFloat16, toFloat16 } from '../../../src/js/round.js';
import { lowerLaw } from '../../../src/lower.js';

type Parts = OrthogonalRequest['parts'];

/** `shape[0]`, or 1 if left out, matrices, by default all of them as their columns are stored. */
function request(shape: readonly number[], dtype: DType, options: { parts?: Parts; length?: number } = {}) {
  const [count, rows, cols] = (shape.length === 3 ? shape : [1, ...shape]) as [number, number, number];
  const precision = dtype === 'float64' ? 'float64' : 'float32';
  const normal = lowerLaw({ kind: 'normal', mean: 0, std: 1 }, precision, 'g') as ElementPrimitive;
  const length = options.length ?? count * rows * cols;
  const parts = options.parts ?? [{ gain: 1, region: run(length) }];
  return { seed: 7n, dtype, length, stream: 99n, rows, cols, precision, normal, parts } as const;
}

function run(length: number): Region {
  return { shape: [length], sourceOffset: 0, sourceStrides: [1], targetOffset: 0, targetStrides: [1] };
}

function window(of: OrthogonalRequest, start = 0, length = of.length - start): TensorArray {
  const target = new (dtypeInfo(of.dtype).array)(length);
  const work = fillOrthogonal(of, target, start);
  while (work.next().done !== true);
  return target;
}

/** All elements of matrix `b` by source index, before the gain, in the working precision. */
function byDefinition(of: OrthogonalRequest, b = 0, fused: typeof fma32 = fma32): Float64Array {
  const { rows, cols, precision } = of;
  const single = precision === 'float32';
  const w: (x: number) => number = single ? Math.fround : (x) => x;
  const fma = single ? fused : (x: number, y: number, z: number) => x * y + z;
  const g = new (single ? Float32Array : Float64Array)(rows * cols);
  const end = (b + 1) * rows * cols;
  const job = { primitive: of.normal, stream: of.stream, region: run(end) };
  fillRange({ seed: of.seed, dtype: precision, length: end, jobs: [job] }, g, b * rows * cols, end);
  // Adds terms of rows from k on, chunk by chunk.
  const chunked = (k: number, add: (r: number, sum: number) => number, round: typeof w): number => {
    let total: number | undefined;
    for (let chunk = Math.floor(k / 256); chunk * 256 < rows; chunk++) {
      let sum = 0;
      for (let r = Math.max(k, chunk * 256); r < Math.min(rows, chunk * 256 + 256); r++) sum = add(r, sum);
      total = total === undefined ? sum : round(total + sum);
    }
    return total!;
  };
  const v: Float64Array[] = [];
  const rho: number[] = [];
  const d: number[] = [];
  for (let c = 0; c < cols; c++) {
    const column = Float64Array.from({ length: rows }, (_, r) => (r < c ? 0 : g[c * rows + r]!));
    const x = column[c]!;
    const sign = x < 0 ? -1 : 1;
    const s = chunked(
      c,
      (r, sum) => sum + column[r]! * column[r]!,
      (sum) => sum,
    );
    v.push(column);
    if (c === rows - 1) {
      column.fill(0);
      rho.push(0);
      d.push(sign);
    } else {
      column[c] = w(x + sign * Math.sqrt(s));
      const tau = s - x * x + column[c]! * column[c]!;
      rho.push(tau === 0 ? 0 : w(2 / tau));
      d.push(-sign);
    }
  }
  const q = new Float64Array(rows * cols);
  const u = new Map<number, number>();
  for (let j = 0; j < cols; j++) {
    const k = j - (j % 64);
    for (let i = k; i < j; i++) {
      u.set(
        i * cols + j,
        chunked(k, (r, sum) => fma(v[i]![r]!, v[j]![r]!, sum), w),
      );
    }
  }
  for (let c = 0; c < cols; c++) {
    const y = q.subarray(c * rows, (c + 1) * rows);
    y[c] = 1;
    for (let k = c - (c % 64); k >= 0; k -= 64) {
      const last = Math.min(cols, k + 64) - 1;
      const z: number[] = [];
      for (let i = k; i <= last; i++) z[i] = chunked(k, (r, sum) => fma(v[i]![r]!, y[r]!, sum), w);
      for (let i = last; i >= k; i--) {
        for (let j = last; j > i; j--) z[i] = fma(-u.get(i * cols + j)!, z[j]!, z[i]!);
        z[i] = w(z[i]! * rho[i]!);
      }
      for (let r = k; r < rows; r++) for (let i = k; i <= last; i++) y[r] = fma(-v[i]![r]!, z[i]!, y[r]!);
    }
    for (let r = 0; r < rows; r++) y[r] = Math.min(1, Math.max(-1, y[r]!)) * d[c]!;
  }
  return q;
}

/** What a tensor of that dtype stores for an element. */
function stored(dtype: DType, element: number, gain: number): number {
  if (dtype === 'float64') return element * gain;
  const value = Math.fround(element * gain);
  return dtype === 'bfloat16' ? toBFloat16(value) : dtype === 'float16' ? toFloat16(value) : value;
}

const DTYPES = ['float64', 'float32', 'float16', 'bfloat16'] as const;
const same = (a: TensorArray, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((x, i) => Object.is(x, b[i]!));

describe('every column', () => {
  const shapes = [1, 2, 3, 4, 9, 32, 63, 64, 65, 129, 257].flatMap((rows) =>
    [1, 2, 3, 4, 5, 9, 32, 63, 64, 65, 129, 257]
      .filter((cols) => cols <= rows && (rows < 100 || cols < 10 || cols % 64 < 2))
      .map((cols) => [rows, cols] as const),
  );

  it.each(['float32', 'float64'] as const)('is that of the definition, %s', (dtype) => {
    for (const shape of shapes) {
      const of = request(shape, dtype);
      expect(same(window(of), byDefinition(of)), shape.join(' × ')).toBe(true);
    }
  });

  it('would be another with two roundings for a fused multiply-add', () => {
    const twice = (a: number, b: number, c: number): number => Math.fround(Math.fround(a * b) + c);
    for (const shape of [
      [9, 9],
      [64, 3],
    ]) {
      const of = request(shape, 'float32');
      expect(same(window(of), byDefinition(of, 0, twice)), shape.join(' × ')).toBe(false);
    }
  });

  it.each([
    ['float32', 2e-6],
    ['float64', 1e-14],
  ] as const)('is orthogonal to the others, %s', (dtype, bound) => {
    const [rows, cols] = [600, 300];
    const q = window(request([rows, cols], dtype));
    let worst = 0;
    for (let i = 0; i < cols; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = i === j ? -1 : 0;
        for (let r = 0; r < rows; r++) sum += q[i * rows + r]! * q[j * rows + r]!;
        worst = Math.max(worst, Math.abs(sum));
      }
    }
    expect(worst).toBeLessThan(bound);
  });
});

describe('any part', () => {
  it.each(DTYPES)('of stacked matrices is that of the whole, %s', (dtype) => {
    const gain = dtype === 'float64' ? -0.7 : Math.fround(-0.7);
    for (const shape of [
      [5, 3, 2],
      [3, 70, 66],
      [2, 300, 1],
    ]) {
      const [count, rows, cols] = shape as [number, number, number];
      const size = rows * cols;
      const parts = [{ gain, region: run(count * size) }];
      const of = request(shape, dtype, { parts });
      const whole = window(of);
      for (let b = 0; b < count; b++) {
        const expected = Array.from(byDefinition(of, b), (x) => stored(dtype, x, gain));
        expect(same(whole.subarray(b * size, (b + 1) * size), expected), `matrix ${b} of ${shape}`).toBe(
          true,
        );
      }
      for (const [start, end] of [
        [0, 1],
        [1, size + 1],
        [size - 1, size],
        [size, 2 * size],
        [rows - 1, of.length - 1],
        [of.length - 1, of.length],
        [3, 3],
      ] as const) {
        expect(same(window(of, start, end - start), whole.subarray(start, end)), `${start} to ${end}`).toBe(
          true,
        );
      }
    }
  });

  // Of 4 matrices of 70 × 66 the second and the fourth, their rows 1, 4, 7, …, and columns 2, 4, …: rows outermost,
  // with gaps in the output; and next to each element its negative.
  const [count, rows, cols] = [4, 70, 66];
  const shape = [2, 23, 32];
  const strides = [rows * cols * 2, 3, 2 * rows];
  const sourceOffset = rows * cols + 2 * rows + 1;
  const region = {
    shape,
    sourceOffset,
    sourceStrides: strides,
    targetOffset: 5,
    targetStrides: [4000, 130, 3],
  };
  const parts = [
    { gain: 2, region },
    { gain: -2, region: { ...region, targetOffset: 6 } },
  ];
  const of = request([count, rows, cols], 'float32', { parts, length: 8000 });
  const expected = new Float32Array(8000).fill(7);
  for (const [part, { gain }] of parts.entries()) {
    for (let b = 0; b < 2; b++) {
      const q = byDefinition(of, 2 * b + 1);
      for (let i = 0; i < 23; i++) {
        for (let j = 0; j < 32; j++)
          expected[5 + part + 4000 * b + 130 * i + 3 * j] = q[(2 * j + 2) * rows + 3 * i + 1]! * gain;
      }
    }
  }

  it.each([
    [0, 8000],
    [0, 700],
    [5, 1],
    [3001, 2222],
    [3100, 900],
    [7999, 1],
  ])('of strided regions, and nothing beside them: %d and %d more', (start, length) => {
    const target = new Float32Array(length).fill(7);
    for (const _ of fillOrthogonal(of, target, start));
    expect(same(target, expected.subarray(start, start + length))).toBe(true);
  });

  it('along the rows of a tall matrix', () => {
    const region: Region = { ...run(0), shape: [257, 66], sourceStrides: [1, 257], targetStrides: [66, 1] };
    const of = request([257, 66], 'float32', { parts: [{ gain: 1, region }] });
    const q = byDefinition(of);
    const expected = Array.from(q, (_, i) => q[(i % 66) * 257 + Math.floor(i / 66)]!);
    expect(same(window(of), expected)).toBe(true);
    expect(same(window(of, 1000, 77), expected.slice(1000, 1077))).toBe(true);
  });

  it('has matrices far apart without those between them', () => {
    const far = 2 ** 40;
    const of = request([2, 3, 2], 'float64', {
      length: 12,
      parts: [
        {
          gain: 1,
          region: { ...run(0), shape: [2, 6], sourceStrides: [6 * far, 1], targetStrides: [6, 1] },
        },
      ],
    });
    const one = request([3, 2], 'float64', {
      parts: [{ gain: 1, region: { ...run(6), sourceOffset: 6 * far } }],
    });
    expect(same(window(of), [...byDefinition(of), ...window(one)])).toBe(true);
  });

  it('costs its share: 20 columns of a matrix of 2^30 elements', () => {
    const size = 2 ** 15;
    const region = { ...run(20 * size), sourceOffset: 3 * size };
    const of = request([size, size], 'float32', { length: 20 * size, parts: [{ gain: 1, region }] });
    const columns = window(of);
    let dot = 0;
    for (let r = 0; r < size; r++) dot += columns[r]! * columns[r]!;
    expect(dot).toBeCloseTo(1, 5);
  });
});

describe('work', () => {
  it.each([
    [600, 500, 1],
    [9, 9, 5000],
  ])('on %d × %d, %d times, is told, in small pieces', (rows, cols, count) => {
    const of = request([count, rows, cols], 'float32');
    const told = [...fillOrthogonal(of, new Float32Array(of.length), 0)];
    expect(told.length).toBeGreaterThan(3);
    expect(told.every((x, i) => x >= (told[i - 1] ?? 0) && x <= 1)).toBe(true);
    expect(told.at(-1)).toBeGreaterThan(0.9);
  });

  const first = (of: OrthogonalRequest, available: () => number): void =>
    void fillOrthogonal(of, new Float32Array(1), 0, available).next();
  const refusal = (code: string, text: string) =>
    expect.objectContaining({ name: 'IsometryError', code, message: expect.stringContaining(text) });

  it('is refused where memory does not suffice, before it begins', () => {
    const all = request([2 ** 15, 2 ** 15], 'float32', {
      parts: [{ gain: 1, region: { ...run(1), sourceOffset: 2 ** 30 - 1 } }],
      length: 1,
    });
    let asked = 0;
    const little = () => {
      asked++;
      return 10 ** 9;
    };
    // Reflections are half of 2^30 numbers of 4 bytes, and the upper halves of 512 squares. U has 512 squares, too, and a
    // panel 16 columns.
    const bytes = 4 * (2 ** 29 + 512 * 2 ** 11) + 8 * (512 * 2 ** 12 + 2 ** 19);
    expect(() => first(all, little)).toThrow(
      refusal('OUT_OF_MEMORY', `needs ${bytes} bytes of work memory, but only 1000000000 are available`),
    );
    expect(asked).toBe(1);
  });

  it('asks nobody for little memory', () => {
    const unasked = () => {
      throw new Error('nobody asks for so little');
    };
    expect(() => first(request([256, 256], 'float32'), unasked)).not.toThrow();
  });

  it('is refused where no array is long enough', () => {
    const huge = request([2 ** 18, 2 ** 18], 'float32', {
      parts: [{ gain: 1, region: { ...run(1), sourceOffset: 2 ** 36 - 1 } }],
      length: 1,
    });
    // From Node 22 on arrays are limited by memory alone.
    const error =
      constants.MAX_LENGTH < 2 ** 35
        ? refusal('TOO_LARGE', `but one holds at most ${constants.MAX_LENGTH}; use device`)
        : refusal('OUT_OF_MEMORY', 'only 1 are available');
    expect(() => first(huge, () => 1)).toThrow(error);
  });
});
