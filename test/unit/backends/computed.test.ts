import { describe, expect, it } from 'vitest';
import { jsBackend } from '../../../src/backends/js.js';
import { withMatrices } from '../../../src/backends/matrices.js';
import type { RawBackend } from '../../../src/backends/types.js';
import type { TensorArray } from '../../../src/dtype.js';
import { fill } from '../../../src/fill.js';
import { zero } from '../../../src/initializers/index.js';
import type { FillRequest } from '../../../src/job.js';
import { jobsOf } from '../../../src/jobs.js';
import { fillRange } from '../../../src/js/fill.js';
import type { PlacedAxis } from '../../../src/placement.js';
import type { Recipe, RecipeInput } from '../../../src/recipe.js';
import { parseSlice } from '../../../src/region.js';

/** Notes what is drawn, by its offset. */
function counting(): { backend: RawBackend; drawn: number[] } {
  const drawn: number[] = [];
  const fillSync = (request: FillRequest, target: TensorArray, start: number): void => {
    drawn.push(request.jobs[0]!.region.sourceOffset);
    fillRange(request, target, start, start + target.length);
  };
  const raw = {
    ...jsBackend,
    fillSync,
    fill: async (...args: Parameters<typeof fillSync>) => fillSync(...args),
  };
  return { backend: withMatrices(raw), drawn };
}

/** Six units of four elements: ones in what was zeros, so 1; and a unit's first input, which is a constant's. */
function recipeWith(inputs: (unit: number) => readonly RecipeInput[]): Recipe {
  return {
    what: 'a test',
    size: 4,
    std: 1,
    largest: 100,
    inputs,
    *make([values], out, unit) {
      for (let i = 0; i < out.length; i++) out[i] = out[i]! + values![0]! + 10 * unit;
      yield undefined;
    },
  };
}

const input = (offset: number): RecipeInput => ({
  law: { kind: 'constant', value: 1 },
  role: 'a',
  dtype: 'float32',
  offset,
  length: 2,
});

/** Units are rows of a tensor of 6 × 4, or its columns. */
function requestOf(recipe: Recipe, byRows: boolean): FillRequest {
  const shape = byRows ? [6, 4] : [4, 6];
  const [unit, within] = byRows ? [0, 1] : [1, 0];
  const axis = (extent: number, source: number, moved: number): PlacedAxis => ({
    extent,
    source,
    steps: new Map([[moved, 1]]),
  });
  const placement = { sourceOffset: 0, origin: [0, 0], axes: [axis(6, 4, unit), axis(4, 1, within)] };
  const law = {
    kind: 'parts',
    stacked: 0,
    parts: [{ law: { kind: 'computed', recipe, gain: 1 }, placement }],
  } as const;
  const ranges = parseSlice(shape, undefined);
  return { seed: 1n, dtype: 'float32', length: 24, ...jobsOf(law, { name: 'w', shape }, ranges, 'float32') };
}

describe('units of a recipe', () => {
  it('start from zeros, and go where they belong', async () => {
    const expected = (unit: (e: number) => number): number[] =>
      Array.from({ length: 24 }, (_, e) => 1 + 10 * unit(e));
    for (const [byRows, unit] of [
      [true, (e: number) => Math.floor(e / 4)],
      [false, (e: number) => e % 6],
    ] as const) {
      const { backend } = counting();
      const out = new Float32Array(24).fill(-1);
      backend.fillSync(
        requestOf(
          recipeWith(() => [input(0)]),
          byRows,
        ),
        out,
        0,
      );
      expect([...out]).toEqual(expected(unit));
      await backend.fill(
        requestOf(
          recipeWith(() => [input(0)]),
          byRows,
        ),
        out.fill(-1),
        0,
      );
      expect([...out]).toEqual(expected(unit));
    }
  });

  it('are drawn for each, or once for those that are given the same array', () => {
    const each = counting();
    each.backend.fillSync(
      requestOf(
        recipeWith((unit) => [input(unit)]),
        true,
      ),
      new Float32Array(24),
      0,
    );
    expect(each.drawn).toEqual([0, 1, 2, 3, 4, 5]);

    const pairs = [0, 1, 2].map((pair) => [input(100 * pair)]);
    const shared = counting();
    shared.backend.fillSync(
      requestOf(
        recipeWith((unit) => pairs[Math.floor(unit / 2)]!),
        true,
      ),
      new Float32Array(24),
      0,
    );
    expect(shared.drawn).toEqual([0, 100, 200]);
  });

  it('are made only where a window has some of them', () => {
    const { backend, drawn } = counting();
    const request = requestOf(
      recipeWith((unit) => [input(unit)]),
      true,
    );
    expect(request.unit).toBeUndefined();
    const out = new Float32Array(6);
    backend.fillSync(request, out, 7); // the last of unit 1, unit 2, and the first of unit 3
    expect(drawn).toEqual([1, 2, 3]);
    expect([...out]).toEqual([11, 21, 21, 21, 21, 31]);
  });

  it('refuse what does not fit into memory before anything is drawn', () => {
    const { backend, drawn } = counting();
    const huge = { ...input(0), length: 2 ** 31 };
    const recipe = recipeWith(() => Array.from({ length: 1000 }, () => huge));
    const run = () => backend.fillSync(requestOf(recipe, true), new Float32Array(24), 0);
    expect(run).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    expect(drawn).toEqual([]);
  });

  it('by the thousand let the event loop run, and stop when they are aborted', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      await fill('w', [60_000, 6], zero(), { seed: 1, device: 'js' });
      expect(turns).toBeGreaterThan(1);
      const abort = new AbortController();
      setTimeout(() => abort.abort(new Error('enough')), 1);
      await expect(
        fill('w', [60_000, 6], zero(), { seed: 1, device: 'js', signal: abort.signal }),
      ).rejects.toThrow('enough');
    } finally {
      clearInterval(timer);
    }
  });
});
