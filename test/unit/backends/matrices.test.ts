import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { matricesOf, matrixElements } from '../../../src/backends/by-qr.js';
import { jsBackend } from '../../../src/backends/js.js';
import { withMatrices } from '../../../src/backends/matrices.js';
import type { Backend, Part, RawBackend } from '../../../src/backends/types.js';
import { DTYPE_NAMES, type DType, dtypeInfo, type TensorArray } from '../../../src/dtype.js';
import { fill, fillInto, fillSync, prepareFill } from '../../../src/fill.js';
import {
  convolutionOrthogonal,
  deltaOrthogonal,
  type Initializer,
  normal,
  orthogonal,
} from '../../../src/initializers/index.js';
import type { FillRequest } from '../../../src/job.js';
import { toBFloat16, toFloat16 } from '../../../src/js/round.js';
import { writeCheckpointWith } from '../../../src/model/checkpoint/checkpoint.js';
import { SafetensorsReader } from '../../../src/safetensors/read.js';
import { describeNative } from '../../helpers/native.js';

const qr = orthogonal({ method: 'qr', gain: 1.25 });
const bytes = (array: ArrayBufferView): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function at(data: TensorArray, index: number): number {
  return data[index]!;
}

/** The largest |QᵀQ − gain²·I| of an [outputs, inputs] matrix, by rows or by columns, whichever are fewer. */
function error(data: TensorArray, outputs: number, inputs: number): number {
  const [vectors, length] = [Math.min(outputs, inputs), Math.max(outputs, inputs)];
  const element = (v: number, i: number): number =>
    outputs <= inputs ? at(data, v * inputs + i) : at(data, i * inputs + v);
  let worst = 0;
  for (let a = 0; a < vectors; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = a === b ? -(1.25 ** 2) : 0;
      for (let i = 0; i < length; i++) sum += element(a, i) * element(b, i);
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

describe('orthogonal by QR', () => {
  it.each([
    [1, 1],
    [40, 40],
    [70, 33],
    [33, 70],
    [1, 9],
    [9, 1],
  ])('%d × %d has orthonormal rows or columns', (outputs, inputs) => {
    const double = fillSync('w', [outputs, inputs], qr, { seed: 3, dtype: 'float64' });
    expect(error(double.data, outputs, inputs)).toBeLessThan(1e-14);
    const single = fillSync('w', [outputs, inputs], qr, { seed: 3 });
    expect(error(single.data, outputs, inputs)).toBeLessThan(1e-6); // rounded once, from float64
  });

  it('is the Q of its normals whose R has a positive diagonal', () => {
    const [outputs, inputs] = [20, 12];
    const { data } = fillSync('w', [outputs, inputs], qr, { seed: 3, dtype: 'float64' });
    const g = fillSync('w', [inputs, outputs], normal({ std: 1 }), { seed: 3, dtype: 'float64' }).data;
    let below = 0;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j <= i; j++) {
        let r = 0;
        for (let k = 0; k < outputs; k++) r += at(data, k * inputs + i) * g[j * outputs + k]!;
        if (i === j) expect(r).toBeGreaterThan(0);
        else below = Math.max(below, Math.abs(r));
      }
    }
    expect(below).toBeLessThan(1e-13);
  });

  it('of fewer rows than columns is the transpose', () => {
    const tall = fillSync('w', [7, 4], qr, { seed: 3 }).data;
    const wide = fillSync('w', [4, 7], qr, { seed: 3 }).data;
    expect(Array.from(wide)).toEqual(Array.from(wide, (_, i) => tall[(i % 7) * 4 + Math.floor(i / 7)]));
  });

  it('is the same matrix in every layout', () => {
    const matrix = fillSync('w', [5, 24], qr, { seed: 3 }).data; // O × (2·3·4)
    const element = (o: number, other: number): number => matrix[o * 24 + other]!;
    const flat = fillSync('w', [5, 2, 3, 4], qr, { seed: 3 }).data;
    expect(flat).toEqual(matrix);
    const last = fillSync('w', [2, 3, 4, 5], qr, { seed: 3, layout: 'HWIO' }).data;
    expect(Array.from(last)).toEqual(Array.from(last, (_, i) => element(i % 5, Math.floor(i / 5))));
    const middle = fillSync('w', [2, 5, 3, 4], qr, { seed: 3, layout: 'IOHW' }).data;
    expect(Array.from(middle)).toEqual(
      Array.from(middle, (_, i) => element(Math.floor(i / 12) % 5, Math.floor(i / 60) * 12 + (i % 12))),
    );
  });

  it('stacks independent matrices, of which the first is the one that is alone', () => {
    const stacked = fillSync('w', [3, 6, 4], qr, { seed: 3, layout: 'EOI' }).data;
    expect(stacked.subarray(0, 24)).toEqual(fillSync('w', [6, 4], qr, { seed: 3 }).data);
    for (const k of [0, 1, 2]) {
      const matrix = stacked.subarray(24 * k, 24 * (k + 1));
      expect(error(matrix, 6, 4)).toBeLessThan(1e-6);
      expect(matrix).not.toEqual(stacked.subarray(24 * ((k + 1) % 3)).subarray(0, 24));
    }
  });

  it.each(['bfloat16', 'float16'] as const)('of %s is the float32 one, rounded', (dtype) => {
    const round = dtype === 'bfloat16' ? toBFloat16 : toFloat16;
    const single = fillSync('w', [30, 40], qr, { seed: 3 }).data;
    expect(Array.from(fillSync('w', [30, 40], qr, { seed: 3, dtype }).data)).toEqual(
      Array.from(single, round),
    );
  });

  it('of no elements is empty', () => {
    expect(fillSync('w', [3, 0], qr, { seed: 1 }).data).toHaveLength(0);
    expect(fillSync('w', [0, 3, 3], qr, { seed: 1, layout: 'EOI' }).data).toHaveLength(0);
  });
});

