import { describe, expect, it } from 'vitest';
import { jsBackend } from '../../../src/backends/js.js';
import { withMatrices } from '../../../src/backends/matrices.js';
import { splitOf } from '../../../src/backends/steps.js';
import type { RawBackend } from '../../../src/backends/types.js';
import type { TensorArray } from '../../../src/dtype.js';
import { type Prepared, prepareFill } from '../../../src/fill.js';
import { matrixView, orthogonalPart } from '../../../src/initializers/matrix-view.js';
import { orthogonal } from '../../../src/initializers/orthogonal.js';
import type { FillRequest, OrthogonalRequest } from '../../../src/job.js';
import { jobsOf } from '../../../src/jobs.js';
import { fillRange } from '../../../src/js/fill.js';
import { forEachRun } from '../../../src/js/region.js';
import type { Law } from '../../../src/law.js';
import { wholePlacement } from '../../../src/placement.js';
import type { Recipe } from '../../../src/recipe.js';
import { parseSlice, type Slice } from '../../../src/region.js';

/** Matrices whose element is gain·(1 + its source index), and a note of every call. */
function fake(): { backend: RawBackend; calls: [start: number, length: number][] } {
  const calls: [number, number][] = [];
  const orthogonalSync = (request: OrthogonalRequest, target: TensorArray, start: number): void => {
    calls.push([start, target.length]);
    for (const { gain, region } of request.parts) {
      forEachRun(region, start, start + target.length, (source, at, count, sourceStride, stride) => {
        for (let i = 0; i < count; i++)
          target[at - start + i * stride] = gain * (1 + source + i * sourceStride);
      });
    }
  };
  const raw: RawBackend = {
    ...jsBackend,
    fillSync: (request, target, start) => fillRange(request, target, start, start + target.length),
    fill: async (request, target, start) => fillRange(request, target, start, start + target.length),
    orthogonalSync,
    orthogonal: async (request, target, start) => orthogonalSync(request, target, start),
  };
  return { backend: withMatrices(raw), calls };
}

function requestOf(law: Law, shape: readonly number[], slice?: Slice): FillRequest {
  const ranges = parseSlice(shape, slice);
  const length = ranges.reduce((product, [start, end]) => product * (end - start), 1);
  return { seed: 1n, dtype: 'float64', length, ...jobsOf(law, { name: 'w', shape }, ranges, 'float64') };
}

const prepared = (shape: readonly number[], options: object = {}): Prepared =>
  prepareFill('w', shape, orthogonal(), { seed: 1, dtype: 'float64', ...options });

/** In windows of `size`, one after the other; alternately at once and not. */
async function inWindows(backend: RawBackend, request: FillRequest, size: number): Promise<TensorArray> {
  const whole = new Float64Array(request.length).fill(-1);
  for (let start = 0, turn = 0; start < whole.length; start += size, turn++) {
    const target = whole.subarray(start, start + size);
    if (turn % 2 === 0) backend.fillSync(request, target, start);
    else await backend.fill(request, target, start);
  }
  return whole;
}

