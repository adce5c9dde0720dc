// What could go wrong: a signal that aborts before, during or after a fill, or that outlives a thousand of them.
import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cpuBackend, fillWith } from '../../src/backends/cpu.js';
import { jsBackend } from '../../src/backends/js.js';
import type { Backend } from '../../src/backends/types.js';
import { fill, prepareFill } from '../../src/fill.js';
import { normal } from '../../src/initializers/index.js';
import { native, TIMED } from '../helpers/native.js';

const backends: readonly Backend[] = native === null ? [jsBackend] : [cpuBackend, jsBackend];
const law = normal({ std: 1 });

/** About a second of work, or much more. */
function large(backend: Backend): { shape: number[]; device: 'cpu' | 'js' } {
  return backend === jsBackend ? { shape: [2 ** 25], device: 'js' } : { shape: [2 ** 27], device: 'cpu' };
}

describe.each(backends.map((backend) => [backend.name, backend] as const))('abort on %s', (_, backend) => {
  const { shape, device } = large(backend);

  it('before the fill rejects with the reason and computes nothing', TIMED, async () => {
    const reason = new Error('planned');
    const signal = AbortSignal.abort(reason);
    const began = performance.now();
    await expect(fill('w', shape, law, { seed: 1, device, signal })).rejects.toBe(reason);
    await expect(fill('w', [3], law, { seed: 1, device, signal })).rejects.toBe(reason);
    expect(performance.now() - began).toBeLessThan(50);
  });

  it('during the fill rejects within 100 ms, and the next fill is right', TIMED, async () => {
    const controller = new AbortController();
    const running = fill('w', shape, law, { seed: 1, dtype: 'float64', device, signal: controller.signal });
    let aborted = 0;
    setTimeout(() => {
      aborted = performance.now();
      controller.abort();
    }, 30);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - aborted).toBeLessThan(100);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    const next = await fill('w', [200_003], law, { seed: 1, device });
    const whole = await fill('w', [200_003], law, { seed: 1, device: 'js' });
    expect(Buffer.compare(Buffer.from(next.data.buffer), Buffer.from(whole.data.buffer))).toBe(0);
  });

  it('by a timeout rejects with a TimeoutError', async () => {
    const signal = AbortSignal.timeout(20);
    await expect(fill('w', shape, law, { seed: 1, dtype: 'float64', device, signal })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  it('after the fill changes nothing and leaves no listener', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const w = await fill('w', [100_000], law, { seed: 1, device, signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    const copy = w.data.slice();
    controller.abort();
    expect(w.data).toEqual(copy);
  });

  it('one signal for 1000 fills keeps no listener', async () => {
    const { signal } = new AbortController();
    const warnings: Error[] = [];
    const listen = (warning: Error) => warnings.push(warning);
    process.on('warning', listen);
    const { request } = prepareFill('w', [70_000], law, { seed: 1, dtype: 'bfloat16' });
    const target = new Uint16Array(200);
    const fills = Array.from({ length: 1000 }, () => backend.fill(request, target.slice(), 0, signal));
    await Promise.all(fills);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await new Promise((resolve) => setImmediate(resolve)); // warnings come later
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  it('with 1000 signals at random moments settles every fill', async () => {
    const { request } = prepareFill('w', [70_000], law, { seed: 1 });
    let done = 0;
    let aborted = 0;
    const fills = Array.from({ length: 1000 }, (_, k) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), k % 20);
      return backend.fill(request, new Float32Array(64), 0, controller.signal).then(
        () => done++,
        () => aborted++,
      );
    });
    await Promise.all(fills);
    expect(done + aborted).toBe(1000);
  });
});

describe.skipIf(native === null)('abort with one thread', () => {
  it('lets the job that waits behind the aborted one run', TIMED, async () => {
    const controller = new AbortController();
    const slow = prepareFill('w', [2 ** 26], law, { seed: 1 }).request;
    const quick = prepareFill('v', [100_000], law, { seed: 1 }).request;
    const first = fillWith(slow, new Float32Array(2 ** 26), 0, {
      simd: 'portable',
      threads: 1,
      signal: controller.signal,
    });
    const began = performance.now();
    await fillWith(quick, new Float32Array(100_000), 0, { threads: 1 });
    expect(performance.now() - began).toBeLessThan(150); // not the second that the first one takes
    controller.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  });
});
