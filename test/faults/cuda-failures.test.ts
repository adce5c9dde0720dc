// What could go wrong at any moment: the N-th call to the driver fails, for every N until nothing is left to fail. Each
// time: an error with a code (or the right bytes, where the call was not needed), nothing leaked, and the next fill
// works.
import { expect, it } from 'vitest';
import { describeFakeCuda, runClean, SLOW } from '../helpers/fake-cuda.js';

// Everything the backend does, with one tensor that needs several host chunks. Returns what it made, for comparison.
const SCENARIOS = `
  const big = [2_200_003], small = [4099], options = { seed: 7, device: 'cuda' };
  const table = truncatedNormal({ std: 1, sigmas: [0.1, 0.3] });
  globalThis.scenarios = {
    'host': async () => [await fill('a', big, law, options)],
    'host, synchronous': async () => [fillSync('a', small, table, options)],
    'device': async () => {
      const t = await fill('b', small, law, { ...options, keep: 'device' });
      try { return [await t.toHost()]; } finally { t.dispose(); }
    },
    'device, synchronous': async () => {
      const t = fillSync('b', small, table, { ...options, keep: 'device' });
      try {
        t.ipcHandle();
        fillInto(t, 'c', small, law, options);
        fillInto({ pointer: t.pointer + 8n, byteLength: 40, device: 0 }, 'd', [10], law, options);
        return [await t.toHost()];
      } finally { t.dispose(); }
    },
    'matrices': async () => [
      await fill('m', [20, 12], isometry.orthogonal(), { ...options, dtype: 'float64' }),
      fillSync('m', [2, 5, 7], isometry.orthogonal({ gain: 2 }), { ...options, layout: 'EOI' }),
    ],
    'matrices, device': async () => {
      const t = await fill('m', [9, 12], isometry.orthogonal(), { ...options, dtype: 'bfloat16', keep: 'device' });
      try { return [await t.toHost()]; } finally { t.dispose(); }
    },
    'model': async () => {
      const tensors = ['x', 'y', 'z'].map((name) => ({ name, shape: [1000], init: name === 'y' ? table : law }));
      const made = await isometry.fillModel({ tensors }, { seed: 7, keep: 'device' });
      const host = [];
      try { for (const t of made.values()) host.push(await t.toHost()); } finally { for (const t of made.values()) t.dispose(); }
      return host;
    },
  };
`;
// An invalid value (1) is also what the driver says of an address that it does not know.
const CODES = `const CODES = new Set(['ok', 'OUT_OF_MEMORY', 'DEVICE_ERROR', 'BACKEND_UNAVAILABLE', ...($CODE === 1 ? ['INVALID_TARGET'] : [])]);`;

// In this process: the device is open already.
const WARM = `
  ${CODES} ${SCENARIOS}
  for (const [name, scenario] of Object.entries(scenarios)) {
    const right = await scenario();
    const seen = {};
    let { live } = gpu();
    let at = 1;
    for (; at < 400; at++) {
      failCall(at, { code: $CODE });
      let made = null;
      const end = await outcome(async () => { made = await scenario(); });
      const { injected, hostOnlyFailures } = gpu();
      failCall(0);
      await settled(() => gpu().live === live, 300);
      if (injected === 0) break;
      seen[end] = (seen[end] ?? 0) + 1;
      if (!CODES.has(end)) print(name, at, end, last.stack);
      if (end !== 'ok' && last.name !== 'IsometryError') print(name, at, 'no IsometryError');
      if (end === 'ok' && !made.every((t, k) => same(t, right[k]))) print(name, at, 'other bytes');
      // Without the context a block cannot be freed: it stays until the device is closed, and no longer.
      if (gpu().live === live + 1 && hostOnlyFailures === 1) live++;
      if (gpu().live !== live) print(name, at, 'leaked', gpu().live - live, deviceMemory());
      const again = await outcome(async () => { made = await scenario(); });
      if (again !== 'ok') { print(name, at, 'and then', again, last.message); break; }
      if (!made.every((t, k) => same(t, right[k]))) print(name, at, 'other bytes afterwards');
    }
    print(name, at > 5 && at < 400, seen);
  }`;