describe('an orthogonal tensor', () => {
  it.each([
    // shape, layout, what element (o, other) of matrix b has as its source index
    [[5, 3], 'OI', (_b: number, o: number, i: number) => 5 * i + o],
    [[3, 5], 'OI', (_b: number, o: number, i: number) => 5 * o + i],
    [[4, 4], 'OI', (_b: number, o: number, i: number) => 4 * o + i],
    [[2, 7, 3], 'EOI', (b: number, o: number, i: number) => 21 * b + 7 * i + o],
    [[2, 3, 7], 'EOI', (b: number, o: number, i: number) => 21 * b + 7 * o + i],
  ] as const)('of shape %j has Q where it belongs', (shape, layout, source) => {
    const { request } = prepared(shape, { layout });
    const out = new Float64Array(request.length);
    fake().backend.fillSync(request, out, 0);
    const [outputs, inputs] = shape.slice(-2) as [number, number];
    const expected = Float64Array.from(out, (_, e) => {
      const [b, o, i] = [Math.floor(e / (outputs * inputs)), Math.floor(e / inputs) % outputs, e % inputs];
      return 1 + source(b, o, i);
    });
    expect(out).toEqual(expected);
  });

  it('has in every layout the same matrix', () => {
    const fill = (shape: number[], layout: string): Float64Array => {
      const { request } = prepared(shape, { layout });
      const out = new Float64Array(request.length);
      fake().backend.fillSync(request, out, 0);
      return out;
    };
    for (const outputs of [5, 60]) {
      const flat = fill([outputs, 24], 'OI');
      expect(fill([outputs, 2, 3, 4], 'OIHW')).toEqual(flat);
      const last = fill([2, 3, 4, outputs], 'HWIO');
      expect(last).toEqual(last.map((_, e) => flat[(e % outputs) * 24 + Math.floor(e / outputs)]!));
      const middle = fill([2, outputs, 3, 4], 'IOHW');
      const other = (e: number): number => Math.floor(e / (12 * outputs)) * 12 + (e % 12);
      expect(middle).toEqual(middle.map((_, e) => flat[(Math.floor(e / 12) % outputs) * 24 + other(e)]!));
    }
  });

  it.each([
    [[6, 3], 'OI'],
    [[3, 6], 'OI'],
    [[3, 5, 2], 'EOI'],
    [[2, 3, 4, 5], 'HWIO'],
  ] as const)(
    'of shape %j is the same in windows of any size, and any slice is the part of it',
    async (shape, layout) => {
      const { backend } = fake();
      const { request } = prepared(shape, { layout });
      const whole = await inWindows(backend, request, request.length);
      for (const size of [1, 2, 5, 7, request.length - 1]) {
        expect(await inWindows(backend, prepared(shape, { layout }).request, size)).toEqual(whole);
      }
      for (let axis = 0; axis < shape.length; axis++) {
        for (const range of [
          [0, 1],
          [1, shape[axis]!],
          [shape[axis]! - 1, shape[axis]!],
        ] as const) {
          const slice = shape.map((_, k) => (k === axis ? range : null));
          const part = prepared(shape, { layout, slice }).request;
          const expected = [...whole].filter((_, e) => {
            const inner = shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
            const index = Math.floor(e / inner) % shape[axis]!;
            return index >= range[0] && index < range[1];
          });
          expect([...(await inWindows(backend, part, 3))]).toEqual(expected);
        }
      }
    },
  );

  it('is computed by units where windows would need all columns, else window by window', async () => {
    const tall = fake();
    await inWindows(tall.backend, prepared([3, 6, 4], { layout: 'EOI' }).request, 10);
    // Each matrix of 24 elements once, although windows of 10 cut them.
    expect(tall.calls).toEqual([
      [0, 24],
      [24, 24],
      [48, 24],
    ]);
    const many = fake();
    await inWindows(many.backend, prepared([3, 6, 4], { layout: 'EOI' }).request, 60);
    expect(many.calls).toEqual([
      [0, 48],
      [48, 24],
    ]);
    const wide = fake();
    await inWindows(wide.backend, prepared([4, 6]).request, 10);
    expect(wide.calls).toEqual([
      [0, 10],
      [10, 10],
      [20, 4],
    ]);
  });
});

