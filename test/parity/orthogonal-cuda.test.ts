// Orthogonal matrices have the same bytes on the CUDA backend, the native CPU and in JavaScript: whole tensors and
// slices, every layout and dtype, on the host and in device memory. Here the kernels run on the fake driver, with the
// same bodies as on a GPU; test/native/cuda_orthogonal_test.cc compares them with the definition itself.
import { beforeAll, describe, expect, it } from 'vitest';
import { type CudaBackend, cudaBackend, probeCuda } from '../../src/backends/cuda.js';
import { type DType, dtypeInfo, type TensorArray } from '../../src/dtype.js';
import { type FillOptions, fill, fillSync, prepareFill } from '../../src/fill.js';
import { constant, orthogonal } from '../../src/initializers/index.js';
import type { OrthogonalRequest } from '../../src/job.js';
import { elementCount } from '../../src/shape.js';
import { describeFakeCuda, openFakeHere, SLOW } from '../helpers/fake-cuda.js';

const DTYPES: readonly DType[] = ['float64', 'float32', 'float16', 'bfloat16'];
type Options = Partial<FillOptions<DType>>;

/** What is made, and how. */
interface Made {
  readonly name: string;
  readonly shape: readonly number[];
  readonly options?: Options;
}

const TENSORS: readonly Made[] = [
  ...[1, 2, 3, 4, 9, 32, 65].map((n) => ({ name: `${n} square`, shape: [n, n] })),
  { name: '257 square', shape: [257, 257] },
  { name: 'tall', shape: [300, 70] },
  { name: 'wide', shape: [66, 190] },
  { name: 'a column', shape: [130, 1] },
  { name: 'a row', shape: [1, 130] },
  { name: 'convolution, OIHW', shape: [20, 7, 3, 3] },
  { name: 'convolution, HWIO', shape: [3, 3, 7, 70], options: { layout: 'HWIO' } },
  { name: 'inputs first', shape: [40, 90], options: { layout: 'IO' } },
  { name: 'experts', shape: [5, 33, 20], options: { layout: 'EOI' } },
  { name: 'many tiny experts', shape: [200, 2, 2], options: { layout: 'EOI' } },
  { name: 'rows of a square', shape: [140, 140], options: { slice: [[70, 90], null] } },
  { name: 'columns of a square', shape: [140, 140], options: { slice: [null, [3, 5]] } },
  {
    name: 'a corner of a tall one',
    shape: [300, 140],
    options: {
      slice: [
        [250, 300],
        [100, 110],
      ],
    },
  },
  {
    name: 'experts of many, and rows of them',
    shape: [9, 70, 66],
    options: { layout: 'EOI', slice: [[3, 5], [60, 70], null] },
  },
  {
    name: 'a patch of a convolution',
    shape: [30, 8, 3, 3],
    options: { slice: [[5, 25], [2, 7], [1, 2], null] },
  },
];

const bytesOf = ({ data }: { data: TensorArray }): Buffer =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength);

function made(shape: readonly number[], options: Options | undefined, device: 'cuda' | 'cpu' | 'js'): Buffer {
  const all = { seed: 7, ...options, keep: 'host', device } as const;
  return bytesOf(fillSync('w', shape, orthogonal({ gain: -1.25 }), all));
}

