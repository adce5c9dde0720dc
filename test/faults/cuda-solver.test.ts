// orthogonal({ method: 'qr' }) on the fake driver with a fake cuSOLVER, through the public API: the library found and not
// found, matrices wherever they can go, aborts, and what the library may refuse.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeFakeCuda, type FakeSettings, runClean, SLOW } from '../helpers/fake-cuda.js';
import { fakeFolder } from '../helpers/fake-cuda-build.js';
import { TIMED } from '../helpers/native.js';

const built = (name: string): string => join(fakeFolder, '..', name);

/** Nowhere to find a library but where the system looks and in `ISOMETRY_CUDA_LIB_DIR`. */
const NOWHERE = { VIRTUAL_ENV: '', CONDA_PREFIX: '', CUDA_HOME: '', CUDA_PATH: '', HOME: '/nowhere' };

/** How far two tensors are apart, and whether one is as orthogonal as its dtype can be; `qr` and `options`. */
const PREPARE = `
  const { orthogonal } = isometry;
  const qr = orthogonal({ method: 'qr', gain: 1.5 });
  const options = { seed: 5, device: 'cuda' };
  const far = (a, b) => a.data.reduce((most, x, i) => Math.max(most, Math.abs(x - b.data[i])), a.data.length === b.data.length ? 0 : 9);
  const small = () => fill('w', [30, 20], qr, options);
`;

function run(
  code: string,
  env: Readonly<Record<string, string>> = {},
  settings: FakeSettings = {},
): Promise<string[]> {
  return runClean(PREPARE + code, settings, {
    env: { ISOMETRY_CUDA_LIB_DIR: built('solver'), ...env },
    timeout: 50_000,
  });
}

