import { describe, expect, it } from 'vitest';
import * as api from '../../src/initializers/index.js';
import { type Initializer, lawOf } from '../../src/initializers/index.js';
import type { FillRequest } from '../../src/job.js';
import { checkLaw, jobsOf } from '../../src/jobs.js';
import type { PartsLaw } from '../../src/law.js';
import { wholePlacement } from '../../src/placement.js';
import { parseSlice, type Slice } from '../../src/region.js';
import { streamId } from '../../src/stream.js';

type Options = { readonly layout?: string; readonly groups?: number; readonly slice?: Slice };

function jobs(
  init: Initializer,
  shape: readonly number[],
  options: Options = {},
): Pick<FillRequest, 'jobs' | 'unit'> {
  const { slice, ...own } = options;
  const law = lawOf(init, { name: 'w', shape, ...own });
  return jobsOf(law, { name: 'w', shape }, parseSlice(shape, slice), 'float32');
}

const constant = (value: number): { kind: 'constant'; value: number } => ({ kind: 'constant', value });

describe('jobsOf', () => {
  it('of one law is one job on the slice', () => {
    expect(jobs(api.ones(), [3, 4], { slice: [[1, 2]] })).toEqual({
      jobs: [
        {
          primitive: constant(1),
          stream: streamId('w'),
          region: { shape: [4], sourceOffset: 4, sourceStrides: [1], targetOffset: 0, targetStrides: [1] },
        },
      ],
    });
    expect(jobs(api.ones(), [3, 4], { slice: [[1, 1]] })).toEqual({ jobs: [] });
  });

  it('leaves out the parts that a slice has nothing of', () => {
    const kernel = [4, 4, 3];
    expect(jobs(api.dirac(), kernel).jobs).toHaveLength(2);
    expect(jobs(api.dirac(), kernel, { slice: [null, null, [0, 1]] }).jobs).toHaveLength(1);
    expect(jobs(api.deltaOrthogonal(), kernel, { slice: [null, null, [2, 3]] })).toEqual({
      jobs: [expect.objectContaining({ primitive: constant(0) })],
    });
    expect(jobs(api.looksLinear(), [4, 4], { slice: [null, [2, 4]] }).jobs).toHaveLength(1);
  });

  it('has the stream of a part that has a role', () => {
    const placement = wholePlacement([4]);
    const law: PartsLaw = {
      kind: 'parts',
      stacked: 0,
      parts: [
        { law: constant(1), placement },
        { law: constant(2), placement, role: 'other' },
      ],
    };
    const streams = jobsOf(law, { name: 'w', shape: [4] }, [[0, 4]], 'float32').jobs.map(
      ({ stream }) => stream,
    );
    expect(streams).toEqual([streamId('w'), streamId('w', 'other')]);
  });

  it.each<[string, Initializer, readonly number[], Options, number | undefined]>([
    // Rows of a square or wide matrix are Q's columns, and so are the columns of a tall one.
    ['rows of a wide matrix', api.orthogonal(), [4, 6], {}, undefined],
    ['rows of a square matrix', api.orthogonal(), [4, 4], {}, undefined],
    ['rows of a tall matrix', api.orthogonal(), [6, 4], {}, 24],
    ['columns of a tall matrix', api.orthogonal(), [4, 6], { layout: 'IO' }, undefined],
    ['a column of a tall matrix', api.orthogonal(), [6, 4], { slice: [null, [1, 2]] }, 6],
    ['a row of a tall matrix', api.orthogonal(), [6, 4], { slice: [[1, 2]] }, undefined],
    ['stacked tall matrices', api.orthogonal(), [3, 6, 4], { layout: 'EOI' }, 24],
    // Only the axes that move the matrix count: all other taps are zeros.
    ['a kernel, outputs first', api.deltaOrthogonal(), [6, 4, 3], {}, 72],
    ['a square kernel, outputs first', api.deltaOrthogonal(), [4, 4, 3], {}, undefined],
    ['a kernel, inputs before outputs', api.deltaOrthogonal(), [3, 4, 6], { layout: 'LIO' }, undefined],
    ['a square kernel, inputs before outputs', api.deltaOrthogonal(), [3, 4, 4], { layout: 'LIO' }, 48],
    ['groups by their outputs', api.deltaOrthogonal(), [6, 2, 1], { groups: 2 }, 12],
    ['more groups than outputs in them', api.deltaOrthogonal(), [6, 1, 1], { groups: 6 }, undefined],
    // Recipes by rows or columns of the tensor.
    ['rows of a Hadamard matrix', api.zero(), [6, 4], {}, undefined],
    ['columns of a Hadamard matrix', api.zero(), [4, 6], { layout: 'IO' }, undefined],
    ['a kernel with a Hadamard matrix', api.zero(), [3, 4, 6], { layout: 'LIO' }, undefined],
    ['rows that are columns of Q', api.hadamardOrthogonal(), [5, 8], {}, undefined],
    ['rows that are not', api.hadamardOrthogonal(), [8, 5], {}, 40],
    ['no matrix at all', api.dirac(), [4, 4, 3], {}, undefined],
  ])('%s: best computed at once', (_, init, shape, options, unit) => {
    expect(jobs(init, shape, options).unit).toBe(unit);
  });
});

describe('checkLaw', () => {
  it('looks at every part', () => {
    const shape = [4, 4, 3];
    const check = (init: Initializer) => () => checkLaw(lawOf(init, { name: 'w', shape }), 'float16', 'w');
    expect(check(api.deltaOrthogonal({ gain: 65504 }))).not.toThrow();
    for (const law of [api.deltaOrthogonal({ gain: 1e6 }), api.constant({ value: 1e6 })])
      expect(check(law)).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringContaining('overflows float16'),
        }),
      );
  });
});