describeFakeCuda('orthogonal matrices: cuda = cpu = js, to the byte', () => {
  let cuda: CudaBackend;

  beforeAll(() => {
    openFakeHere();
    cuda = cudaBackend(probeCuda(true).devices[0]!);
  });

  it('runs on the fake driver', () =>
    expect(probeCuda().devices.map(({ name }) => name)).toEqual(['Fake GPU 0']));

  describe.each(TENSORS)('$name', ({ shape, options }) => {
    const dtypes = elementCount(shape) > 60_000 ? DTYPES.slice(1, 3) : DTYPES;
    it.each(dtypes)('%s', SLOW, async (dtype) => {
      const all = { ...options, dtype };
      const expected = made(shape, all, 'js');
      expect(made(shape, all, 'cpu').equals(expected)).toBe(true);
      expect(made(shape, all, 'cuda').equals(expected)).toBe(true);
      const device = await fill('w', shape, orthogonal({ gain: -1.25 }), {
        seed: 7,
        ...all,
        device: 'cuda',
        keep: 'device',
      });
      try {
        expect(bytesOf(await device.toHost()).equals(expected)).toBe(true);
      } finally {
        device.dispose();
      }
    });
  });

  /** The matrices alone, of a tensor of which they are but a part. */
  function request(dtype: DType): { request: OrthogonalRequest; length: number } {
    const whole = prepareFill('w', [60, 50], orthogonal(), { seed: 7, dtype }).request;
    const { primitive, stream, region } = whole.jobs[0]!;
    if (primitive.kind !== 'orthogonal') throw new Error('not by reflections');
    const { rows, cols, precision, normal } = primitive;
    const apart = {
      ...region,
      targetOffset: 4,
      targetStrides: region.targetStrides.map((stride) => stride * 3),
    };
    const length = 9009;
    const parts = [{ gain: 1, region: apart }];
    return { request: { seed: 7n, dtype, length, stream, rows, cols, precision, normal, parts }, length };
  }

  it.each(DTYPES)('%s: leaves what is not theirs alone, in any window', SLOW, async (dtype) => {
    const { request: of, length } = request(dtype);
    const { array } = dtypeInfo(dtype);
    const { data } = fillSync('w', [60, 50], orthogonal(), { seed: 7, dtype, device: 'js' });
    const before = fillSync('x', [length], constant({ value: 3 }), { seed: 7, dtype }).data;
    const wanted = array.from(before as never) as TensorArray;
    for (let k = 0; k < 3000; k++) wanted[4 + 3 * k] = data[k]!;
    for (const [start, end] of [
      [0, length],
      [1, 4],
      [4, 5],
      [3000, 3100],
      [9002, length],
    ] as const) {
      const expected = bytesOf({ data: wanted.slice(start, end) });
      const target = before.slice(start, end);
      cuda.orthogonalSync(of, target, start);
      expect(bytesOf({ data: target }).equals(expected)).toBe(true);
      target.set(before.subarray(start, end) as never);
      await cuda.orthogonal(of, target, start);
      expect(bytesOf({ data: target }).equals(expected)).toBe(true);

      const { id, pointer } = cuda.allocate(target.byteLength);
      for (const run of [
        () => cuda.orthogonalDevice(of, start, end - start, pointer),
        () => cuda.orthogonalDeviceSync(of, start, end - start, pointer),
      ]) {
        cuda.copyFromHostSync(pointer, before.slice(start, end));
        await run();
        await cuda.copyToHost(pointer, target);
        expect(bytesOf({ data: target }).equals(expected)).toBe(true);
      }
      cuda.free(id);
    }
    await cuda.orthogonal(of, new array(0), 17);
    await cuda.orthogonalDevice(of, 17, 0, 1n);
  });

  it('is aborted', SLOW, async () => {
    const controller = new AbortController();
    const promise = fill('w', [300, 300], orthogonal(), {
      seed: 7,
      device: 'cuda',
      signal: controller.signal,
    });
    controller.abort(new Error('enough'));
    await expect(promise).rejects.toThrow('enough');
  });

  it('needs memory, and says so before it works', () => {
    expect(() =>
      fillSync('w', [40_000, 40_000], orthogonal(), {
        seed: 7,
        slice: [
          [39_990, 39_991],
          [0, 1],
        ],
        device: 'cuda',
      }),
    ).toThrow(
      expect.objectContaining({
        code: 'OUT_OF_MEMORY',
        message: expect.stringMatching(/matrices of 40000 × 40000 .* needed .* available .* of 1\.0 GiB/),
      }),
    );
  });
});
