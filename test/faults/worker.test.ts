// What could go wrong: worker threads come and go, each with an environment of its own, over one pool of threads; the
// addon is unloaded with the last environment that loaded it.
import { expect } from 'vitest';
import { runNode } from '../helpers/child.js';
import { describeNative, itNative, TIMED } from '../helpers/native.js';

const PREPARE = `
  const { Worker } = await import('node:worker_threads');
  const { createHash } = await import('node:crypto');
  const { readFileSync } = await import('node:fs');
  const hash = (w) => createHash('sha256').update(w.data).digest('hex');
  const inWorker = (code) => new Worker(
    'const { parentPort } = require("node:worker_threads"); import(' + JSON.stringify(DIST + 'index.js') + ')' +
    '.then(async (isometry) => {' + code + '});', { eval: true, execArgv: [] });
  const ended = (worker) => new Promise((resolve) => {
    const seen = { messages: [], errors: [] };
    worker.on('message', (message) => seen.messages.push(message));
    worker.on('error', (error) => seen.errors.push(error.message));
    worker.on('exit', (code) => resolve({ ...seen, code }));
  });
  const isMapped = () => /isometry[^/]*\\.node/.test(readFileSync('/proc/self/maps', 'utf8'));
  const SLOW = "isometry.fill('w', [2 ** 26], isometry.normal({ std: 1 }), { seed: 1, dtype: 'float64' })";
  const LARGE = "isometry.fill('w', [300007], isometry.normal({ std: 0.02 }), { seed: 42 })";
`;

async function run(code: string, env: Record<string, string> = {}): Promise<string> {
  const result = await runNode(PREPARE + code, { env, timeout: 25_000 });
  expect(result.signal, result.stderr).toBe(null);
  expect(result.code, result.stderr).toBe(0);
  return result.stdout.trim();
}

describeNative('worker threads', () => {
  itNative(
    'can be terminated during a fill, and the others go on',
    async () => {
      const output = await run(
        `for (let k = 0; k < 5; k++) {
         const worker = inWorker('parentPort.postMessage("started"); await ' + SLOW + '; parentPort.postMessage("never");');
         const end = ended(worker);
         await new Promise((resolve) => worker.once('message', resolve));
         await new Promise((resolve) => setTimeout(resolve, 30));
         const began = performance.now();
         await worker.terminate();
         const took = performance.now() - began;
         if (took > 200) console.log('slow', took);
         const { messages } = await end;
         if (messages.includes('never')) console.log('the fill was too quick for this test');
       }
       const w = await isometry.fill('w', [300007], isometry.normal({ std: 1 }), { seed: 42 });
       const js = await isometry.fill('w', [300007], isometry.normal({ std: 1 }), { seed: 42, device: 'js' });
       console.log(hash(w) === hash(js));`,
        { ISOMETRY_CPU_TARGET: 'portable', ISOMETRY_THREADS: '2' },
      );
      expect(output).toBe('true');
    },
    TIMED,
  );

  itNative('fill at the same time with the same result, 20 of them', async () => {
    const output = await run(`
      const js = await isometry.fill('w', [300007], isometry.normal({ std: 0.02 }), { seed: 42, device: 'js' });
      const code = 'const w = await ' + LARGE + '; parentPort.postMessage(' +
        'require("node:crypto").createHash("sha256").update(w.data).digest("hex"));';
      const all = await Promise.all(Array.from({ length: 20 }, () => ended(inWorker(code))));
      console.log(all.every(({ code, errors, messages }) =>
        code === 0 && errors.length === 0 && messages.length === 1 && messages[0] === hash(js)));`);
    expect(output).toBe('true');
  });

  itNative('load and unload the addon, 20 times one after the other', async () => {
    const output = await run(`
      let loaded = 0, unloaded = 0;
      for (let k = 0; k < 20; k++) {
        const worker = inWorker('const w = await ' + LARGE + '; parentPort.once("message", () => process.exit(0)); parentPort.postMessage(w.data[0]);');
        const end = ended(worker);
        await new Promise((resolve) => worker.once('message', resolve));
        loaded += isMapped();
        worker.postMessage('go');
        const { code, errors } = await end;
        if (code !== 0 || errors.length > 0) console.log(code, errors);
        unloaded += !isMapped();
      }
      console.log(loaded, unloaded);`);
    expect(output).toBe('20 20');
  });

  itNative('that alone loaded the addon may throw', async () => {
    const output = await run(`
      for (let k = 0; k < 5; k++) {
        const result = await ended(inWorker(SLOW + '; setTimeout(() => { throw new Error("planned"); }, 20);'));
        console.log(result.code, result.errors.join());
      }`);
    expect(output).toBe(Array(5).fill('1 planned').join('\n'));
  });

  itNative(
    'may call process.exit during a fill',
    async () => {
      const output = await run(`
      const began = performance.now();
      const result = await ended(inWorker(SLOW + '; setTimeout(() => process.exit(4), 20);'));
      console.log(result.code, result.errors.length, performance.now() - began < 1500);`);
      expect(output).toBe('4 0 true');
    },
    TIMED,
  );

  itNative('may still run when the main thread exits', async () => {
    const result = await runNode(
      `${PREPARE} for (let k = 0; k < 4; k++) inWorker(SLOW); setTimeout(() => process.exit(6), 300);`,
    );
    expect([result.code, result.signal]).toEqual([6, null]);
  });
});
