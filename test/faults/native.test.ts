// What could go wrong between JavaScript and the addon: memory that goes away, arguments that lie, leaks.
import { expect } from 'vitest';
import { cpuBackend, fillSyncWith, fillWith } from '../../src/backends/cpu.js';
import { encodeRequest } from '../../src/backends/encode.js';
import { fillInto, prepareFill } from '../../src/fill.js';
import { normal, uniform } from '../../src/initializers/index.js';
import { runNode } from '../helpers/child.js';
import { describeNative, itNative, native, simdTargets } from '../helpers/native.js';

const COUNT = 3_000_017;
const { request } = prepareFill('w', [COUNT], normal({ std: 1 }), { seed: 42 });

describeNative('memory during a fill', () => {
  itNative('that is transferred away makes the fill fail', async () => {
    const target = new Float32Array(COUNT);
    const running = cpuBackend.fill(request, target, 0);
    const keptElsewhere = structuredClone(target.buffer, { transfer: [target.buffer] });
    await expect(running).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(keptElsewhere.byteLength).toBe(COUNT * 4);
  });

  itNative('is kept alive although nobody holds the array', async () => {
    const result = await runNode(
      `const { cpuBackend } = await import(DIST + 'backends/cpu.js');
       const { prepareFill } = await import(DIST + 'fill.js');
       const { request } = prepareFill('w', [2 ** 24], isometry.normal({ std: 1 }), { seed: 1 });
       const running = Array.from({ length: 6 }, () => cpuBackend.fill(request, new Float32Array(2 ** 24), 0));
       for (let k = 0; k < 20; k++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
       await Promise.all(running);
       console.log('done');`,
      { nodeOptions: ['--expose-gc'] },
    );
    expect([result.code, result.signal, result.stdout]).toEqual([0, null, 'done\n']);
  });

  itNative('that is detached before fillInto is refused', () => {
    const target = new Float32Array(8);
    structuredClone(target.buffer, { transfer: [target.buffer] });
    for (const shape of [[8], [0]]) {
      expect(() => fillInto(target, 'w', shape, normal({ std: 1 }), { seed: 1, device: 'cpu' })).toThrow(
        /detached/,
      );
    }
  });
});

