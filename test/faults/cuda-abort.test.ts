// What could go wrong: a signal that aborts before, during or after a fill on a GPU; a process that ends during one.
import { expect, it } from 'vitest';
import { describeFakeCuda, runClean, runFake, SLOW } from '../helpers/fake-cuda.js';
import { TIMED } from '../helpers/native.js';

// Every copy and every launch takes 20 ms at least: 40 chunks of 8 MiB take more than a second.
const SLOWLY = { delay: 20_000 };
const LARGE = '[40 * 2 ** 20], zeros()';

describeFakeCuda('abort on cuda', () => {
  it('before the fill rejects with the reason, and asks the device for nothing', async () => {
    const lines = await runClean(`
      const reason = new Error('planned');
      const options = { seed: 1, device: 'cuda', signal: AbortSignal.abort(reason) };
      for (const keep of ['host', 'device']) {
        for (const shape of [[3], [1 << 20]]) {
          await outcome(fill('w', shape, law, { ...options, keep }));
          print(last === reason);
        }
        await outcome(isometry.fillModel({ tensors: [{ name: 'w', shape: [3], init: law }] }, { ...options, keep }));
        print(last === reason);
      }
      print(gpu().launches, gpu().allocations);`);
    expect(lines).toEqual([...Array(6).fill('true'), '0 0']);
  });

  it('during the fill rejects soon, and the next fill is right', { ...SLOW, ...TIMED }, async () => {
    const lines = await runClean(
      `await fill('warm', [100_000], law, { seed: 1, device: 'cuda' });
       const { live } = gpu();
       const controller = new AbortController();
       const running = fill('w', ${LARGE}, { seed: 1, dtype: 'float64', device: 'cuda', signal: controller.signal });
       let aborted = 0;
       setTimeout(() => { aborted = performance.now(); controller.abort(); }, 100);
       print(await outcome(running), last === controller.signal.reason);
       const took = performance.now() - aborted;
       print(took < 400 || took);
       const next = await fill('v', [100_000], law, { seed: 1, device: 'cuda' });
       print(same(next, fillSync('v', [100_000], law, { seed: 1, device: 'cpu' })));`,
      SLOWLY,
      { timeout: 50_000 },
    );
    expect(lines).toEqual(['"AbortError" true', 'true', 'true']);
  });

  it('during a fill that stays on the device rejects, and frees the memory', TIMED, async () => {
    const lines = await runClean(
      `for (const make of [
         (signal) => fill('w', [1 << 18], law, { seed: 1, keep: 'device', signal }),
         (signal) => isometry.fillModel({ tensors: [{ name: 'w', shape: [1 << 18], init: law }, { name: 'v', shape: [9], init: law }] }, { seed: 1, keep: 'device', signal }),
       ]) {
         const blocker = fill('b', [1 << 18], law, { seed: 1, device: 'cuda' }); // the device has something to do
         const controller = new AbortController();
         const running = make(controller.signal);
         setTimeout(() => controller.abort(), 5);
         print(await outcome(running), last === controller.signal.reason);
         await blocker;
         await settled(() => deviceMemory().allocations === 0);
         print(deviceMemory());
       }`,
      { delay: 100_000 },
    );
    const freed = '{"allocations":0,"bytes":0,"collected":0}';
    expect(lines).toEqual(['"AbortError" true', freed, '"AbortError" true', freed]);
  });

  it('after the fill changes nothing', async () => {
    const lines = await runClean(`
      const { getEventListeners } = await import('node:events');
      const controller = new AbortController();
      const options = { seed: 1, device: 'cuda', signal: controller.signal };
      const w = await fill('w', [1000], law, options);
      const t = await fill('w', [1000], law, { ...options, keep: 'device' });
      print(getEventListeners(controller.signal, 'abort').length);
      controller.abort();
      print(same(w, await t.toHost()), same(w, fillSync('w', [1000], law, { seed: 1 })));
      t.dispose();`);
    expect(lines).toEqual(['0', 'true true']);
  });

  it('at 200 random moments settles every fill and leaks nothing', SLOW, async () => {
    const lines = await runClean(`
      const ends = {};
      const right = fillSync('w', [70_000], law, { seed: 1 });
      await Promise.all(Array.from({ length: 200 }, async (_, k) => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), k % 40);
        const keep = k % 2 ? 'device' : 'host';
        try {
          const made = await fill('w', [70_000], law, { seed: 1, device: 'cuda', keep, signal: controller.signal });
          const host = k % 2 ? await made.toHost() : made;
          made.dispose?.();
          ends[same(host, right) ? 'right' : 'wrong'] = (ends[same(host, right) ? 'right' : 'wrong'] ?? 0) + 1;
        } catch (error) {
          ends[error.name] = (ends[error.name] ?? 0) + 1;
        }
      }));
      print(ends.wrong ?? 0, (ends.right ?? 0) + (ends.AbortError ?? 0), deviceMemory().allocations);`);
    expect(lines).toEqual(['0 200 0']);
  });
});

describeFakeCuda('a process that ends during a fill on a GPU', () => {
  const START = `
    const { writeSync } = await import('node:fs');
    await fill('warm', [1000], law, { seed: 1, device: 'cuda' });
    const running = fill('w', ${LARGE}, { seed: 1, dtype: 'float64', device: 'cuda' });
    const mark = () => writeSync(1, 'ending ' + Date.now() + '\\n');`;

  it.each([
    ['process.exit()', 'process.exit(7)', 7, null],
    ['an uncaught exception', 'throw new Error("planned")', 1, null],
    ['SIGTERM', 'process.kill(process.pid, "SIGTERM")', null, 'SIGTERM'],
  ])('by %s ends soon and does not crash', { ...SLOW, ...TIMED }, async (_, action, code, signal) => {
    const result = await runFake(`${START} setTimeout(() => { mark(); ${action}; }, 100);`, SLOWLY);
    const ended = Date.now();
    expect([result.code, result.signal]).toEqual([code, signal]);
    expect(ended - Number(/ending (\d+)/.exec(result.stdout)?.[1])).toBeLessThan(600);
    expect(result.report?.damage ?? []).toEqual([]);
  });

  it('by itself waits until the fill is done', SLOW, async () => {
    const lines = await runClean(
      `fill('w', [3_000_000], law, { seed: 1, device: 'cuda' }).then((w) => print(w.data.at(-1) !== 0));`,
      SLOWLY,
    );
    expect(lines).toEqual(['true']);
  });

  it('is not kept alive by an open device', TIMED, async () => {
    const result = await runFake(
      `setTimeout(() => print('still here'), 8000).unref();
       globalThis.t = await fill('w', [1000], law, { seed: 1, keep: 'device' });`,
    );
    expect([result.code, result.stdout]).toEqual([0, '']);
    expect(result.ms).toBeLessThan(5000);
  });
});
