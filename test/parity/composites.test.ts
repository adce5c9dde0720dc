// Initializers that are more than one law of independent elements: the same bytes on cuda, cpu and js, at once and
// not; any slice is the part of the whole; and a checkpoint, written in windows, has the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsBackend } from '../../src/backends/js.js';
import { DTYPE_NAMES, type DType, type TensorArray } from '../../src/dtype.js';
import { fill, fillSync, prepareFill } from '../../src/fill.js';
import type { Initializer } from '../../src/initializers/index.js';
import * as api from '../../src/initializers/index.js';
import { writeCheckpointWith } from '../../src/model/checkpoint/checkpoint.js';
import { judge } from '../../src/model/verify/judge.js';
import { measureTensor } from '../../src/model/verify/measure.js';
import { lawMoments } from '../../src/moments.js';
import { SafetensorsReader } from '../../src/safetensors/read.js';
import { arbitraryRanges, partOf } from '../helpers/elements.js';
import { describeFakeCuda, openFakeHere, SLOW } from '../helpers/fake-cuda.js';
import { describeNative } from '../helpers/native.js';

type Case = readonly [
  initializer: Initializer,
  shape: readonly number[],
  options?: { readonly layout?: string; readonly groups?: number },
];

const CASES: readonly Case[] = [
  [api.identity({ gain: 0.3 }), [5, 7]],
  [api.identity({ gain: 0.1 }), [1, 1]],
  [api.identity(), [2, 3, 4], { layout: 'OEI' }],
  [api.dirac(), [6, 2, 3, 4], { groups: 3 }],
  [api.dirac(), [3, 3, 2, 8], { layout: 'HWIO', groups: 4 }],
  [api.zero(), [13, 6]],
  [api.zero(), [300, 1]],
  [api.zero(), [6, 13], { layout: 'IO' }],
  [api.zero(), [2, 12, 2, 3], { layout: 'EOIL', groups: 3 }],
  [api.zero(), [3, 2, 3, 5], { layout: 'HWIO' }],
  [api.hadamardOrthogonal({ gain: 1.7 }), [16, 11]],
  [api.hadamardOrthogonal(), [3, 5, 8], { layout: 'EOI' }],
  [api.deltaOrthogonal({ gain: -0.7 }), [6, 4, 3]],
  [api.deltaOrthogonal(), [3, 3, 4, 6], { layout: 'HWIO' }],
  [api.deltaOrthogonal(), [8, 2, 3, 1], { groups: 4 }],
  [api.deltaOrthogonal(), [12, 1, 3], { groups: 12 }],
  [api.deltaOrthogonal(), [2, 3, 5, 1, 2], { layout: 'EIOLE' }],
  [api.looksLinear(), [5, 8]],
  [api.looksLinear({ mirror: 'both', gain: 2 }), [2, 6, 4], { layout: 'EOI' }],
  [api.looksLinear({ mirror: 'outputs' }), [3, 4, 12], { layout: 'LIO' }],
  [api.zeroRows({ init: api.normal({ mean: 1, std: 2 }), rows: [0, 3, 4] }), [6, 5]],
  [api.zeroRows({ init: api.heNormal(), rows: [2] }), [3, 4, 5], { layout: 'LIO' }],
  [api.zeroRows({ init: api.uniform({ min: 1, max: 2 }), rows: [0, 1] }), [2, 3]],
  [api.ramp({ start: 1, step: -0.3 }), [3, 50]],
  [api.logRamp(), [7, 2, 16]],
  [api.sinusoidal({ order: 'halves' }), [130, 64]],
  [api.sinusoidal({ order: 'interleaved', maxTimescale: 50 }), [9, 2]],
  [api.logOfUniform({ min: 1, max: 16 }), [5, 60]],
  [api.softplusInverseLogUniform(), [24]],
];

const label = ([{ kind }, shape, options]: Case): string =>
  `${kind} [${shape.join(', ')}] ${options?.layout ?? ''}${options?.groups === undefined ? '' : ` ${options.groups} groups`}`;
const bytes = ({ buffer, byteOffset, byteLength }: TensorArray): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

function whole([initializer, shape, options]: Case, dtype: DType, device: 'js' | 'cpu' = 'js'): TensorArray {
  return fillSync('w', shape, initializer, { seed: 42, dtype, device, ...options }).data;
}

