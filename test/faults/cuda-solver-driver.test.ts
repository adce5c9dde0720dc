// Matrices on a GPU where it is the driver that matters: what `auto` does with one, and any of its calls failing.
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { describeFakeCuda, runClean, SLOW } from '../helpers/fake-cuda.js';
import { fakeFolder } from '../helpers/fake-cuda-build.js';

const solver = join(dirname(fakeFolder), 'solver');
const PREPARE = `const qr = isometry.orthogonal({ method: 'qr' });`;
const run = (code: string, env: Record<string, string> = {}): Promise<string[]> =>
  runClean(PREPARE + code, {}, { env: { ISOMETRY_CUDA_LIB_DIR: solver, ...env } });

describeFakeCuda('matrices and the driver', () => {
  it('are the CPU backend’s with auto, although the GPU takes the rest', SLOW, async () => {
    const lines = await run(
      `const { selectBackend } = await import(DIST + 'backends/index.js');
       const { prepareFill } = await import(DIST + 'fill.js');
       const { backend, reason } = selectBackend('auto', 2 ** 28);
       print(backend.name, reason);
       const { request } = prepareFill('w', [20, 20], qr, { seed: 1 });
       const js = fillSync('w', [20, 20], qr, { seed: 1, device: 'js' });
       const target = new Float32Array(400);
       await backend.fill(request, target, 0);
       print(same({ data: target }, js), gpu().launches); // one: the GPU drew the normals
       backend.fillSync(request, target.fill(0), 0);
       print(same({ data: target }, js));
       const buffer = new ArrayBuffer(1600);
       await backend.fillParts([{ request, start: 0, length: 400, byteOffset: 0 }], buffer);
       print(same({ data: new Float32Array(buffer) }, js));`,
      { ISOMETRY_THREADS: '1' },
    );
    expect(lines[0]).toMatch(/^"cuda" "faster for /);
    expect(lines.slice(1)).toEqual(['true 1', 'true', 'true']);
  });

  it(
    'survive any call that fails: an error of ours, nothing kept, and the next one works',
    SLOW,
    async () => {
      const lines = await run(`
      const known = ['ok', 'OUT_OF_MEMORY', 'DEVICE_ERROR', 'BACKEND_UNAVAILABLE'];
      for (const keep of ['host', 'device']) {
        let failures = 0;
        for (let at = 1; at < 500; at++) {
          failCall(at);
          const how = await outcome(fill('w', [8, 8], qr, { seed: 1, device: 'cuda', keep }).then((w) => w.dispose?.()));
          const { injected } = gpu();
          failCall(0);
          if (injected === 0) {
            print(how, failures > 10);
            break;
          }
          failures++;
          if (!known.includes(how)) print(at, how, last.message);
          if (deviceMemory().allocations !== 0) print(at, 'leaked');
          const next = await outcome(fill('w', [8, 8], qr, { seed: 1, device: 'cuda' }));
          if (next !== "ok") print(at, next);
        }
      }`);
      expect(lines).toEqual(['"ok" true', '"ok" true']);
    },
  );

  it('have their libraries shown by doctor', async () => {
    const [line] = await run(`
      const { cudaSection } = await import(DIST + 'cli/doctor-cuda.js');
      const { loadNative } = await import(DIST + 'backends/native.js');
      const report = { result: 'ready', reason: '', driverVersion: 0, library: '', devices: [] };
      print(cudaSection(report, loadNative().binding).libraries);`);
    expect(JSON.parse(line!)).toMatchObject([
      { name: 'cuSOLVER', path: expect.stringContaining(solver), version: '12.3.4', reason: '' },
      { name: 'cuBLAS', path: expect.stringContaining('libcublas.so.13'), version: '13.1.2', reason: '' },
    ]);
  });
});