/** Windows of any size, one after the other. */
async function inWindows(backend: Backend, request: FillRequest, size: number): Promise<TensorArray> {
  const whole = new (dtypeInfo(request.dtype).array)(request.length);
  for (let start = 0; start < whole.length; start += size) {
    await backend.fill(request, whole.subarray(start, start + size), start);
  }
  return whole;
}

function requestOf(dtype: DType, shape = [3, 9, 14]): FillRequest {
  return prepareFill('w', shape, qr, { seed: 3, dtype, layout: 'EOI' }).request;
}

describe('withMatrices', () => {
  it.each(DTYPE_NAMES)(
    'gives the same whole as in windows, at once as in slices of time: %s',
    async (dtype) => {
      const request = requestOf(dtype);
      const whole = new (dtypeInfo(dtype).array)(request.length);
      jsBackend.fillSync(request, whole, 0);
      for (const size of [1000, 126, 50, 127]) {
        expect(bytes(await inWindows(jsBackend, request, size)).equals(bytes(whole))).toBe(true);
      }
    },
  );

  it('computes a matrix that windows cut once', async () => {
    const made: number[] = [];
    const backend = withMatrices(jsBackend, {
      makeSync: (_, index, out) => {
        made.push(index);
        out.fill(index + 1);
      },
      make: async (_, index, out) => {
        made.push(index);
        out.fill(index + 1);
      },
    });
    const request = requestOf('float32');
    const size = matrixElements(matricesOf(request)!);
    const whole = await inWindows(backend, request, 50);
    expect(made).toEqual([0, 1, 2]);
    expect(Array.from(whole)).toEqual(Array.from(whole, (_, i) => Math.floor(i / size) + 1));
    const middle = new Float32Array(size + 2);
    backend.fillSync(requestOf('float32'), middle, size - 1);
    expect(made.slice(3)).toEqual([0, 1, 2]);
    expect([middle[0], middle[1], middle[size], middle[size + 1]]).toEqual([1, 2, 2, 3]);
  });

  it('leaves other tensors, and parts of them, to the backend', async () => {
    const calls: string[] = [];
    const elements: RawBackend = {
      ...jsBackend,
      fillParts: async (parts) => {
        calls.push(parts.map(({ request }) => request.jobs[0]!.primitive.kind).join());
      },
    };
    const other = prepareFill('v', [9], normal({ std: 1 }), { seed: 3 }).request;
    const request = requestOf('float32', [1, 4, 4]);
    const parts: Part[] = [
      { request: other, start: 0, length: 9, byteOffset: 0 },
      { request, start: 0, length: 16, byteOffset: 40 },
    ];
    const buffer = new ArrayBuffer(104);
    const backend = withMatrices(elements);
    await backend.fillParts!(parts, buffer);
    expect(calls).toEqual(['normal']);
    const expected = new Float32Array(16);
    jsBackend.fillSync(request, expected, 0);
    expect(new Float32Array(buffer, 40, 16)).toEqual(expected);
    await backend.fillParts!(parts.slice(1), buffer);
    expect(calls).toEqual(['normal']);
  });

  it('lets the event loop run meanwhile, and stops when aborted', { retry: 2 }, async () => {
    let longest = 0;
    let last = performance.now();
    const controller = new AbortController();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    setTimeout(() => controller.abort('enough'), 200);
    const work = fill('w', [1500, 1500], qr, { seed: 3, device: 'js', signal: controller.signal });
    await expect(work).rejects.toBe('enough');
    clearInterval(timer);
    expect(longest).toBeLessThan(120);
  });
});