describe.each(CASES.map((test) => [label(test), test] as const))('%s', (_, test) => {
  const [initializer, shape, options] = test;

  it('in any slice is the part of the whole', () => {
    const all = whole(test, 'float32');
    fc.assert(
      fc.property(arbitraryRanges(shape), (slice) => {
        const part = fillSync('w', shape, initializer, { seed: 42, device: 'js', slice, ...options });
        expect([...part.data]).toEqual(partOf(all, shape, slice));
      }),
      { numRuns: 60 },
    );
  });

  it('in windows of any size, whatever was there, is the same', () => {
    const all = whole(test, 'float16');
    for (const size of [1, 7, 16, Math.max(1, all.length - 1), all.length]) {
      const { request } = prepareFill('w', shape, initializer, { seed: 42, dtype: 'float16', ...options });
      const out = new Uint16Array(all.length).fill(0xcaca);
      for (let start = 0; start < out.length; start += size)
        jsBackend.fillSync(request, out.subarray(start, start + size), start);
      expect(out).toEqual(all);
    }
  });

  it('in 16 bits is the float32 tensor, rounded', () => {
    const single = whole(test, 'float32');
    const half = fillSync('w', shape, initializer, { seed: 42, dtype: 'bfloat16', device: 'js', ...options });
    const widened = half.toFloat32();
    for (const [k, x] of single.entries()) {
      expect(Math.abs(widened[k]! - x)).toBeLessThanOrEqual(Math.abs(x) * 2 ** -8);
      expect(x === 0).toBe(widened[k] === 0);
    }
  });

  it('is the same when it is not waited for', async () => {
    const tensor = await fill('w', shape, initializer, { seed: 42, device: 'js', ...options });
    expect(bytes(tensor.data).equals(bytes(whole(test, 'float32')))).toBe(true);
  });
});

describeNative('cpu = js, to the byte', () => {
  it.each(CASES.map((test) => [label(test), test] as const))('%s', async (_, test) => {
    const [initializer, shape, options] = test;
    for (const dtype of DTYPE_NAMES) {
      const js = bytes(whole(test, dtype));
      expect(bytes(whole(test, dtype, 'cpu')).equals(js)).toBe(true);
      const tensor = await fill('w', shape, initializer, { seed: 42, dtype, device: 'cpu', ...options });
      expect(bytes(tensor.data).equals(js)).toBe(true);
    }
  });
});

describeFakeCuda('cuda = js, to the byte, on the host and in device memory', () => {
  beforeAll(() => openFakeHere());

  it.each(CASES.map((test) => [label(test), test] as const))('%s', SLOW, async (_, test) => {
    const [initializer, shape, options] = test;
    for (const dtype of ['float64', 'bfloat16'] as const) {
      const all = { seed: 42, dtype, device: 'cuda', ...options } as const;
      const js = bytes(whole(test, dtype));
      expect(bytes(fillSync('w', shape, initializer, all).data).equals(js)).toBe(true);
      const device = await fill('w', shape, initializer, { ...all, keep: 'device' });
      try {
        expect(bytes((await device.toHost()).data).equals(js)).toBe(true);
      } finally {
        device.dispose();
      }
    }
  });
});

describe('a checkpoint', () => {
  it('has them as they are alone, whatever the size of the chunks, and they follow their laws', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isometry-composites-'));
    try {
      const tensors = CASES.map(([init, shape, options], k) => ({
        name: `t${k}`,
        shape,
        init,
        dtype: DTYPE_NAMES[k % DTYPE_NAMES.length]!,
        ...options,
      }));
      for (const chunkBytes of [512, 4096]) {
        const path = join(folder, `${chunkBytes}.safetensors`);
        await writeCheckpointWith({ tensors }, path, { seed: 42 }, { chunkBytes });
        const reader = await SafetensorsReader.open(path);
        try {
          for (const { name, shape, init, ...own } of tensors) {
            const entry = reader.tensors.find((tensor) => tensor.name === name)!;
            const found: Buffer[] = [];
            for await (const piece of reader.chunks(entry, new Uint8Array(16384)))
              found.push(Buffer.from(piece));
            const { data } = fillSync(name, shape, init, { seed: 42, ...own });
            expect(Buffer.concat(found).equals(bytes(data)), `${name} ${init.kind}`).toBe(true);
            const law = api.lawOf(init, { name, shape, ...own });
            const measured = await measureTensor(reader, entry, lawMoments(law, entry.elements).mean);
            expect(judge(measured!, law, own.dtype, name).plausible, `${name} ${init.kind}`).toBe(true);
          }
        } finally {
          await reader.close();
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
