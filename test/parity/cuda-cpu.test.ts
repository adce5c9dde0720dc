// The CUDA backend gives the bytes of the native CPU backend and of JavaScript: every primitive × dtype × awkward size
// × window × alignment × slice, into host memory and into device memory. Here its kernels run on the fake driver, with
// the same bodies as on a GPU.
import { beforeAll, expect, it } from 'vitest';
import { fillSyncWith } from '../../src/backends/cpu.js';
import { type CudaBackend, cudaBackend, probeCuda } from '../../src/backends/cuda.js';
import type { Part } from '../../src/backends/types.js';
import { dtypeInfo, type TensorArray } from '../../src/dtype.js';
import type { FillRequest, Region } from '../../src/job.js';
import { fillRange } from '../../src/js/fill.js';
import { sliceRegion, sliceShape } from '../../src/region.js';
import { elementCount } from '../../src/shape.js';
import { describeFakeCuda, openFakeHere, SLOW } from '../helpers/fake-cuda.js';
import { simdTargets } from '../helpers/native.js';
import { CASES, type Case } from './laws.js';

const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 255, 257, 4099] as const;
const LARGE = 100_003;
const STARTS = [0, 1, 2, 3, 5, 63, 64, 65, 257, LARGE - 4099] as const;
const SEED = 0x9e3779b97f4a7c15n;
const STREAM = 0xfedcba9876543210n;
/** What the fake's fresh memory holds, and here the host's too: no weight. */
const POISON = 0xca;

let cuda: CudaBackend;

function request(test: Case, regions: readonly Region[], length: number): FillRequest {
  const jobs = regions.map((region) => ({ primitive: test.primitive, stream: STREAM, region }));
  return { seed: SEED, dtype: test.dtype, length, jobs };
}

function whole(test: Case, length: number, sourceOffset = 0): FillRequest {
  const region = { shape: [length], sourceOffset, sourceStrides: [1], targetOffset: 0, targetStrides: [1] };
  return request(test, [region], length);
}

const sizeOf = (test: Case): number => dtypeInfo(test.dtype).bytes;
const bytesOf = (array: TensorArray): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function blank(test: Case, length: number): TensorArray {
  const target = new (dtypeInfo(test.dtype).array)(length);
  bytesOf(target).fill(POISON);
  return target;
}

function cpu(fill: FillRequest, test: Case, start = 0, length: number = fill.length): TensorArray {
  const target = blank(test, length);
  fillSyncWith(fill, target, start, { simd: simdTargets[0]!, threads: 1 });
  return target;
}

function js(fill: FillRequest, test: Case): TensorArray {
  const target = blank(test, fill.length);
  fillRange(fill, target, 0, fill.length);
  return target;
}

function gpu(fill: FillRequest, test: Case, start = 0, length: number = fill.length): TensorArray {
  const target = blank(test, length);
  cuda.fillSync(fill, target, start);
  return target;
}

function expectSame(
  actual: TensorArray | Uint8Array,
  expected: TensorArray | Uint8Array,
  where: string,
): void {
  const [a, b] = [bytesOf(actual as TensorArray), bytesOf(expected as TensorArray)];
  if (Buffer.compare(a, b) === 0) return;
  const at = a.findIndex((byte, index) => byte !== b[index]);
  expect.fail(`${where}: ${a.length} and ${b.length} bytes, the first that differs is ${at}`);
}

/** Many windows of one tensor, one after the other with holes between, so that every alignment occurs. */
function windows(test: Case, fill: FillRequest, expected: TensorArray): { parts: Part[]; image: Uint8Array } {
  const size = sizeOf(test);
  const parts: Part[] = [];
  let byteOffset = 0;
  for (const start of STARTS) {
    for (const length of SIZES) {
      parts.push({ request: fill, start, length, byteOffset });
      byteOffset += (length + (parts.length % 3)) * size;
    }
  }
  const image = new Uint8Array(byteOffset).fill(POISON);
  for (const part of parts) {
    image.set(
      bytesOf(expected.subarray(part.start, part.start + part.length) as TensorArray),
      part.byteOffset,
    );
  }
  return { parts, image };
}

async function onDevice(parts: readonly Part[], bytes: number, skip: number): Promise<Uint8Array> {
  const { id, pointer } = cuda.allocate(bytes + skip);
  try {
    await cuda.fillDevice(parts, pointer + BigInt(skip));
    const target = new Uint8Array(bytes);
    await cuda.copyToHost(pointer + BigInt(skip), target);
    return target;
  } finally {
    cuda.free(id);
  }
}

