// The zeros of a sparse matrix are the same on cuda, cpu (every SIMD target, any number of threads) and js.
import { beforeAll, expect, it } from 'vitest';
import { fillSyncWith } from '../../src/backends/cpu.js';
import { cudaBackend, probeCuda } from '../../src/backends/cuda.js';
import type { Backend } from '../../src/backends/types.js';
import { DTYPE_NAMES, dtypeInfo, type TensorArray } from '../../src/dtype.js';
import type { FillRequest, MaskPrimitive, Region } from '../../src/job.js';
import { fillRange } from '../../src/js/fill.js';
import { describeFakeCuda, openFakeHere, SLOW } from '../helpers/fake-cuda.js';
import { describeNative, simdTargets } from '../helpers/native.js';

const MASKS: readonly MaskPrimitive[] = [
  { kind: 'mask', rows: 2, stride: 1, zeros: 1 },
  { kind: 'mask', rows: 5, stride: 7, zeros: 2 },
  { kind: 'mask', rows: 64, stride: 100, zeros: 32 },
  { kind: 'mask', rows: 1000, stride: 1, zeros: 900 },
  { kind: 'mask', rows: 65_537, stride: 3, zeros: 40_000 },
  { kind: 'mask', rows: 2 ** 40 + 3, stride: 2, zeros: 2 ** 39 },
];

const REGIONS: readonly Region[] = [
  { shape: [30_001], sourceOffset: 0, sourceStrides: [1], targetOffset: 0, targetStrides: [1] },
  { shape: [3000], sourceOffset: 2 ** 52, sourceStrides: [1], targetOffset: 1, targetStrides: [1] },
  { shape: [3000], sourceOffset: 5, sourceStrides: [2 ** 33 + 1], targetOffset: 2, targetStrides: [3] },
  { shape: [40, 30], sourceOffset: 17, sourceStrides: [1, 1001], targetOffset: 2, targetStrides: [61, 2] },
  { shape: [], sourceOffset: 3, sourceStrides: [], targetOffset: 4, targetStrides: [] },
];
const LENGTH = 30_001;

const requests = DTYPE_NAMES.flatMap((dtype) =>
  MASKS.flatMap((primitive) =>
    REGIONS.map((region): FillRequest => {
      // Ones first: what the mask leaves alone must stay.
      const all = {
        shape: [LENGTH],
        sourceOffset: 0,
        sourceStrides: [1],
        targetOffset: 0,
        targetStrides: [1],
      };
      const stream = 0xfedcba9876543210n;
      const ones = { primitive: { kind: 'constant', value: 1 }, stream, region: all } as const;
      return { seed: 7n, dtype, length: LENGTH, jobs: [ones, { primitive, stream, region }] };
    }),
  ),
);

const blank = ({ dtype }: FillRequest, length = LENGTH): TensorArray =>
  new (dtypeInfo(dtype).array)(length).fill(7);

function js(request: FillRequest): TensorArray {
  const target = blank(request);
  fillRange(request, target, 0, LENGTH);
  return target;
}

const same = (a: TensorArray, b: TensorArray): boolean => Buffer.compare(bytes(a), bytes(b)) === 0;
const bytes = (array: TensorArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

describeNative('the zeros of cpu are those of js', () => {
  it('in every region and window', () => {
    for (const request of requests) {
      const expected = js(request);
      const zeros = Array.from(expected as Float32Array).filter((x) => x === 0).length;
      if (request.jobs[1]!.region.shape.length > 0) expect(zeros).toBeGreaterThan(0);
      for (const simd of simdTargets) {
        for (const threads of [1, 7]) {
          const target = blank(request);
          fillSyncWith(request, target, 0, { simd, threads });
          expect(same(target, expected), `${simd}, ${threads} threads`).toBe(true);
        }
        const window = blank(request, 777);
        fillSyncWith(request, window, 501, { simd, threads: 2 });
        expect(same(window, expected.subarray(501, 501 + 777) as TensorArray), simd).toBe(true);
      }
    }
  });
});

describeFakeCuda('the zeros of cuda are those of js', () => {
  let cuda: Backend;
  beforeAll(() => {
    openFakeHere();
    cuda = cudaBackend(probeCuda(true).devices[0]!);
  });

  it('in every region and window', SLOW, () => {
    for (const request of requests) {
      const expected = js(request);
      for (const [start, length] of [
        [0, LENGTH],
        [501, 777],
      ] as const) {
        const target = blank(request, length);
        cuda.fillSync(request, target, start);
        expect(same(target, expected.subarray(start, start + length) as TensorArray), `from ${start}`).toBe(
          true,
        );
      }
    }
  });
});
