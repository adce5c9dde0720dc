import { describe, expect, it } from 'vitest';
import { type Case, makeCases, operationsOf, SIZES } from '../../../../bench/orthogonal/cases.mjs';

const sizes = [...SIZES.keys()];
const cases = makeCases({ sizes, cpus: 2 });

/** What a case is told apart by. */
function keyOf({ size, dtype, threads, contenders }: Case): string {
  return `${size} ${dtype} ${contenders[0] === 'isometry js' ? 'js' : threads}`;
}

describe('makeCases', () => {
  it('has every size in every dtype, with one thread and with all', () => {
    const keys = cases.map(keyOf);
    expect(new Set(keys).size).toBe(keys.length);
    for (const size of sizes) {
      for (const dtype of ['float32', 'float64']) {
        expect(keys).toContain(`${size} ${dtype} 1`);
        expect(keys).toContain(`${size} ${dtype} 2`);
      }
      expect(keys).toContain(`${size} bfloat16 2`);
    }
  });

  it('begins every case with ours, which the others are compared to', () => {
    for (const { contenders, goals } of cases) {
      expect(contenders[0]).toMatch(/^isometry( js)?$/);
      expect(contenders.length).toBeGreaterThan(1);
      for (const name of goals.keys()) expect(contenders).toContain(name);
    }
  });

  it('asks for a goal once: float32, all threads, or plain JavaScript', () => {
    const asked = cases.flatMap((one) =>
      [...one.goals].map(([name, { must }]) => `${keyOf(one)} ${name} ${must}`),
    );
    expect(asked).toEqual([
      '256 float32 2 PyTorch 1.5',
      '1024 float32 2 PyTorch 3',
      '2048 float32 2 PyTorch 3',
      '4096 float32 2 PyTorch 3',
      '256 float32 js tfjs 100',
    ]);
    const limited = cases.filter(({ limit }) => limit !== undefined);
    expect(limited.map((one) => `${keyOf(one)} ${one.limit}`)).toEqual([
      '256 float32 js 200',
      '1024 float32 js 8000',
    ]);
  });

  it('does not measure one thread twice on a machine that has one', () => {
    const keys = makeCases({ sizes: ['256'], cpus: 1 }).map(keyOf);
    expect(keys).toEqual([
      '256 float32 1',
      '256 float64 1',
      '256 bfloat16 1',
      '256 float32 js',
      '256 float64 js',
    ]);
    const [first] = makeCases({ sizes: ['256'], cpus: 1 });
    expect([...first!.goals.keys()]).toEqual(['PyTorch']);
  });
});

describe('operationsOf', () => {
  /** Column c has passed through the reflections c, c − 1, … 0, of M − i elements each: a sum and an update. */
  function counted(rows: number, cols: number): number {
    let operations = 0;
    for (let c = 0; c < cols; c++) for (let i = 0; i <= c; i++) operations += 4 * (rows - i);
    return operations;
  }

  it('is 4/3·n³ of a square matrix', () => {
    expect(operationsOf([300, 300])).toBeCloseTo((4 / 3) * 300 ** 3, 3);
  });

  it.each([
    [1000, 1000],
    [1000, 250],
    [2000, 20],
  ])('is what is counted one by one, but for lower powers: %i × %i', (rows, cols) => {
    const ratio = counted(rows, cols) / operationsOf([rows, cols]);
    expect(ratio).toBeGreaterThan(1);
    expect(ratio).toBeLessThan(1 + 2 / cols);
  });

  it('is the same of a wide matrix, and a multiple of a stack', () => {
    expect(operationsOf([64, 400])).toBe(operationsOf([400, 64]));
    expect(operationsOf([10, 64, 64])).toBe(10 * operationsOf([64, 64]));
  });
});
