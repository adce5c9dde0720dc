// What could go wrong: worker threads, each with an environment of its own, work on one device, end while they do, and
// leave its memory behind.
import { expect, it } from 'vitest';
import { describeFakeCuda, runClean, runFake, SLOW } from '../helpers/fake-cuda.js';
import { TIMED } from '../helpers/native.js';

const WORKERS = `
  const { Worker } = await import('node:worker_threads');
  const inWorker = (code) => new Worker(
    'const { parentPort } = require("node:worker_threads"); import(' + JSON.stringify(DIST + 'index.js') + ')' +
    '.then(async (isometry) => { const { fill, fillSync, fillInto, normal, zeros } = isometry; const law = normal({ std: 0.5 });' +
    'const hash = (t) => require("node:crypto").createHash("sha256").update(t.data).digest("hex");' + code + '});',
    { eval: true, execArgv: [] });
  const ended = (worker) => new Promise((resolve) => {
    const seen = { messages: [], errors: [] };
    worker.on('message', (message) => seen.messages.push(message));
    worker.on('error', (error) => seen.errors.push(error.message));
    worker.on('exit', (code) => resolve({ ...seen, code }));
  });
  const { createHash } = await import('node:crypto');
  const hash = (t) => createHash('sha256').update(t.data).digest('hex');
`;
const BOTH = `
  for (let k = 0; k < 10; k++) {
    const host = fill('w', [100_003], law, { seed: 1, device: 'cuda' });
    const device = await fill('w', [100_003], law, { seed: 1, keep: 'device' });
    const sync = fillSync('w', [100_003], law, { seed: 1, device: 'cuda' });
    for (const t of [await host, sync, await device.toHost()]) parentPort.postMessage(hash(t));
    device.dispose();
  }`;

describeFakeCuda('worker threads on one device', () => {
  it('fill at the same time with the same result', SLOW, async () => {
    const lines = await runClean(`${WORKERS}
      const right = hash(fillSync('w', [100_003], law, { seed: 1, device: 'cpu' }));
      const all = await Promise.all(Array.from({ length: 3 }, () => ended(inWorker(${JSON.stringify(BOTH)}))));
      for (const { code, errors, messages } of all) print(code, errors, messages.length, messages.every((each) => each === right));
      print(deviceMemory());`);
    expect(lines).toEqual([...Array(3).fill('0 [] 30 true'), '{"allocations":0,"bytes":0,"collected":0}']);
  });

  it('and the main thread beside them', SLOW, async () => {
    const lines = await runClean(`${WORKERS}
      const right = hash(fillSync('w', [100_003], law, { seed: 1, device: 'cpu' }));
      const workers = Promise.all([ended(inWorker(${JSON.stringify(BOTH)})), ended(inWorker(${JSON.stringify(BOTH)}))]);
      let equal = true;
      for (let k = 0; k < 10; k++) {
        const t = await fill('w', [100_003], law, { seed: 1, keep: 'device' });
        equal &&= hash(await t.toHost()) === right;
        t.dispose();
      }
      const all = await workers;
      print(equal, all.every(({ code, messages }) => code === 0 && messages.length === 30 && messages.every((each) => each === right)));`);
    expect(lines).toEqual(['true true']);
  });

  it('give back what they hold when they end', SLOW, async () => {
    const HOLD = `globalThis.held = [await fill('a', [1000], law, { seed: 1, keep: 'device' }), fillSync('b', [9], law, { seed: 1, keep: 'device' })];
      parentPort.postMessage('holds');`;
    const lines = await runClean(`${WORKERS}
      const own = await fill('own', [10], law, { seed: 1, keep: 'device' });
      const { live } = gpu();
      for (const suffix of ['', 'process.exit(0);', 'throw new Error("planned");']) {
        const { messages } = await ended(inWorker(${JSON.stringify(HOLD)} + suffix));
        print(messages, deviceMemory().allocations, gpu().live === live || gpu().live - live);
      }
      print(same(await own.toHost(), fillSync('own', [10], law, { seed: 1 })));
      own.dispose();`);
    expect(lines).toEqual([...Array(3).fill('["holds"] 1 true'), 'true']);
  });

  it.each([
    [
      'into host memory',
      `await fill('w', [40 * 2 ** 20], zeros(), { seed: 1, dtype: 'float64', device: 'cuda' });`,
    ],
    [
      'that stays on the device',
      `for (;;) (await fill('w', [1 << 16], law, { seed: 1, keep: 'device' })).dispose();`,
    ],
  ])('can be terminated during a fill %s, and the others go on', { ...SLOW, ...TIMED }, async (_, busy) => {
    const lines = await runClean(
      `${WORKERS}
       const own = await fill('own', [1000], law, { seed: 1, keep: 'device' });
       for (let k = 0; k < 4; k++) {
         const worker = inWorker('parentPort.postMessage("started"); ' + ${JSON.stringify(busy)} + ' parentPort.postMessage("never");');
         const end = ended(worker);
         await new Promise((resolve) => worker.once('message', resolve));
         await new Promise((resolve) => setTimeout(resolve, 60));
         const began = performance.now();
         await worker.terminate();
         if (performance.now() - began > 600) print('slow', performance.now() - began);
         if ((await end).messages.includes('never')) print('the fill was too quick for this test');
       }
       print(deviceMemory().allocations);
       const next = await fill('w', [100_003], law, { seed: 1, device: 'cuda' });
       print(same(next, fillSync('w', [100_003], law, { seed: 1 })), same(await own.toHost(), fillSync('own', [1000], law, { seed: 1 })));
       own.dispose();`,
      { delay: 20_000 },
      { timeout: 50_000 },
    );
    expect(lines).toEqual(['1', 'true true']);
  });

  it('alone on the device can be terminated during a fill, which closes the device', {
    ...SLOW,
    ...TIMED,
  }, async () => {
    const lines = await runClean(
      `${WORKERS}
       for (let k = 0; k < 3; k++) {
         const worker = inWorker('parentPort.postMessage(1); await fill("w", [40 * 2 ** 20], zeros(), { seed: 1, dtype: "float64", device: "cuda" });');
         await new Promise((resolve) => worker.once('message', resolve));
         await new Promise((resolve) => setTimeout(resolve, 60));
         await worker.terminate();
         print(gpu().live, gpu().damage);
       }`,
      { delay: 20_000 },
      { timeout: 50_000 },
    );
    expect(lines).toEqual(Array(3).fill('0 0'));
  });

  it('may still work when the main thread exits', SLOW, async () => {
    const result = await runFake(
      `${WORKERS} for (let k = 0; k < 3; k++) inWorker('await fill("w", [40 * 2 ** 20], zeros(), { seed: 1, dtype: "float64", device: "cuda" });');
       setTimeout(() => process.exit(6), 400);`,
      { delay: 20_000 },
      { timeout: 50_000 },
    );
    expect([result.code, result.signal]).toEqual([6, null]);
  });
});
