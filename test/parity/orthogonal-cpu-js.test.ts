// Orthogonal matrices have the same bytes on the native CPU and in JavaScript: every SIMD target, any number of
// threads, whole tensors, windows and slices. test/native/orthogonal_test.cc compares with the definition itself.
import { expect, it } from 'vitest';
import { orthogonalSyncWith, orthogonalWith } from '../../src/backends/cpu.js';
import { type DType, dtypeInfo, type TensorArray } from '../../src/dtype.js';
import { type FillOptions, prepareFill } from '../../src/fill.js';
import { type Initializer, looksLinear, orthogonal } from '../../src/initializers/index.js';
import type { OrthogonalRequest } from '../../src/job.js';
import { fillOrthogonal } from '../../src/js/orthogonal.js';
import { describeNative, simdTargets, TIMED } from '../helpers/native.js';

const DTYPES: readonly DType[] = ['float64', 'float32', 'float16', 'bfloat16'];
const THREADS = [1, 2, 7] as const;
const SEED = 0x9e3779b97f4a7c15n;
type Options = Partial<FillOptions<DType>>;

/** What is made, in words, its shape and how. */
const TENSORS: readonly (readonly [string, readonly number[], Options?])[] = [
  ...[1, 2, 3, 4, 9, 32, 65].map((n) => [`${n} square`, [n, n]] as const),
  ['257 square', [257, 257]],
  ['tall', [300, 70]],
  ['wide', [66, 190]],
  ['a column', [130, 1]],
  ['a row', [1, 130]],
  ['convolution, OIHW', [20, 7, 3, 3]],
  ['convolution, HWIO', [3, 3, 7, 70], { layout: 'HWIO' }],
  ['experts first', [5, 33, 20], { layout: 'EOI' }],
  ['experts of experts, tall', [3, 4, 12, 7], { layout: 'EEOI' }],
  ['many tiny experts', [300, 2, 2], { layout: 'EOI' }],
  ['rows of a square', [140, 140], { slice: [[70, 90], null] }],
  ['columns of a square', [140, 140], { slice: [null, [3, 5]] }],
  ['experts of many, and rows of them', [9, 70, 66], { layout: 'EOI', slice: [[3, 5], [60, 70], null] }],
  ['a patch of a convolution', [30, 8, 3, 3], { slice: [[5, 25], [2, 7], [1, 2], null] }],
];

/** The matrices that a call asks for. All jobs must be of one kind, and share their matrices. */
function requestOf(
  shape: readonly number[],
  dtype: DType,
  options: Options = {},
  initializer: Initializer = orthogonal({ gain: -1.25 }),
): OrthogonalRequest {
  const { request } = prepareFill('w', shape, initializer, { ...options, seed: SEED, dtype });
  const parts = request.jobs.map(({ primitive, stream, region }) => {
    if (primitive.kind !== 'orthogonal') throw new Error(`not by reflections: ${primitive.kind}`);
    return { primitive, stream, region };
  });
  const { primitive, stream } = parts[0]!;
  const { rows, cols, precision, normal } = primitive;
  return {
    ...{ seed: SEED, dtype, length: request.length, stream, rows, cols, precision, normal },
    parts: parts.map(({ primitive: { gain }, region }) => ({ gain, region })),
  };
}

/** Bytes that are no weight, so that what is left alone can be told. */
function blank({ dtype }: OrthogonalRequest, length: number): TensorArray {
  const target = new (dtypeInfo(dtype).array)(length);
  new Uint8Array(target.buffer).fill(0xca);
  return target;
}

const bytes = (array: TensorArray): Buffer => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function js(request: OrthogonalRequest, start = 0, length = request.length): TensorArray {
  const target = blank(request, length);
  for (const _ of fillOrthogonal(request, target, start));
  return target;
}

function cpu(
  request: OrthogonalRequest,
  simd: string,
  threads: number,
  start = 0,
  length = request.length,
): TensorArray {
  const target = blank(request, length);
  orthogonalSyncWith(request, target, start, { simd, threads });
  return target;
}