describeNative('the native backend', () => {
  it.each(DTYPE_NAMES)('gives the same bits as JavaScript: %s', async (dtype) => {
    const options = { seed: 2n ** 63n, dtype, layout: 'EIO' };
    const js = fillSync('w', [2, 80, 45], qr, { ...options, device: 'js' });
    const cpu = await fill('w', [2, 80, 45], qr, { ...options, device: 'cpu' });
    expect(bytes(cpu.data).equals(bytes(js.data))).toBe(true);
    const target = new (dtypeInfo(dtype).array)(7200);
    fillInto(target, 'w', [2, 80, 45], qr, options);
    expect(bytes(target).equals(bytes(js.data))).toBe(true);
  });
});

describe('a checkpoint', () => {
  it('has the matrices that fill makes, whatever the chunks', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'isometry-matrices-'));
    try {
      const tensors = [
        { name: 'q', shape: [40, 30], init: qr },
        { name: 'n', shape: [50], init: normal({ std: 1 }) },
        { name: 'experts', shape: [3, 8, 8], layout: 'EOI', init: qr, dtype: 'bfloat16' as const },
      ];
      const path = join(dir, 'model.safetensors');
      await writeCheckpointWith({ tensors }, path, { seed: 3 }, { chunkBytes: 512 });
      const reader = await SafetensorsReader.open(path);
      try {
        for (const { name, shape, init, ...own } of tensors) {
          const entry = reader.tensors.find((tensor) => tensor.name === name)!;
          const buffer = new Uint8Array(16384);
          const found: Buffer[] = [];
          for await (const piece of reader.chunks(entry, buffer)) found.push(Buffer.from(piece));
          const { data } = fillSync(name, shape, init, { seed: 3, ...own });
          expect(Buffer.concat(found).equals(bytes(data)), name).toBe(true);
        }
      } finally {
        await reader.close();
      }
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});

describe('progress', () => {
  const half: RawBackend = {
    ...jsBackend,
    orthogonal: async (request, target, start, _signal, onProgress) => {
      onProgress?.(0.5);
      jsBackend.orthogonalSync(request, target, start);
    },
  };
  const reported = async (initializer: Initializer): Promise<number[]> => {
    const { request } = prepareFill('w', [4, 2, 3], initializer, { seed: 1 });
    const seen: number[] = [];
    const target = new Float32Array(request.length);
    await withMatrices(half).fill(request, target, 0, undefined, (fraction) => seen.push(fraction));
    expect(target.some((x) => x !== 0)).toBe(true);
    return seen;
  };

  it('is that of the matrices where they are all the work', async () => {
    expect(await reported(orthogonal())).toEqual([0.5]);
    expect(await reported(deltaOrthogonal())).toEqual([0.5]);
  });

  it('is not that of a matrix which something else is made from', async () => {
    expect(await reported(convolutionOrthogonal())).toEqual([]);
  });
});
