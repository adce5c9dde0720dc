import { describe, expect, it } from 'vitest';
import { createCudaBackend } from '../../../src/backends/cuda.js';
import { libraryFolders } from '../../../src/backends/cuda-libraries.js';
import { bytesOf, withSolver } from '../../../src/backends/cuda-matrices.js';
import { jsBackend } from '../../../src/backends/js.js';
import type { NativeBinding } from '../../../src/backends/native.js';
import type { NativeQr } from '../../../src/backends/native-cuda.js';
import type { Part } from '../../../src/backends/types.js';
import { DTYPE_NAMES, type DType, dtypeInfo, type TensorArray } from '../../../src/dtype.js';
import { prepareFill } from '../../../src/fill.js';
import { type Initializer, normal, orthogonal } from '../../../src/initializers/index.js';
import type { ElementPrimitive, FillRequest, QrPrimitive } from '../../../src/job.js';
import { fillRange } from '../../../src/js/fill.js';
import { makeMatrix, normalsOf } from '../../../src/js/qr-matrices.js';
import { decodeRequest, FakeCuda, fakeDevice } from '../../helpers/fake-binding.js';

const qr = orthogonal({ method: 'qr', gain: -1.25 });

function request(shape: number[], layout: string, dtype: DType = 'float32', init: Initializer = qr) {
  return prepareFill('w', shape, init, { seed: 2n ** 63n + 5n, dtype, layout }).request;
}

function js(of: FillRequest): TensorArray {
  const target = new (dtypeInfo(of.dtype).array)(of.length);
  jsBackend.fillSync(of, target, 0);
  return target;
}

/** What the addon would do, from nothing but what it is handed: our own QR of the normals that it is told to draw. */
function matrices(given: NativeQr): Uint8Array {
  const dtype = DTYPE_NAMES.find((name) => dtypeInfo(name).code === given.dtype)!;
  const { before, outputs, after, gain, first, count } = given;
  const size = before * outputs * after;
  const drawn = decodeRequest(given.words);
  const primitive: QrPrimitive = {
    kind: 'qr',
    gain,
    matrices: { count: first + count, before, outputs, after },
    normal: drawn.jobs[0]!.primitive as ElementPrimitive,
    precision: drawn.dtype as 'float32' | 'float64',
  };
  const out = new (dtypeInfo(dtype).array)(count * size);
  for (let k = 0; k < count; k++) {
    const g = new (dtypeInfo(drawn.dtype).array)(size) as Float64Array | Float32Array;
    fillRange(drawn, g, (first + k) * size, (first + k + 1) * size);
    const matrix = out.subarray(k * size, (k + 1) * size);
    const work = makeMatrix(g, normalsOf(drawn, primitive), primitive, dtype, matrix);
    while (work.next().done !== true);
  }
  return new Uint8Array(out.buffer);
}

/** A fake addon with a solver, and what was asked of that: device, first matrix and how many. */
function setUp() {
  const fake = new FakeCuda();
  const asked: [number, number, number][] = [];
  let folders: readonly string[] = [];
  const solve = (device: number, given: NativeQr, destination: Uint8Array | bigint): void => {
    fake.calls.push('qr');
    const failure = fake.failures.get('qr');
    if (failure !== undefined) throw failure;
    asked.push([device, given.first, given.count]);
    folders = given.folders;
    const bytes = matrices(given);
    if (typeof destination === 'bigint') {
      const block = [...fake.blocks.values()].find(({ pointer }) => pointer <= destination)!;
      block.memory.set(bytes, Number(destination - block.pointer));
    } else {
      expect(destination.length).toBe(bytes.length);
      destination.set(bytes);
    }
  };
  const binding: NativeBinding = {
    ...fake.binding,
    cudaQrSync: solve,
    cudaQrAsync: (device, given, destination, callback) => {
      setImmediate(() => {
        try {
          solve(device, given, destination);
          callback('done');
        } catch (error) {
          callback('failed', error as { code: string; message: string });
        }
      });
      return 1;
    },
  };
  const backend = withSolver(createCudaBackend(binding, fakeDevice(1)), binding);
  return { fake, asked, backend, folders: () => folders };
}