describeFakeCuda('matrices by cuSOLVER', () => {
  it('are those of the CPU to rounding, in host memory and in device memory', SLOW, async () => {
    const lines = await run(`
      const shapes = [[1, 1], [64, 64], [90, 33], [33, 90], [8, 3, 3, 3], [200, 1], [1, 200]];
      for (const dtype of ['float32', 'float64']) {
        let most = 0, bits = true;
        for (const [shape, layout] of [...shapes.map((shape) => [shape]), [[3, 20, 7], 'EIO'], [[3, 3, 4, 30], 'HWIO']]) {
          const own = { ...options, dtype, ...(layout ? { layout } : {}) };
          const cpu = await fill('w', shape, qr, { ...own, device: 'cpu' });
          const host = await fill('w', shape, qr, own);
          most = Math.max(most, far(host, cpu));
          bits &&= same(host, fillSync('w', shape, qr, own));
          for (const tensor of [await fill('w', shape, qr, { ...own, keep: 'device' }), fillSync('w', shape, qr, { ...own, keep: 'device' })]) {
            bits &&= same(await tensor.toHost(), host);
            fillInto(tensor, 'w', shape, zeros(), { seed: 1 });
            fillInto(tensor, 'w', shape, qr, { seed: 5, ...(layout ? { layout } : {}) });
            bits &&= same(await tensor.toHost(), host);
            tensor.dispose();
          }
        }
        print(dtype, most > 0, most < (dtype === 'float32' ? 1e-4 : 1e-12), bits);
      }
      // A matrix of any normals is orthogonal: these are of the right ones, for other seeds and names are far away.
      const w = await small();
      for (const [name, seed] of [['w', 6], ['v', 5]]) print(far(w, await fill(name, [30, 20], qr, { ...options, seed })) > 0.1);`);
    // The fake computes in another order than we do: were it never asked, nothing would differ.
    expect(lines).toEqual(['"float32" true true true', '"float64" true true true', 'true', 'true']);
  });

  it('are computed on the CPU where the device was not chosen by name', async () => {
    const lines = await run(`
      const auto = await fill('w', [30, 20], qr, { seed: 5 });
      const cpu = await fill('w', [30, 20], qr, { seed: 5, device: 'cpu' });
      print(same(auto, cpu), gpu().launches);
      const kept = await fill('w', [30, 20], qr, { seed: 5, keep: 'device' });
      print(same(await kept.toHost(), await small()), gpu().launches > 0);
      kept.dispose();`);
    expect(lines).toEqual(['true 0', 'true true']);
  });

  it('are in one model with other tensors, each what it is alone', SLOW, async () => {
    const lines = await run(`
      const tensors = [
        { name: 'a', shape: [1001], init: law },
        { name: 'q', shape: [30, 20], init: qr },
        { name: 'experts', shape: [3, 8, 8], layout: 'EOI', init: qr, dtype: 'bfloat16' },
        { name: 'empty', shape: [0, 4], init: qr },
        { name: 'z', shape: [77], init: law, dtype: 'float64' },
      ];
      const { readFileSync, mkdtempSync, rmSync } = await import('node:fs');
      const dir = mkdtempSync((await import('node:os')).tmpdir() + '/isometry-solver-');
      const alone = new Map();
      for (const { name, shape, init, ...own } of tensors) alone.set(name, await fill(name, shape, init, { ...options, ...own }));
      for (const keep of ['host', 'device']) {
        const made = await isometry.fillModel({ tensors }, { ...options, keep });
        const equal = [];
        for (const [name, tensor] of made) equal.push(same(keep === 'host' ? tensor : await tensor.toHost(), alone.get(name)));
        print(keep, equal);
        for (const tensor of made.values()) tensor.dispose?.();
      }
      try {
        const path = dir + '/m.safetensors';
        await isometry.writeCheckpoint({ tensors }, path, options);
        const file = readFileSync(path), head = Number(file.readBigUInt64LE(0));
        const header = JSON.parse(file.subarray(8, 8 + head));
        print('file', tensors.map(({ name }) => {
          const [start, end] = header[name].data_offsets;
          return file.subarray(8 + head + start, 8 + head + end).equals(bytesOf(alone.get(name)));
        }));
      } finally {
        rmSync(dir, { recursive: true });
      }
      print(deviceMemory().allocations);`);
    const all = '[true,true,true,true,true]';
    expect(lines).toEqual([`"host" ${all}`, `"device" ${all}`, `"file" ${all}`, '0']);
  });

  it('go to memory that another library owns, and nowhere else', async () => {
    const lines = await run(`
      const t = await fill('t', [700], zeros(), { ...options, keep: 'device' });
      const at = (offset, byteLength) => ({ pointer: t.pointer + BigInt(offset), byteLength, device: 0 });
      fillInto(at(204, 2400), 'w', [30, 20], qr, { seed: 5 });
      const { data } = await t.toHost();
      print(same({ data: data.subarray(51, 651) }, await small()), data.every((x, i) => (i >= 51 && i < 651) || x === 0));
      const { launches } = gpu();
      for (const target of [at(202, 2400), at(0, 2399), at(404, 2400), at(2800, 2400), { ...at(0, 2400), pointer: 4096n }]) {
        print(await outcome(() => fillInto(target, 'w', [30, 20], qr, { seed: 5 })));
      }
      print(gpu().launches === launches);
      t.dispose();`);
    expect(lines).toEqual(['true true', ...Array(5).fill('"INVALID_TARGET"'), 'true']);
  });

  it('stop when aborted: before, and between the matrices of a tensor', { ...SLOW, ...TIMED }, async () => {
    const lines = await run(
      `const right = await small();
       const early = AbortSignal.abort(new Error('planned'));
       for (const keep of ['host', 'device']) {
         const { launches } = gpu();
         await outcome(fill('w', [30, 20], qr, { ...options, keep, signal: early }));
         print(last === early.reason, gpu().launches === launches);
         const controller = new AbortController();
         let aborted = 0;
         setTimeout(() => { aborted = performance.now(); controller.abort(); }, 100);
         await outcome(fill('w', [400, 6, 6], qr, { ...options, keep, layout: 'EOI', signal: controller.signal }));
         const took = performance.now() - aborted;
         print(last === controller.signal.reason, took < 500 || took);
         await settled(() => deviceMemory().allocations === 0);
         print(deviceMemory().allocations, same(await small(), right));
       }`,
      {},
      { delay: 5000 },
    );
    expect(lines).toEqual(Array(2).fill(['true true', 'true true', '0 true']).flat());
  });
});

