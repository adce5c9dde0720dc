// The native CPU backend and the JavaScript twin give the same bytes: every primitive × dtype × awkward size × window ×
// slice × SIMD target × number of threads.
import { expect, it } from 'vitest';
import { fillSyncWith } from '../../src/backends/cpu.js';
import { dtypeInfo, type TensorArray } from '../../src/dtype.js';
import type { FillRequest, Region } from '../../src/job.js';
import { fillRange } from '../../src/js/fill.js';
import { sliceRegion, sliceShape } from '../../src/region.js';
import { elementCount } from '../../src/shape.js';
import { describeNative, simdTargets } from '../helpers/native.js';
import { CASES, type Case } from './laws.js';

const SIZES = [0, 1, 3, 4, 5, 63, 64, 65, 1023] as const;
const LARGE = 2 ** 20 + 7;
const THREADS = [1, 2, 7] as const;
const SEED = 0x9e3779b97f4a7c15n;
const STREAM = 0xfedcba9876543210n;

function request(test: Case, region: Region | null, length: number, seed = SEED): FillRequest {
  const jobs = region === null ? [] : [{ primitive: test.primitive, stream: STREAM, region }];
  return { seed, dtype: test.dtype, length, jobs };
}

function whole(test: Case, length: number, sourceOffset = 0): FillRequest {
  const region = { shape: [length], sourceOffset, sourceStrides: [1], targetOffset: 0, targetStrides: [1] };
  return request(test, length === 0 ? null : region, length);
}

/** Memory that no backend has written to yet looks like no weight: -1.2e-299 … and its pieces. */
function blank(test: Case, length: number): TensorArray {
  const target = new (dtypeInfo(test.dtype).array)(length);
  new Uint8Array(target.buffer).fill(0xca);
  return target;
}

function js(fill: FillRequest, test: Case, start: number, length: number): TensorArray {
  const target = blank(test, length);
  fillRange(fill, target, start, start + length);
  return target;
}

function cpu(
  fill: FillRequest,
  test: Case,
  start: number,
  length: number,
  simd: string,
  threads: number,
): TensorArray {
  const target = blank(test, length);
  fillSyncWith(fill, target, start, { simd, threads });
  return target;
}

const bytes = (array: TensorArray): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
const same = (a: TensorArray, b: TensorArray): boolean => bytes(a).equals(bytes(b));

describeNative('cpu = js, to the byte', () => {
  it('covers the SIMD targets of this machine', () => expect(simdTargets).toContain('portable'));

  it.each(CASES)('$name', (test) => {
    const large = whole(test, LARGE);
    const expected = js(large, test, 0, LARGE);
    expect(bytes(expected).subarray(-2).toString('hex')).not.toBe('caca'); // the twin did write
    for (const simd of simdTargets) {
      for (const threads of THREADS) {
        const where = `${simd}, ${threads} threads`;
        expect(same(cpu(large, test, 0, LARGE, simd, threads), expected), where).toBe(true);
      }
      for (const size of SIZES) {
        const part = cpu(whole(test, size), test, 0, size, simd, 2);
        expect(same(part, expected.subarray(0, size)), `${simd}, size ${size}`).toBe(true);
        // The same elements as a window of the large output, at starts that split Philox blocks.
        for (const start of [1, 2, 3, 65, LARGE - size - 1]) {
          const window = cpu(large, test, start, size, simd, 1);
          expect(same(window, expected.subarray(start, start + size)), `${simd}, ${start}+${size}`).toBe(
            true,
          );
        }
      }
    }
    // The twin's own windows.
    for (const [start, size] of [
      [1, 5],
      [3, 1023],
      [1021, 4097],
      [LARGE - 65, 65],
    ] as const) {
      expect(same(js(large, test, start, size), expected.subarray(start, start + size))).toBe(true);
    }
  });

  it.each(CASES)('slices and strided regions: $name', (test) => {
    const shape = [7, 5, 11, 13];
    const all = js(whole(test, elementCount(shape)), test, 0, elementCount(shape));
    const slices = [
      [[0, 7], null, null, null],
      [[2, 5], null, null, null],
      [
        [1, 6],
        [1, 4],
        [3, 10],
        [5, 12],
      ],
      [null, null, null, [12, 13]],
      [
        [6, 7],
        [4, 5],
        [10, 11],
        [12, 13],
      ],
    ] as const;
    for (const slice of slices) {
      const [parts, region] = [sliceShape(shape, slice), sliceRegion(shape, slice)];
      const fill = request(test, region, elementCount(parts));
      const twin = js(fill, test, 0, fill.length);
      // Element by element against the whole tensor: a second way to say what a slice is.
      let at = 0;
      const begin = slice.map((range) => range?.[0] ?? 0) as [number, number, number, number];
      for (let a = 0; a < parts[0]!; a++)
        for (let b = 0; b < parts[1]!; b++)
          for (let c = 0; c < parts[2]!; c++)
            for (let d = 0; d < parts[3]!; d++, at++) {
              const index = (((a + begin[0]) * 5 + b + begin[1]) * 11 + c + begin[2]) * 13 + d + begin[3];
              if (twin[at] !== all[index])
                throw new Error(`element ${at} of the slice is not ${index} of the whole`);
            }
      for (const simd of simdTargets) {
        expect(same(cpu(fill, test, 0, fill.length, simd, 2), twin), `${simd} ${JSON.stringify(slice)}`).toBe(
          true,
        );
      }
    }
    // A transposed walk: source and target strides both other than 1, and a hole that stays untouched.
    const strided = {
      shape: [5, 3],
      sourceOffset: 17,
      sourceStrides: [1, 1001],
      targetOffset: 2,
      targetStrides: [6, 2],
    };
    const fill = request(test, strided, 40);
    for (const simd of simdTargets) {
      for (const [start, size] of [
        [0, 40],
        [7, 21],
      ] as const) {
        expect(same(cpu(fill, test, start, size, simd, 1), js(fill, test, start, size)), simd).toBe(true);
      }
    }
  });

  it('far along a stream: beyond 2^32 blocks and at 2^52', () => {
    for (const test of CASES.filter(({ primitive }) => primitive.kind !== 'constant')) {
      for (const offset of [2 ** 33 - 2, 2 ** 34 - 5, 2 ** 34 + 1, 2 ** 52 - 100]) {
        const fill = whole(test, 203, offset);
        const twin = js(fill, test, 0, 203);
        for (const simd of simdTargets) {
          expect(same(cpu(fill, test, 0, 203, simd, 1), twin), `${test.name} at ${offset}, ${simd}`).toBe(
            true,
          );
        }
      }
    }
  });

  it('tells seeds and streams apart in every bit', () => {
    const test = CASES.find(({ name }) => name === 'normal(0, 1), float32')!;
    const seen = new Set<string>();
    for (let bit = 0n; bit < 64n; bit++) {
      const region = {
        shape: [16],
        sourceOffset: 0,
        sourceStrides: [1],
        targetOffset: 0,
        targetStrides: [1],
      };
      const bySeed = request(test, region, 16, 1n << bit);
      const byStream = {
        ...bySeed,
        seed: 0n,
        jobs: [{ primitive: test.primitive, stream: 1n << bit, region }],
      };
      for (const fill of [bySeed, byStream]) {
        const twin = js(fill, test, 0, 16);
        seen.add(bytes(twin).toString('hex'));
        for (const simd of simdTargets) expect(same(cpu(fill, test, 0, 16, simd, 1), twin)).toBe(true);
      }
    }
    expect(seen.size).toBe(128);
  });
});