describe('a solver of matrices', () => {
  it.each(DTYPE_NAMES)('is told all it needs to make them, one by one for the host: %s', async (dtype) => {
    const { asked, backend, folders } = setUp();
    for (const [shape, layout] of [
      [[3, 9, 14], 'EOI'],
      [[2, 9, 5, 3], 'EIOH'],
    ] as const) {
      const of = request([...shape], layout, dtype);
      const target = new (dtypeInfo(dtype).array)(of.length);
      await backend.fill(of, target, 0);
      expect(target).toEqual(js(of));
      target.fill(0);
      backend.fillSync(of, target, 0);
      expect(target).toEqual(js(of));
    }
    const each = (count: number) => Array.from({ length: count }, (_, k) => [1, k, 1]);
    expect(asked).toEqual([...each(3), ...each(3), ...each(2), ...each(2)]);
    expect(folders()).toEqual(libraryFolders());
  });

  it('makes whole matrices for windows that cut them', async () => {
    const { asked, backend } = setUp();
    const of = request([3, 9, 14], 'EOI');
    const window = new Float32Array(200);
    await backend.fill(of, window, 100);
    expect(window).toEqual(js(of).subarray(100, 300));
    expect(asked).toEqual([
      [1, 0, 1],
      [1, 1, 1],
      [1, 2, 1],
    ]);
  });

  it('leaves other tensors to one launch, and has each part where it belongs', async () => {
    const { fake, asked, backend } = setUp();
    const a = request([33], 'O', 'float64', normal({ std: 1 }));
    const q = request([3, 9, 14], 'EOI');
    const b = request([50], 'O', 'bfloat16', normal({ std: 1 }));
    const r = request([7, 8], 'OI', 'float64');
    const none = request([0, 8], 'OI');
    const parts: Part[] = [
      { request: a, start: 0, length: 33, byteOffset: 0 },
      { request: q, start: 126, length: 252, byteOffset: 264 },
      { request: b, start: 0, length: 50, byteOffset: 1272 },
      { request: none, start: 0, length: 0, byteOffset: 1376 },
      { request: r, start: 0, length: 56, byteOffset: 1376 },
    ];
    const expected = Buffer.concat(
      [js(a), js(q).subarray(126), js(b), new Uint8Array(4), js(r)].map((array) =>
        Buffer.from(array.buffer, array.byteOffset, array.byteLength),
      ),
    );
    for (const sync of [false, true]) {
      fake.calls.length = asked.length = 0;
      const { id, pointer } = backend.allocate(1824);
      if (sync) backend.fillDeviceSync(parts, pointer);
      else await backend.fillDevice(parts, pointer);
      const back = new Uint8Array(1824);
      await backend.copyToHost(pointer, back);
      backend.free(id);
      expect([...back.subarray(1372, 1376)]).toEqual([0xca, 0xca, 0xca, 0xca]);
      expect(Buffer.from(back.fill(0, 1372, 1376)).equals(expected)).toBe(true);
      expect(fake.calls.slice(1, 4)).toEqual([sync ? 'fillSync(2)' : 'fill(2)', 'qr', 'qr']);
      expect(asked).toEqual([
        [1, 1, 2],
        [1, 0, 1],
      ]);
    }
    const buffer = new ArrayBuffer(1824);
    await backend.fillParts(parts, buffer);
    expect(Buffer.from(buffer).equals(expected)).toBe(true);
  });

  it('does not make a part of a matrix in device memory', async () => {
    const { backend } = setUp();
    const of = request([3, 9, 14], 'EOI');
    for (const [start, length] of [
      [1, 126],
      [0, 125],
    ] as const) {
      const parts = [{ request: of, start, length, byteOffset: 0 }];
      const error = {
        code: 'INTERNAL',
        message: `${length} elements from ${start} on are no whole matrices of 126`,
      };
      await expect(backend.fillDevice(parts, 4096n)).rejects.toMatchObject(error);
      expect(() => backend.fillDeviceSync(parts, 4096n)).toThrow(expect.objectContaining(error));
    }
  });

  it('hands no array over that a Uint8Array cannot hold', async () => {
    const { fake, backend } = setUp();
    const of = request([2 ** 15, 2 ** 15 + 1], 'OI');
    // Memory of that size is not needed to be refused.
    const target = {
      buffer: new ArrayBuffer(8),
      byteOffset: 0,
      byteLength: 4 * of.length,
      length: of.length,
      subarray: () => target,
    } as unknown as TensorArray;
    const error = { code: 'TOO_LARGE', message: expect.stringMatching(/4295098368 bytes.*keep: "device"/) };
    await expect(backend.fill(of, target, 0)).rejects.toMatchObject(error);
    expect(() => backend.fillSync(of, target, 0)).toThrow(expect.objectContaining(error));
    expect(fake.calls).toEqual([]);
  });

  it("fails with the addon's code and words, wherever the matrices go", async () => {
    const { fake, backend } = setUp();
    const of = request([9, 14], 'OI');
    const parts = [{ request: of, start: 0, length: 126, byteOffset: 0 }];
    const failure = { code: 'BACKEND_UNAVAILABLE', message: 'cuSOLVER was not found' };
    fake.failures.set('qr', failure);
    const error = { name: 'IsometryError', ...failure, cause: failure };
    await expect(backend.fill(of, new Float32Array(126), 0)).rejects.toMatchObject(error);
    await expect(backend.fillDevice(parts, 4096n)).rejects.toMatchObject(error);
    for (const action of [
      () => backend.fillSync(of, new Float32Array(126), 0),
      () => backend.fillDeviceSync(parts, 4096n),
    ]) {
      expect(action).toThrow(expect.objectContaining(error));
    }
  });
});

describe('a matrix in host memory', () => {
  it('is refused where its bytes are more than one array holds', () => {
    const large = { byteLength: 2 ** 32 } as ArrayBufferView;
    expect(() => bytesOf(large)).toThrow(
      expect.objectContaining({ code: 'TOO_LARGE', message: expect.stringContaining('keep: "device"') }),
    );
    expect(bytesOf(new Float32Array(3)).length).toBe(12);
  });
});