describeNative('orthogonal matrices: cpu = js, to the byte', () => {
  it.each(TENSORS.map(([name, shape, options = {}]) => ({ name, shape, options })))(
    '$name',
    async ({ shape, options }) => {
      const large = shape.reduce((product, extent) => product * extent) > 60_000;
      for (const dtype of large ? DTYPES.slice(1, 3) : DTYPES) {
        const request = requestOf(shape, dtype, options);
        const expected = bytes(js(request));
        expect(expected.includes(Buffer.alloc(8, 0xca))).toBe(false); // the twin wrote everything
        for (const simd of simdTargets) {
          for (const threads of THREADS) {
            const where = `${dtype}, ${simd}, ${threads} threads`;
            expect(bytes(cpu(request, simd, threads)).equals(expected), where).toBe(true);
          }
          const later = blank(request, request.length);
          await orthogonalWith(request, later, 0, { simd, threads: 2 });
          expect(bytes(later).equals(expected), `${dtype}, ${simd}, asynchronously`).toBe(true);
        }
      }
    },
  );

  it('in any window', () => {
    for (const [shape, options] of [
      [[90, 70], {}],
      [[70, 90], {}],
      [[5, 33, 20], { layout: 'EOI' }],
    ] as const) {
      const request = requestOf(shape, 'float32', options);
      const whole = js(request);
      for (const simd of simdTargets) {
        for (const [start, length] of [
          [0, 0],
          [0, 1],
          [69, 3],
          [1000, 1111],
          [request.length - 5, 5],
        ] as const) {
          const expected = bytes(whole.subarray(start, start + length));
          expect(bytes(cpu(request, simd, 2, start, length)).equals(expected)).toBe(true);
          expect(bytes(js(request, start, length)).equals(expected)).toBe(true);
        }
      }
    }
  });

  it('leaves what is not theirs alone', () => {
    const [request, whole] = [requestOf([60, 50], 'bfloat16'), js(requestOf([60, 50], 'bfloat16'))];
    const [{ gain, region }] = request.parts as [(typeof request.parts)[0]];
    const targetStrides = region.targetStrides.map((stride) => 3 * stride);
    const apart = {
      ...request,
      length: 9009,
      parts: [{ gain, region: { ...region, targetOffset: 4, targetStrides } }],
    };
    const expected = blank(request, apart.length);
    for (let k = 0; k < whole.length; k++) expected[4 + 3 * k] = whole[k]!;
    for (const simd of simdTargets) {
      expect(bytes(cpu(apart, simd, 2)).equals(bytes(expected))).toBe(true);
      expect(bytes(cpu(apart, simd, 1, 3000, 100)).equals(bytes(expected.subarray(3000, 3100)))).toBe(true);
    }
  });

  it('[Q, -Q] comes from one Q', () => {
    const request = requestOf([80, 60], 'float32', {}, looksLinear());
    expect(request.parts.length).toBeGreaterThan(1);
    const expected = bytes(js(request));
    for (const simd of simdTargets) expect(bytes(cpu(request, simd, 2)).equals(expected), simd).toBe(true);
  });

  it('stops when it is told to, within 100 ms', TIMED, async () => {
    const request = requestOf([4096, 4096], 'float32');
    const controller = new AbortController();
    const target = blank(request, request.length);
    const promise = orthogonalWith(request, target, 0, { threads: 2, signal: controller.signal });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const aborted = performance.now();
    controller.abort(new Error('enough'));
    await expect(promise).rejects.toThrow('enough');
    expect(performance.now() - aborted).toBeLessThan(100);
  });

  it('needs memory, and says so before it works', async () => {
    const request = requestOf([4_000_000, 4_000_000], 'float32', {
      slice: [
        [3_999_999, 4_000_000],
        [0, 1],
      ],
    });
    const target = blank(request, 1);
    const refusal = expect.objectContaining({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/4000000 × 4000000/),
    });
    expect(() => orthogonalSyncWith(request, target, 0, {})).toThrow(refusal);
    await expect(orthogonalWith(request, target, 0, {})).rejects.toThrow(refusal);
    expect(bytes(target).toString('hex')).toBe('cacacaca');
  });
});
