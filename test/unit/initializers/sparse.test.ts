import { describe, expect, it } from 'vitest';
import type { DType } from '../../../src/dtype.js';
import { DTYPE_NAMES } from '../../../src/dtype.js';
import { fillSync } from '../../../src/fill.js';
import { lawOf, normal, type SparseOptions, sparse } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { lawMoments } from '../../../src/moments.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

/** Zeros in each column of a stack of matrices, counted by hand. */
function zerosPerColumn(data: ArrayLike<number>, rows: number, cols: number, layout: 'OI' | 'IO'): number[] {
  const counts: number[] = [];
  for (let b = 0; b < data.length / (rows * cols); b++) {
    for (let c = 0; c < cols; c++) {
      let zeros = 0;
      for (let r = 0; r < rows; r++) {
        const at = b * rows * cols + (layout === 'OI' ? r * cols + c : c * rows + r);
        if (data[at] === 0) zeros++;
      }
      counts.push(zeros);
    }
  }
  return counts;
}

describe('sparse', () => {
  it('writes its default out', () => {
    expect(sparse({ sparsity: 0.9 })).toEqual({ kind: 'sparse', sparsity: 0.9, std: 0.01 });
    expect(sparse({ sparsity: -0, std: 0 })).toEqual({ kind: 'sparse', sparsity: 0, std: 0 });
  });

  it.each([
    [{ sparsity: 1 }, 'sparse.sparsity'],
    [{ sparsity: -0.1 }, 'sparse.sparsity'],
    [{ sparsity: Number.NaN }, 'sparse.sparsity'],
    [{ sparsity: '0.5' }, 'sparse.sparsity'],
    [{}, 'sparse.sparsity'],
    [{ sparsity: 0.5, std: -1 }, 'sparse.std'],
  ])('rejects %j', (options, text) => {
    expect(() => sparse(options as SparseOptions)).toThrow(invalid('INVALID_OPTION', text));
  });

  it.each([
    [1, 0.5, 3],
    [2, 0.5, 100],
    [3, 0.4, 100],
    [5, 0.1, 100],
    [64, 0.3, 50],
    [1000, 0.9, 20],
    [65_537, 0.25, 2],
    [2 ** 20 + 7, 0.5, 1],
  ])('%d rows, sparsity %d: exactly as many zeros in each column', (rows, sparsity, cols) => {
    const count = Math.ceil(sparsity * rows);
    for (const layout of ['OI', 'IO'] as const) {
      const shape = layout === 'OI' ? [rows, cols] : [cols, rows];
      const { data } = fillSync('w', shape, sparse({ sparsity }), { seed: 5, layout });
      expect(zerosPerColumn(data, rows, cols, layout)).toEqual(new Array(cols).fill(count));
    }
  });

  it('is the normal of the same name, with zeros', () => {
    const shape = [3, 40, 30];
    for (const layout of ['EOI', 'EIO']) {
      for (const dtype of DTYPE_NAMES as readonly DType[]) {
        const options = { seed: 8, layout, dtype };
        const part = fillSync('w', shape, sparse({ sparsity: 0.7, std: 0.3 }), options).data;
        const all = fillSync('w', shape, normal({ std: 0.3 }), options).data;
        const [rows, cols] = layout === 'EOI' ? [40, 30] : [30, 40];
        const counts = zerosPerColumn(part, rows, cols, layout.slice(1) as 'OI');
        expect(counts).toEqual(new Array(3 * cols).fill(Math.ceil(0.7 * rows)));
        expect(part.every((x, i) => x === 0 || x === all[i])).toBe(true);
      }
    }
  });

  it('has other zeros in each column, tensor and seed', () => {
    const rows = (name: string, seed: number, col: number): string => {
      const { data } = fillSync(name, [64, 4], sparse({ sparsity: 0.5 }), { seed });
      return [...data]
        .filter((_, i) => i % 4 === col)
        .map((x) => (x === 0 ? '0' : '1'))
        .join('');
    };
    const seen = new Set<string>();
    for (const name of ['a', 'b'])
      for (const seed of [1, 2]) for (const col of [0, 1, 2, 3]) seen.add(rows(name, seed, col));
    expect(seen.size).toBe(16);
  });

  it('makes each row, and each pair of rows, zero as often as a random subset does', () => {
    const [rows, cols, zeros] = [100, 10_000, 30];
    const { data } = fillSync('w', [cols, rows], sparse({ sparsity: 0.3 }), { seed: 3, layout: 'IO' });
    const single = new Float64Array(rows);
    let [sum, square, pairs] = [0, 0, 0];
    for (let c = 0; c < cols; c++) {
      for (let r = 0; r < rows; r++) if (data[c * rows + r] === 0) single[r]!++;
    }
    // Without replacement: var = p(1 − p) for a row, and the covariance of two is −p(1 − p)/(rows − 1).
    const p = zeros / rows;
    let chi = 0;
    for (const count of single) chi += (count - cols * p) ** 2 / (cols * p * (1 - p));
    chi *= (rows - 1) / rows;
    const df = rows - 1;
    expect(Math.abs(chi - df) / Math.sqrt(2 * df)).toBeLessThan(5);
    const both = (zeros / rows) * ((zeros - 1) / (rows - 1));
    for (let lag = 1; lag < 50; lag++) {
      for (let r = 0; r + lag < rows; r += 7, pairs++) {
        let count = 0;
        for (let c = 0; c < cols; c++)
          if (data[c * rows + r] === 0 && data[c * rows + r + lag] === 0) count++;
        const z = (count - cols * both) / Math.sqrt(cols * both * (1 - both));
        sum += z;
        square += z * z;
      }
    }
    expect(Math.abs(square - pairs) / Math.sqrt(2 * pairs)).toBeLessThan(6);
    expect(Math.abs(sum) / Math.sqrt(pairs)).toBeLessThan(6);
  });

  it('gives every slice alone', () => {
    const shape = [2, 33, 21];
    const whole = fillSync('w', shape, sparse({ sparsity: 0.4 }), { seed: 1, layout: 'EOI' }).data;
    const slice = [
      [1, 2],
      [5, 30],
      [3, 17],
    ] as const;
    const part = fillSync('w', shape, sparse({ sparsity: 0.4 }), { seed: 1, layout: 'EOI', slice }).data;
    let at = 0;
    for (let r = 5; r < 30; r++)
      for (let c = 3; c < 17; c++) expect(part[at++]).toBe(whole[(33 + r) * 21 + c]);
    expect(at).toBe(part.length);
  });

  it('is what it should be at the ends', () => {
    const tensor = { name: 'w', shape: [4, 3] };
    expect(lawOf(sparse({ sparsity: 0 }), tensor)).toEqual({ kind: 'normal', mean: 0, std: 0.01 });
    expect(lawOf(sparse({ sparsity: 0.5, std: 0 }), tensor)).toEqual({ kind: 'constant', value: 0 });
    expect(lawOf(sparse({ sparsity: 0.99 }), tensor)).toEqual({ kind: 'constant', value: 0 });
    for (const shape of [
      [0, 3],
      [4, 0],
    ])
      expect(fillSync('w', shape, sparse({ sparsity: 0.5 }), { seed: 1 }).data.length).toBe(0);
  });

  it('knows its moments', () => {
    const shape = [10, 5];
    const law = lawOf(sparse({ sparsity: 0.25, std: 2 }), { name: 'w', shape });
    expect(lawMoments(law, 50)).toEqual({ mean: 0, std: expect.closeTo(2 * Math.sqrt(0.7), 12) });
  });

  it('wants a matrix', () => {
    const use = (shape: number[], layout?: string) => () =>
      fillSync('w', shape, sparse({ sparsity: 0.5 }), {
        seed: 1,
        ...(layout === undefined ? {} : { layout }),
      });
    expect(use([4])).toThrow(invalid('INVALID_SHAPE', 'rank 2'));
    expect(use([4, 3, 3, 3])).toThrow(invalid('INVALID_SHAPE', 'rank 2'));
    expect(use([4, 3, 3, 3], 'OIHW')).toThrow(invalid('INVALID_LAYOUT', 'one O, one I'));
    expect(use([4], 'O')).toThrow(invalid('INVALID_LAYOUT', 'one O, one I'));
  });

  it('stands in a plan', () => {
    const init = { kind: 'sparse', sparsity: 0.9 };
    const plan = parsePlan({ tensors: [{ name: 'w', shape: [8, 4], init }] });
    expect(plan.tensors[0]!.init).toEqual(sparse({ sparsity: 0.9 }));
  });
});