describeFakeCuda('without a cuSOLVER that can be used', () => {
  // On a machine with a cuSOLVER of its own that one is found, and is nothing for the fake driver.
  const CHECK = `
    const folders = (await import(DIST + 'backends/cuda-libraries.js')).libraryFolders();
    const addon = (await import(DIST + 'backends/native.js')).loadNative().binding;
    const [solver] = addon.cudaLibraries(folders);
    print(solver.path);
    if (solver.path !== '') process.exit(0);`;
  const OWN = 'this machine has a cuSOLVER of its own';
  const OTHERS = `
    for (const action of [
      small,
      () => fillSync('w', [30, 20], qr, options),
      () => fill('w', [30, 20], qr, { seed: 5, keep: 'device' }),
      () => fillSync('w', [30, 20], qr, { seed: 5, keep: 'device' }),
      () => isometry.fillModel({ tensors: [{ name: 'a', shape: [9], init: law }, { name: 'w', shape: [30, 20], init: qr }] }, { seed: 5, keep: 'device' }),
    ]) print(await outcome(action), last.message);
    print(deviceMemory());
    print(same(await fill('w', [9], law, options), await fill('w', [9], law, { seed: 5, device: 'cpu' })));
    print(same(await fill('w', [30, 20], qr, { seed: 5 }), await fill('w', [30, 20], qr, { seed: 5, device: 'cpu' })));
  `;
  it.for<[string, string, Record<string, string>, RegExp]>([
    ['none at all', '/nowhere/at/all', {}, /nowhere\/at\/all, where the system looks/],
    ['one that lacks functions', built('old-solver'), {}, /old-solver.*it lacks cusolverDnXgeqrf_bufferSize/],
    [
      'one that is too old',
      built('solver'),
      { FAKE_SOLVER_VERSION: '10' },
      /it is version 10\.3\.4, and 11 or/,
    ],
  ])(
    '%s: only matrices on the GPU are off, and the error says where it looked',
    SLOW,
    async ([, folder, env, text], { skip }) => {
      const [found, ...lines] = await run(CHECK + OTHERS, {
        ...NOWHERE,
        ISOMETRY_CUDA_LIB_DIR: folder,
        ...env,
      });
      skip(found !== '""', OWN);
      expect(lines.slice(5)).toEqual(['{"allocations":0,"bytes":0,"collected":0}', 'true', 'true']);
      for (const line of lines.slice(0, 5)) {
        expect(line).toMatch(
          /^"BACKEND_UNAVAILABLE" "cuSOLVER \(libcusolver\.so\.12 or libcusolver\.so\.11\)/,
        );
        expect(line).toMatch(text);
        expect(line).toMatch(/pip install nvidia-cusolver, or set ISOMETRY_CUDA_LIB_DIR/);
      }
    },
  );

  it('says so again, and works once there is one', async ({ skip }) => {
    const lines = await run(
      `${CHECK}
       print(await outcome(small));
       process.env.ISOMETRY_CUDA_LIB_DIR = ${JSON.stringify(built('solver'))};
       print(await outcome(small));`,
      { ...NOWHERE, ISOMETRY_CUDA_LIB_DIR: '/nowhere/at/all' },
    );
    skip(lines[0] !== '""', OWN);
    expect(lines.slice(1)).toEqual(['"BACKEND_UNAVAILABLE"', '"ok"']);
  });
});

describeFakeCuda('what cuSOLVER may say', () => {
  // Each at run time, and each taken back again: after a refusal the same process goes on.
  const TRY = `
    const right = await small();
    const tryWith = async (settings) => {
      Object.assign(process.env, settings);
      const { live } = gpu();
      for (const keep of ['host', 'device']) {
        print(await outcome(fill('w', [30, 20], qr, { ...options, keep })), last.message);
      }
      for (const name of Object.keys(settings)) delete process.env[name];
      if (gpu().live !== live || deviceMemory().allocations !== 0) print('leaked', gpu().live - live);
      if (!same(await small(), right)) print('and then other bytes');
    };
  `;

  it('more workspace than there is memory: what is needed and what there is', async () => {
    const lines = await run(
      `${TRY}
       await tryWith({ FAKE_SOLVER_WORKSPACE: String(2 ** 32) });
       await tryWith({ FAKE_SOLVER_WORKSPACE: '-1' });`,
      {},
      { memory: 64 * 2 ** 20 },
    );
    expect(lines).toHaveLength(4);
    for (const line of lines.slice(0, 2)) {
      expect(line).toMatch(
        /^"OUT_OF_MEMORY".* 30 × 20 on GPU 0 .*needed 4\.0+\d* GiB.*, available \d.* of 64/,
      );
    }
    for (const line of lines.slice(2))
      expect(line).toMatch(/^"TOO_LARGE".*beyond the address space.*30 × 20/);
  });

  it('that an argument is wrong', async () => {
    const lines = await run(`${TRY} await tryWith({ FAKE_SOLVER_INFO: '-3' });`);
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/^"DEVICE_ERROR".*geqrf refused.*30 × 20: info is -3/);
  });

  it('at any call that it failed', SLOW, async () => {
    const calls = [
      'Create',
      'CreateParams',
      'SetStream',
      'Xgeqrf_bufferSize',
      'Sorgqr_bufferSize',
      'Xgeqrf',
      'Sorgqr',
    ];
    const codes: [number, string, string][] = [
      [1, 'BACKEND_UNAVAILABLE', 'NOT_INITIALIZED'],
      [2, 'OUT_OF_MEMORY', 'ALLOC_FAILED'],
      [7, 'DEVICE_ERROR', 'INTERNAL_ERROR'],
    ];
    const attempts = calls.flatMap((call) =>
      codes.map(([status]) => ({ call: `cusolverDn${call}`, status })),
    );
    const lines = await run(
      `${TRY}
       for (const { call, status } of ${JSON.stringify(attempts)}) {
         await tryWith({ FAKE_SOLVER_FAIL_AT: call, FAKE_SOLVER_FAIL_CODE: String(status) });
       }`,
    );
    expect(lines).toHaveLength(2 * attempts.length);
    for (const [k, line] of lines.entries()) {
      const { call, status } = attempts[k >> 1]!;
      const [, code, name] = codes.find(([number]) => number === status)!;
      expect(line).toContain(`"${code}" "${call} of `);
      expect(line).toContain(`CUSOLVER_STATUS_${name} (${status})`);
    }
  });
});
