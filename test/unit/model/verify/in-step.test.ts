import { describe, expect, test } from 'vitest';
import { inStep } from '../../../../src/model/verify/in-step.js';

describe('two streams in step', () => {
  let open = 0;

  async function* numbers(count: number, failAt = Number.POSITIVE_INFINITY): AsyncGenerator<number> {
    open++;
    try {
      for (let value = 0; value < count; value++) {
        await Promise.resolve();
        if (value === failAt) throw new Error('broken');
        yield value;
      }
    } finally {
      open--;
    }
  }

  async function pairs(a: AsyncGenerator<number>, b: AsyncGenerator<number>): Promise<(readonly number[])[]> {
    const seen: (readonly number[])[] = [];
    for await (const pair of inStep(a, b)) seen.push(pair);
    return seen;
  }

  test('are paired, and both are closed when one ends', async () => {
    expect(await pairs(numbers(2), numbers(2))).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(await pairs(numbers(1), numbers(3))).toEqual([[0, 0]]);
    expect(await pairs(numbers(3), numbers(1))).toEqual([[0, 0]]);
    expect(open).toBe(0);
  });

  test('are closed when the loop is left', async () => {
    for await (const [x] of inStep(numbers(3), numbers(3))) {
      if (x === 1) break;
    }
    expect(open).toBe(0);
  });

  test('are closed when one fails, or who reads them', async () => {
    await expect(pairs(numbers(3), numbers(3, 1))).rejects.toThrow('broken');
    await expect(pairs(numbers(3, 0), numbers(3))).rejects.toThrow('broken');
    const reading = async (): Promise<void> => {
      for await (const _ of inStep(numbers(3), numbers(3))) throw new Error('mine');
    };
    await expect(reading()).rejects.toThrow('mine');
    expect(open).toBe(0);
  });
});
