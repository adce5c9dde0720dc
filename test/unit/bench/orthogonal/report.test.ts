import { describe, expect, it } from 'vitest';
import { type Case, makeCases } from '../../../../bench/orthogonal/cases.mjs';
import {
  goalsOf,
  type Measured,
  memoryTable,
  rowsOf,
  tableOf,
  titleOf,
  verdictOf,
} from '../../../../bench/orthogonal/report.mjs';

function caseOf(size: string, dtype: string, first = 'isometry'): Case {
  return makeCases({ sizes: [size], cpus: 2 }).find(
    ({ dtype: kind, threads, contenders }) =>
      kind === dtype && contenders[0] === first && (threads === 2 || first === 'isometry js'),
  )!;
}

/** The cells of a Markdown table's rows, without what lines them up. */
function cells(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

describe('verdictOf', () => {
  it.each<[number, { must: number; aim?: number; smaller?: boolean }, string]>([
    [2.9, { must: 3, aim: 5 }, 'MISSED'],
    [3, { must: 3, aim: 5 }, 'must met'],
    [5, { must: 3, aim: 5 }, 'aim met'],
    [2e-6, { must: 2e-6, smaller: true }, 'must met'],
    [2.1e-6, { must: 2e-6, smaller: true }, 'MISSED'],
    [Number.NaN, { must: 3, aim: 5 }, 'MISSED'],
    [Number.NaN, { must: 2e-6, smaller: true }, 'MISSED'],
  ])('%f beside %o: %s', (value, goal, verdict) => {
    expect(verdictOf(value, goal)).toBe(verdict);
  });
});

describe('titleOf', () => {
  it('tells shapes, stacks, threads and JavaScript apart', () => {
    expect(titleOf(caseOf('4096x1024', 'float64'))).toBe('orthogonal float64, 4096×1024, 2 threads');
    expect(titleOf(caseOf('64', 'float32'))).toBe('orthogonal float32, 1024 matrices of 64×64, 2 threads');
    expect(titleOf(caseOf('256', 'float32', 'isometry js'))).toBe(
      'orthogonal float32, 256×256, in JavaScript',
    );
  });
});

const measured = new Map<string, Measured>([
  ['isometry', { milliseconds: [100, 400, 100], error: 3e-7 }],
  ['isometry avx2', { milliseconds: [200, 200, 200], error: 2.5e-6 }],
  ['PyTorch', { milliseconds: [400, 1600], error: 8e-7 }],
  ['matmul', { milliseconds: [50, 50, 50] }],
  ['NumPy', { reason: 'it has none' }],
]);

describe('a case', () => {
  const square = caseOf('1024', 'float32');
  const rows = rowsOf(square, measured);

  it('has times, rates, errors, ratios and verdicts', () => {
    expect(cells(tableOf(square, rows)).slice(2)).toEqual([
      ['isometry', '100.00', '100.00 – 400.00', '3', '14.3', '3.0e-7', '1.00×', '', '', ''],
      ['isometry avx2', '200.00', '200.00 – 200.00', '3', '7.2', '2.5e-6', '2.00×', '', '', ''],
      ['PyTorch', '1000.00', '400.00 – 1600.00', '2', '1.4', '8.0e-7', '4.00×', '3', '6', 'must met'],
      ['matmul', '50.00', '50.00 – 50.00', '3', '28.6', '', '0.50×', '', '', ''],
    ]);
  });

  it('says who takes no part, and why', () => {
    expect(tableOf(square, rows)).toContain('\n\n- NumPy takes no part: it has none\n');
    expect(tableOf(square, rows.slice(0, 4))).not.toContain('takes no part');
  });

  it('has no bar in a cell, which would be a column', () => {
    const [headings, ...others] = cells(tableOf(square, rows));
    for (const row of others) expect(row).toHaveLength(headings!.length);
  });
});

describe('goalsOf', () => {
  it('has the ratios, and the worst error of any of ours', () => {
    const testCase = caseOf('1024', 'float32');
    const title = titleOf(testCase);
    expect(cells(goalsOf([{ testCase, rows: rowsOf(testCase, measured) }])).slice(2)).toEqual([
      [title, 'as fast as PyTorch', '4.00×', '3×', '6×', 'must met'],
      [title, 'max abs(QᵀQ − I)', '2.5e-6', '2e-6', '', 'MISSED'],
    ]);
  });

  it('has the time of plain JavaScript, which is to stay below its limit', () => {
    const testCase = caseOf('256', 'float32', 'isometry js');
    const turns = new Map<string, Measured>([
      ['isometry js', { milliseconds: [100, 110], error: 3e-7 }],
      ['tfjs', { milliseconds: [17_000], error: 1e-6 }],
    ]);
    const title = titleOf(testCase);
    const rows = rowsOf(testCase, turns);
    expect(cells(goalsOf([{ testCase, rows }])).slice(2)).toEqual([
      [title, 'as fast as tfjs', '170.00×', '100×', '300×', 'must met'],
      [title, 'time', '0.105 s', '0.200 s', '', 'must met'],
      [title, 'max abs(QᵀQ − I)', '3.0e-7', '2e-6', '', 'must met'],
    ]);
  });

  it('asks nothing of a bfloat16, whose own rounding is larger', () => {
    const testCase = caseOf('1024', 'bfloat16');
    const turns = new Map<string, Measured>([['isometry', { milliseconds: [1], error: 3e-3 }]]);
    expect(cells(goalsOf([{ testCase, rows: rowsOf(testCase, turns) }]))).toHaveLength(2);
  });
});

describe('memoryTable', () => {
  it('has the multiple of the output, which is to stay below the limit', () => {
    const of = (peak: number) => ({
      shape: [1024, 1024],
      dtype: 'float32',
      backend: 'cpu',
      output: 2 ** 22,
      peak,
    });
    expect(cells(memoryTable([of(2.5 * 2 ** 22), of(2.6 * 2 ** 22)])).slice(2)).toEqual([
      ['float32 1024×1024', 'cpu', '4.0', '10.0', '2.50×', '2.5×', 'must met'],
      ['float32 1024×1024', 'cpu', '4.0', '10.4', '2.60×', '2.5×', 'MISSED'],
    ]);
  });
});
