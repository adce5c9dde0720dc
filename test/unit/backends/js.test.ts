import { describe, expect, it } from 'vitest';
import { jsBackend } from '../../../src/backends/js.js';
import { prepareFill } from '../../../src/fill.js';
import { normal, orthogonal } from '../../../src/initializers/index.js';

const COUNT = 1_500_007;
const { request } = prepareFill('w', [COUNT], normal({ std: 1 }), { seed: 42 });

describe('jsBackend', () => {
  it('gives the same in slices as at once, for any window', async () => {
    const whole = new Float32Array(COUNT);
    jsBackend.fillSync(request, whole, 0);
    for (const [start, length] of [
      [0, COUNT],
      [1, 100_000],
      [77_777, 600_001],
      [COUNT, 0],
    ] as const) {
      const part = new Float32Array(length);
      await jsBackend.fill(request, part, start);
      expect(Buffer.compare(Buffer.from(part.buffer), Buffer.from(whole.buffer, start * 4, length * 4))).toBe(
        0,
      );
    }
  });

  it('lets the event loop run meanwhile', { retry: 2 }, async () => {
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await jsBackend.fill(request, new Float32Array(COUNT), 0);
    clearInterval(timer);
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(60); // slices of 10 ms
  });

  it('rejects at once when the signal has aborted', async () => {
    const target = new Float32Array(64);
    await expect(jsBackend.fill(request, target, 0, AbortSignal.abort('planned'))).rejects.toBe('planned');
    expect(target.every((value) => value === 0)).toBe(true);
  });
});

describe('orthogonal matrices of jsBackend', () => {
  const SIDE = 700;
  const { request: matrix } = prepareFill('w', [SIDE, SIDE], orthogonal(), { seed: 42 });

  it('give the same in slices as at once, tell how far they are and let the event loop run', async () => {
    const atOnce = new Float32Array(SIDE * SIDE);
    jsBackend.fillSync(matrix, atOnce, 0);
    const inSlices = new Float32Array(SIDE * SIDE);
    const told: number[] = [];
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await jsBackend.fill(matrix, inSlices, 0, undefined, (fraction) => told.push(fraction));
    clearInterval(timer);
    expect(Buffer.compare(Buffer.from(inSlices.buffer), Buffer.from(atOnce.buffer))).toBe(0);
    expect(told.length).toBeGreaterThan(5);
    expect(told.every((fraction, i) => fraction >= (told[i - 1] ?? 0) && fraction <= 1)).toBe(true);
    expect(ticks).toBeGreaterThan(5);
  });

  it.each([
    ['one', [SIDE, SIDE]],
    ['many', [5000, 9, 9]],
  ])('stop when the signal aborts: %s', async (_, shape) => {
    const layout = shape.length === 3 ? 'EOI' : 'OI';
    const { request: matrices } = prepareFill('w', shape, orthogonal(), { seed: 42, layout });
    const target = new Float32Array(matrices.length);
    const controller = new AbortController();
    const work = jsBackend.fill(matrices, target, 0, controller.signal, (fraction) => {
      if (fraction > 0.2) controller.abort('planned');
    });
    await expect(work).rejects.toBe('planned');
    expect(target.at(-1)).toBe(0);
  });

  it('are not begun when the signal has aborted', async () => {
    const target = new Float32Array(SIDE * SIDE);
    await expect(jsBackend.fill(matrix, target, 0, AbortSignal.abort('planned'))).rejects.toBe('planned');
    expect(target.every((value) => value === 0)).toBe(true);
  });
});
