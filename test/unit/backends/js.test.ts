import { describe, expect, it } from 'vitest';
import { jsBackend } from '../../../src/backends/js.js';
import { prepareFill } from '../../../src/fill.js';
import { normal } from '../../../src/initializers/index.js';

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