describeFakeCuda('cuda = cpu = js, to the byte', () => {
  beforeAll(() => {
    openFakeHere();
    cuda = cudaBackend(probeCuda(true).devices[0]!);
  });

  it('runs on the fake driver', () =>
    expect(probeCuda().devices.map(({ name }) => name)).toEqual(['Fake GPU 0']));

  it.each(CASES)('$name', SLOW, async (test) => {
    const large = whole(test, LARGE);
    const expected = cpu(large, test);
    expectSame(js(large, test), expected, 'js');
    for (const size of [...SIZES, LARGE]) {
      expectSame(gpu(whole(test, size), test), expected.subarray(0, size) as TensorArray, `size ${size}`);
    }
    for (const start of STARTS) {
      const part = expected.subarray(start, start + 65) as TensorArray;
      expectSame(gpu(large, test, start, 65), part, `window ${start}+65`);
    }
    const later = blank(test, LARGE);
    await cuda.fill(large, later, 0);
    expectSame(later, expected, 'asynchronous');

    const { parts, image } = windows(test, large, expected);
    const buffer = new ArrayBuffer(image.length);
    new Uint8Array(buffer).fill(POISON);
    await cuda.fillParts(parts, buffer);
    expectSame(new Uint8Array(buffer), image, 'windows in host memory');
    for (const elements of [0, 1, 3]) {
      const found = await onDevice(parts, image.length, elements * sizeOf(test));
      expectSame(found, image, `windows in device memory, ${elements} elements after a boundary`);
    }
  });

  it.each(CASES)('slices and strided regions: $name', SLOW, async (test) => {
    for (const [shape, slice] of [
      [[97], [[5, 93]]],
      [
        [97, 31],
        [
          [5, 93],
          [1, 30],
        ],
      ],
      [
        [97, 31],
        [null, [30, 31]],
      ],
      [
        [9, 11, 260],
        [null, [3, 9], [1, 258]],
      ],
      [
        [7, 5, 11, 13],
        [
          [1, 6],
          [1, 4],
          [3, 10],
          [5, 12],
        ],
      ],
      [
        [7, 5, 11, 13],
        [[2, 5], null, null, null],
      ],
      [
        [7, 5, 11, 13],
        [null, null, null, [12, 13]],
      ],
      [
        [7, 5, 11, 13],
        [
          [6, 7],
          [4, 5],
          [10, 11],
          [12, 13],
        ],
      ],
    ] as const) {
      const length = elementCount(sliceShape(shape, slice));
      const fill = request(test, [sliceRegion(shape, slice)!], length);
      const expected = js(fill, test);
      const where = JSON.stringify(slice);
      expectSame(cpu(fill, test), expected, where);
      expectSame(gpu(fill, test), expected, where);
      const [start, size] = [Math.floor(length / 3), Math.ceil(length / 2)];
      expectSame(gpu(fill, test, start, size), expected.subarray(start, start + size) as TensorArray, where);
      const part = { request: fill, start: 0, length, byteOffset: 0 };
      const found = await onDevice([part], length * sizeOf(test), sizeOf(test));
      expectSame(found, bytesOf(expected), `${where} in device memory`);
    }
    // A transposed walk with holes that stay as they were, then a second job over a part of the first one's elements.
    const strided = {
      shape: [5, 3],
      sourceOffset: 17,
      sourceStrides: [1, 1001],
      targetOffset: 2,
      targetStrides: [6, 2],
    };
    const over = { shape: [4], sourceOffset: 7, sourceStrides: [3], targetOffset: 4, targetStrides: [3] };
    const fill = request(test, [strided, over], 40);
    for (const [start, size] of [
      [0, 40],
      [7, 21],
    ] as const) {
      const expected = cpu(fill, test, start, size);
      const found = await onDevice(
        [{ request: fill, start, length: size, byteOffset: 0 }],
        size * sizeOf(test),
        0,
      );
      expectSame(found, bytesOf(expected), `strided, ${start}+${size}, in device memory`);
    }
  });

  it('far along a stream: beyond 2^32 blocks and at 2^52', SLOW, () => {
    for (const test of CASES.filter(({ primitive }) => primitive.kind !== 'constant')) {
      for (const offset of [2 ** 33 - 2, 2 ** 34 - 5, 2 ** 34 + 1, 2 ** 52 - 100]) {
        const fill = whole(test, 203, offset);
        expectSame(gpu(fill, test), js(fill, test), `${test.name} at ${offset}`);
      }
    }
  });
});