describe('laws on parts', () => {
  const shape = [4, 6];
  const view = matrixView({ name: 'w', shape: [4, 3] }, 'test');
  const half = (gain: number, column: number) => {
    const part = orthogonalPart([4, 3], view, gain);
    return { ...part, placement: { ...part.placement, origin: [0, column] } };
  };
  const constant = { law: { kind: 'constant', value: 9 } as const, placement: wholePlacement(shape) };

  it('that share their matrices are one request', () => {
    const request = requestOf({ kind: 'parts', stacked: 0, parts: [half(1, 0), half(-1, 3)] }, shape);
    const split = splitOf(request)!;
    expect(split.elements).toBeUndefined();
    expect(split.orthogonal).toHaveLength(1);
    expect(split.orthogonal[0]!.parts.map(({ gain }) => gain)).toEqual([1, -1]);
  });

  it('overwrite what is below them', async () => {
    const request = requestOf({ kind: 'parts', stacked: 0, parts: [constant, half(-1, 3)] }, shape);
    for (const size of [24, 5]) {
      const out = await inWindows(fake().backend, request, size);
      expect([...out]).toEqual(
        Array.from(out, (_, e) => (e % 6 < 3 ? 9 : -(1 + 4 * ((e % 6) - 3) + Math.floor(e / 6)))),
      );
    }
  });

  it('are left out where a window has none of them', () => {
    const request = requestOf({ kind: 'parts', stacked: 0, parts: [constant, half(-1, 3)] }, shape, [
      null,
      [0, 3],
    ]);
    const { backend, calls } = fake();
    const out = new Float64Array(12);
    backend.fillSync(request, out, 0);
    expect(out).toEqual(new Float64Array(12).fill(9));
    expect(calls).toEqual([]);
  });
});

describe('what JavaScript computes', () => {
  /** Element i of unit u is the sum of a normal of the unit's and i. */
  const made: number[] = [];
  const recipe: Recipe = {
    what: 'a test',
    size: 6,
    std: 1,
    largest: 10,
    inputs: (unit) => [
      { law: { kind: 'normal', mean: 0, std: 1 }, role: 'a', dtype: 'float64', offset: unit, length: 1 },
      {
        law: { kind: 'orthogonal', rows: 2, cols: 2, gain: 1 },
        role: 'b',
        dtype: 'float64',
        offset: 4 * unit,
        length: 4,
      },
    ],
    *make([normals, matrix], out) {
      made.push(0);
      for (let i = 0; i < out.length; i++) out[i] = normals![0]! + 100 * matrix![0]! + i;
      yield undefined;
    },
  };
  const shape = [3, 2, 3];
  const law: Law = {
    kind: 'parts',
    stacked: 1,
    parts: [{ law: { kind: 'computed', recipe, gain: 2 }, placement: wholePlacement(shape) }],
  };

  it('is made once for each unit, from what the backend draws, whatever the windows', async () => {
    const { backend } = fake();
    const normals = new Float64Array(3);
    const own = prepareFill('w', [3], { kind: 'normal', mean: 0, std: 1 } as never, {
      seed: 1,
      dtype: 'float64',
    });
    expect(own.request.jobs[0]!.stream).not.toBe(0n);
    const request = requestOf(law, shape);
    const input = request.jobs[0]!.primitive as Extract<
      (typeof request.jobs)[0]['primitive'],
      { kind: 'computed' }
    >;
    const { primitive, stream } = input.inputs(0)[0]!;
    expect(stream).not.toBe(own.request.jobs[0]!.stream);
    const region = { shape: [3], sourceOffset: 0, sourceStrides: [1], targetOffset: 0, targetStrides: [1] };
    fillRange(
      { seed: 1n, dtype: 'float64', length: 3, jobs: [{ primitive, stream, region }] },
      normals,
      0,
      3,
    );
    const expected = Float64Array.from({ length: 18 }, (_, e) => {
      const unit = Math.floor(e / 6);
      return 2 * (normals[unit]! + 100 * (1 + 4 * unit) + (e % 6));
    });
    for (const size of [18, 4, 1, 13]) {
      made.length = 0;
      expect(await inWindows(backend, requestOf(law, shape), size)).toEqual(expected);
      expect(made).toHaveLength(3);
    }
    const part = requestOf(law, shape, [[1, 3], [1, 2], null]);
    const out = await inWindows(backend, part, 2);
    expect([...out]).toEqual([...expected.subarray(9, 12), ...expected.subarray(15, 18)]);
  });

  it('stops when it is aborted', async () => {
    const { backend } = fake();
    const controller = new AbortController();
    controller.abort('enough');
    const work = backend.fill(requestOf(law, shape), new Float64Array(18), 0, controller.signal);
    await expect(work).rejects.toBe('enough');
  });
});