describeNative('the addon', () => {
  itNative('gives the same bytes for every SIMD target, number of threads and window', async () => {
    const expected = new Float32Array(COUNT);
    fillSyncWith(request, expected, 0, { simd: 'portable', threads: 1 });
    for (const simd of simdTargets) {
      for (const threads of [1, 2, 5]) {
        const start = 1000 * threads + 1;
        const sync = new Float32Array(COUNT - start);
        const later = new Float32Array(COUNT - start);
        fillSyncWith(request, sync, start, { simd, threads });
        await fillWith(request, later, start, { simd, threads });
        const part = Buffer.from(expected.buffer, start * 4);
        expect(Buffer.compare(Buffer.from(sync.buffer), part), `${simd} ${threads}`).toBe(0);
        expect(Buffer.compare(Buffer.from(later.buffer), part), `${simd} ${threads} async`).toBe(0);
      }
    }
  });

  itNative('computes many fills at once, each right', async () => {
    const expected = new Float32Array(COUNT);
    cpuBackend.fillSync(request, expected, 0);
    const parts = Array.from({ length: 60 }, (_, k) => ({
      start: 49_999 * k,
      data: new Float32Array(50_001),
    }));
    await Promise.all(parts.map(({ start, data }) => cpuBackend.fill(request, data, start)));
    for (const { start, data } of parts) {
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(expected.buffer, start * 4, 200_004))).toBe(
        0,
      );
    }
  });

  itNative('refuses arguments that would be unsafe, and lives', () => {
    const binding = native!;
    const words = encodeRequest(request);
    const target = new Float32Array(8);
    const bad: [string, unknown[]][] = [
      ['nothing', []],
      ['no words', [null, target, 0]],
      ['words of another type', [new Float32Array(words), target, 0]],
      ['too few words', [words.subarray(0, 9), target, 0]],
      ['no target', [words, [1, 2], 0]],
      ['target of another type', [words, new Float64Array(8), 0]],
      ['a DataView', [words, new DataView(new ArrayBuffer(64)), 0]],
      ['start -1', [words, target, -1]],
      ['start NaN', [words, target, Number.NaN]],
      ['start 0.5', [words, target, 0.5]],
      ['start 2^53', [words, target, 2 ** 53]],
      ['an unknown SIMD target', [words, target, 0, 'mmx']],
      ['0 threads', [words, target, 0, undefined, 0]],
      ['too many threads', [words, target, 0, undefined, 1e9]],
    ];
    for (const [name, args] of bad) {
      for (const call of [binding.fillSync, binding.fillAsync] as unknown as ((
        ...all: unknown[]
      ) => void)[]) {
        const all =
          call === (binding.fillAsync as unknown) ? [...args, ...Array(5 - args.length), () => {}] : args;
        expect(() => call(...all), name).toThrow(/native backend refused/);
      }
    }
    const region = words.length - 3;
    for (const [name, at, value] of [
      ['all elements in one place', region + 2, 0],
      ['an extent beyond 2^53', region, 2 ** 53],
      ['an element beyond 2^53', region + 2, 2 ** 52],
    ] as const) {
      const wrong = words.slice();
      wrong[at] = value;
      expect(() => binding.fillSync(wrong, target, 100), name).toThrow(
        /native backend refused a request: a region/,
      );
    }
    expect(() => (binding.fillAsync as (...all: unknown[]) => void)(words, target, 0)).toThrow(/callback/);
    binding.cancel(12345);
    (binding.cancel as (...all: unknown[]) => void)('x');
  });

  itNative('takes an array on shared or resizable memory', () => {
    const shared = new Float32Array(new SharedArrayBuffer(4000));
    const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
    const resizable = new Float32Array(new Resizable(4000, { maxByteLength: 8000 }));
    const plain = new Float32Array(1000);
    for (const target of [shared, resizable, plain]) {
      fillInto(target, 'w', [1000], uniform({ min: 0, max: 1 }), { seed: 1, device: 'cpu' });
    }
    expect([...shared]).toEqual([...plain]);
    expect([...resizable]).toEqual([...plain]);
  });

  itNative(
    'does not leak',
    async () => {
      const result = await runNode(
        `const fill = (n, options) => isometry.fill('w', [n], isometry.normal({ std: 1 }), { seed: 1, ...options });
         const into = new Float32Array(64);
         async function round() {
           for (let k = 0; k < 4000; k++) isometry.fillInto(into, 'w', [64], isometry.normal({ std: 1 }), { seed: k });
           for (let k = 0; k < 300; k++) await fill(70000, { dtype: 'bfloat16' });
           for (let k = 0; k < 300; k++) await fill(70000, { signal: AbortSignal.timeout(1) }).catch(() => {});
           for (let k = 0; k < 1000; k++) await fill(10, { seed: -1 }).catch(() => {});
           globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 20)); globalThis.gc();
         }
         // The smallest of several: what the allocators keep for later comes and goes.
         async function settled(rounds) {
           const sizes = [];
           for (let k = 0; k < rounds; k++) { await round(); sizes.push(process.memoryUsage().rss); }
           return Math.min(...sizes.slice(-4));
         }
         const before = await settled(12);
         console.log((await settled(12)) - before);`,
        { nodeOptions: ['--expose-gc'], timeout: 60_000 },
      );
      expect([result.code, result.signal]).toEqual([0, null]);
      // 12 rounds of 5600 calls: less than 64 bytes each. A job that is not freed has 300, an array 140,000.
      expect(Number(result.stdout)).toBeLessThan(12 * 5600 * 64);
    },
    { timeout: 60_000, retry: 3 }, // a busy machine's allocators hold on to more; a leak fails every time
  );
});