// In a worker for every N, which opens the device and closes it again. It loads no more than it needs, for speed.
const WORKER = `
  const { parentPort, workerData: { DIST, requests } } = require('node:worker_threads');
  (async () => {
    const { probeCuda, cudaBackend } = await import(DIST + 'backends/cuda.js');
    const ends = [], hashes = [];
    const step = async (action) => {
      try { await action(); ends.push('ok'); } catch (error) { ends.push(error.name === 'IsometryError' ? error.code : error.stack); }
    };
    const note = (bytes) => hashes.push(require('node:crypto').createHash('sha256').update(bytes).digest('hex'));
    const { result, devices } = probeCuda();
    if (result !== 'ready') return parentPort.postMessage({ ends: ['BACKEND_UNAVAILABLE'], hashes });
    const backend = cudaBackend(devices[0]);
    const [large, small] = requests;
    await step(async () => {
      const { id, pointer } = backend.allocate(4 * large.length);
      try {
        backend.fillDeviceSync([{ request: large, start: 0, length: large.length, byteOffset: 0 }], pointer);
        backend.ipcHandle(pointer);
        const bytes = new Uint8Array(4 * large.length);
        await backend.copyToHost(pointer, bytes);
        note(bytes);
      } finally { backend.free(id); }
    });
    for (const request of [large, small]) {
      const target = new Float32Array(request.length);
      await step(async () => { await backend.fill(request, target, 0); note(target); });
    }
    parentPort.postMessage({ ends, hashes });
  })();`;

const COLD = `
  const { Worker } = await import('node:worker_threads');
  const { prepareFill } = await import(DIST + 'fill.js');
  ${CODES}
  const requests = [prepareFill('a', [70_001], law, { seed: 7 }).request, prepareFill('b', [9], truncatedNormal({ std: 1, sigmas: [0.1, 0.3] }), { seed: 7 }).request];
  const inWorker = () => new Promise((resolve) => {
    const worker = new Worker(${JSON.stringify(WORKER)}, { eval: true, execArgv: [], workerData: { DIST, requests } });
    let seen = { ends: ['nothing'], hashes: [] };
    worker.on('message', (message) => { seen = message; });
    worker.on('error', (error) => { seen = { ends: [String(error.stack)], hashes: [] }; });
    worker.on('exit', () => resolve(seen));
  });
  const right = await inWorker();
  const live = gpu().live, seen = {};
  let at = 1;
  for (; at < 500; at += $FOREVER ? 2 : 1) {
    failCall(at, { code: $CODE, forever: $FOREVER });
    const { ends, hashes } = await inWorker();
    const failed = gpu().injected;
    failCall(0);
    if (failed === 0) break;
    for (const end of ends) {
      seen[end] = (seen[end] ?? 0) + 1;
      if (!CODES.has(end)) print(at, end);
    }
    if (!hashes.every((hash) => right.hashes.includes(hash))) print(at, 'other bytes');
    if (gpu().live !== live) { print(at, 'leaked', gpu().live - live); break; }
    if (at % 5 === 0) {
      const again = await inWorker();
      if (JSON.stringify(again) !== JSON.stringify(right)) print(at, 'and then', again);
    }
  }
  print(live, right.ends.join() === 'ok,ok,ok' && at > 40 && at < 500, seen, at);`;

describeFakeCuda('the N-th call fails, for every N', () => {
  it.each([
    ['out of memory', 2],
    ['an invalid value', 1],
    ['an unknown error', 999],
  ])('once, with %s, on an open device', SLOW, async (_, code) => {
    const lines = await runClean(WARM.replaceAll('$CODE', String(code)), {}, { timeout: 55_000 });
    expect(lines.map((line) => line.replace(/ \{.*/, ''))).toEqual([
      '"host" true',
      '"host, synchronous" true',
      '"device" true',
      '"device, synchronous" true',
      '"matrices" true',
      '"matrices, device" true',
      '"model" true',
    ]);
    for (const line of lines) expect(line).toMatch(/OUT_OF_MEMORY|DEVICE_ERROR/);
  });

  it.each([
    ['out of memory, once', 2, false],
    ['out of memory, from then on', 2, true],
    ['a fault, from then on', 700, true],
  ])('while a device is opened and used, with %s', SLOW, async (_, code, forever) => {
    const source = COLD.replaceAll('$CODE', String(code)).replaceAll('$FOREVER', String(forever));
    const [line, ...rest] = await runClean(source, {}, { timeout: 55_000 });
    expect(rest).toEqual([]);
    expect(line).toMatch(/^0 true/);
    expect(line).toMatch(/OUT_OF_MEMORY|DEVICE_ERROR/);
  });
});
