// What could go wrong with memory: tensors larger than the device, without elements, of addresses that are not what they
// are said to be, used after they were given back, or never given back.
import { expect, it } from 'vitest';
import { describeFakeCuda, runClean } from '../helpers/fake-cuda.js';

const MIB = 2 ** 20;
const ON_GPU = `const gpuOptions = { seed: 1, keep: 'device' };`;

describeFakeCuda('tensors that do not fit the device', () => {
  it('say what they need and what there is, and leave nothing behind', async () => {
    const lines = await runClean(
      `${ON_GPU}
       const kept = await fill('kept', [1 << 20], law, gpuOptions); // 4 MiB of 16
       const live = gpu().live;
       const model = { tensors: ['a', 'b', 'c', 'd'].map((name) => ({ name, shape: [1 << 20], init: law })) };
       for (const action of [
         () => fill('w', [1 << 22], law, gpuOptions),
         () => fillSync('w', [1 << 22], law, gpuOptions),
         () => isometry.fillModel(model, gpuOptions),
         () => fill('w', [2 ** 40], law, gpuOptions),
       ]) {
         print(await outcome(action), last.message);
         print(gpu().live === live, deviceMemory());
       }
       print(await outcome(fill('w', [2 ** 26, 2 ** 26], law, gpuOptions)));
       const fits = await fill('w', [1 << 20], law, gpuOptions);
       print(same(await fits.toHost(), fillSync('w', [1 << 20], law, { seed: 1 })));
       fits.dispose(); kept.dispose();`,
      { memory: 16 * MIB },
    );
    const held = `true {"allocations":1,"bytes":${4 * MIB},"collected":0}`;
    for (const k of [0, 2, 4, 6]) {
      expect(lines[k]).toMatch(
        /^"OUT_OF_MEMORY" .*needs (16777216|4398046511104) bytes.*needed .*available /,
      );
      expect(lines[k + 1]).toBe(held);
    }
    expect(lines[8]).toBe('"TOO_LARGE"');
    expect(lines.slice(9)).toEqual(['true']);
  });

  it('do not stop a fill of host memory, which goes through small buffers', async () => {
    const lines = await runClean(
      `const w = await fill('w', [12_000_000], law, { seed: 1, device: 'cuda' });
       print(same(w, await fill('w', [12_000_000], law, { seed: 1, device: 'cpu' })), w.data.byteLength);`,
      { memory: 40 * MIB },
    );
    expect(lines).toEqual(['true 48000000']);
  });
});

describeFakeCuda('tensors without elements', () => {
  it('need no memory and no launch', async () => {
    const lines = await runClean(`
      ${ON_GPU}
      const empty = { tensors: [{ name: 'a', shape: [0], init: law }, { name: 'b', shape: [4, 0], init: law }] };
      for (const make of [
        () => fill('w', [0], law, gpuOptions),
        () => fillSync('w', [3, 0, 5], law, gpuOptions),
        () => fill('w', [7], law, { ...gpuOptions, slice: [[3, 3]] }),
        async () => (await isometry.fillModel(empty, gpuOptions)).get('b'),
      ]) {
        const t = await make();
        print(String(t.pointer), t.size, t.byteLength, t.shape, (await t.toHost()).data.length, await outcome(() => t.ipcHandle()));
        fillInto(t, 'w', [0], law, { seed: 1 });
        t.dispose();
      }
      await fill('w', [0], law, { seed: 1, device: 'cuda' });
      fillInto({ pointer: 0n, byteLength: 0, device: 0 }, 'w', [0], law, { seed: 1 });
      print(gpu().launches, gpu().allocations);`);
    expect(lines).toEqual([
      '"0" 0 0 [0] 0 "INVALID_TARGET"',
      '"0" 0 0 [3,0,5] 0 "INVALID_TARGET"',
      '"0" 0 0 [0] 0 "INVALID_TARGET"',
      '"0" 0 0 [4,0] 0 "INVALID_TARGET"',
      '0 0',
    ]);
  });
});

describeFakeCuda('an address', () => {
  it('that is not what it is said to be is refused before anything is written', async () => {
    const lines = await runClean(
      `const t = await fill('t', [16], law, { seed: 1, keep: 'device', device: 'cuda:0' });
       const before = bytesOf(await t.toHost());
       const gone = fillSync('u', [16], law, { seed: 1, keep: 'device' });
       const freed = gone.pointer;
       gone.dispose();
       const at = (pointer, byteLength = 64, device = 0) => ({ pointer, byteLength, device });
       const into = (target, shape = [16], options = {}) => outcome(() => fillInto(target, 'w', shape, law, { seed: 2, ...options }));
       const cases = {
         misaligned: () => into(at(t.pointer + 2n)),
         'misaligned for float64': () => into(at(t.pointer + 4n), [4], { dtype: 'float64' }),
         'odd, of 16 bits': () => into(at(t.pointer + 1n), [4], { dtype: 'bfloat16' }),
         'too small by its own word': () => into(at(t.pointer, 63)),
         'reaches beyond its block': () => into(at(t.pointer + 4n)),
         'much larger than its block': () => into(at(t.pointer, 2 ** 40), [2 ** 20]),
         'beyond its block': () => into(at(t.pointer + 64n)),
         'before its block': () => into(at(t.pointer - 64n)),
         freed: () => into(at(freed)),
         'of the host': () => into(at(0x7f0000001000n)),
         'as a number': () => into(at(4096)),
         null: () => into(at(0n)),
         'of another device': () => into(at(t.pointer, 64, 1)),
         'of a device that is not there': () => into(at(t.pointer, 64, 7)),
         'with another device asked for': () => into(at(t.pointer), [16], { device: 'cuda:1' }),
         'for the cpu': () => into(at(t.pointer), [16], { device: 'cpu' }),
         'negative': () => into(at(-1n)),
         'of 65 bits': () => into(at(2n ** 64n)),
         'a fraction': () => into(at(1.5)),
         'without a size': () => into({ pointer: t.pointer, device: 0 }),
         'without a device': () => into({ pointer: t.pointer, byteLength: 64 }),
         'a tensor of another dtype': () => into(t, [16], { dtype: 'float64' }),
         'a tensor of another size': () => into(t, [15]),
       };
       for (const [name, action] of Object.entries(cases)) {
         const end = await action();
         console.log(JSON.stringify([name, \`\${end} \${/expected|not there|asked for/.test(last.message)}\`]));
         if (!bytesOf(await t.toHost()).equals(before)) print('written to');
       }
       print(gpu().launches);
       print(await into(at(t.pointer)), same(await t.toHost(), fillSync('w', [16], law, { seed: 2 })));
       t.dispose();`,
      { devices: 2 },
    );
    const ends: Record<string, string> = Object.fromEntries(
      lines.slice(0, 23).map((line) => JSON.parse(line)),
    );
    const others: Record<string, string> = {
      'of a device that is not there': 'BACKEND_UNAVAILABLE',
      'with another device asked for': 'INVALID_OPTION',
      'for the cpu': 'INVALID_OPTION',
    };
    for (const [name, end] of Object.entries(ends)) {
      expect(`${name}: ${end}`).toBe(`${name}: ${others[name] ?? 'INVALID_TARGET'} true`);
    }
    expect(Object.keys(ends)).toHaveLength(23);
    expect(lines.slice(23)).toEqual(['2', '"ok" true']);
  });

  it('at the very end of memory is refused too', async () => {
    const lines = await runClean(`
      for (const [pointer, byteLength] of [[2n ** 64n - 64n, 64], [2n ** 64n - 64n, 2 ** 40], [2n ** 64n - 4n, 4]]) {
        print(await outcome(() => fillInto({ pointer, byteLength, device: 0 }, 'w', [byteLength / 4], law, { seed: 1 })));
      }`);
    expect(lines).toEqual(Array(3).fill('"INVALID_TARGET"'));
  });

  it('of a part of a tensor fills that part alone', async () => {
    const lines = await runClean(`
      const t = await fill('t', [16], zeros(), { seed: 1, keep: 'device' });
      const target = { pointer: t.pointer + 12n, byteLength: 20, device: 0 };
      print(fillInto(target, 'w', [5], law, { seed: 2 }) === target);
      const right = new Float32Array(16);
      right.set(fillSync('w', [5], law, { seed: 2 }).data, 3);
      print(bytesOf(await t.toHost()).equals(Buffer.from(right.buffer)));
      t.dispose();`);
    expect(lines).toEqual(['true', 'true']);
  });
});

describeFakeCuda('a DeviceTensor', () => {
  it('is given back once, and refuses everything afterwards', async () => {
    const lines = await runClean(`
      const before = gpu();
      const t = await fill('t', [1000], law, { seed: 1, keep: 'device' });
      print(t.disposed, deviceMemory().bytes, t.ipcHandle().handle.length, t.ipcHandle().offset, t.ipcHandle().byteLength);
      t.dispose();
      t.dispose();
      t[Symbol.dispose]();
      print(t.disposed, deviceMemory(), t.shape, t.size, t.byteLength, t.name, t.dtype, t.device);
      for (const use of [() => t.pointer, () => t.toHost(), () => t.ipcHandle(), () => t.dlpack(), () => fillInto(t, 'w', [1000], law, { seed: 1 })]) {
        print(await outcome(use), last.message.includes('disposed'));
      }`);
    expect(lines).toEqual([
      'false 4000 64 0 4000',
      'true {"allocations":0,"bytes":0,"collected":0} [1000] 1000 4000 "t" "float32" 0',
      ...Array(5).fill('"DISPOSED" true'),
    ]);
  });

  it('may be disposed while it is copied', async () => {
    const lines = await runClean(
      `const t = await fill('t', [500_000], law, { seed: 1, keep: 'device' });
       const copies = [t.toHost(), t.toHost()];
       t.dispose();
       const right = fillSync('t', [500_000], law, { seed: 1 });
       print((await Promise.all(copies)).every((copy) => same(copy, right)));
       await settled(() => deviceMemory().allocations === 0);
       print(deviceMemory().allocations, gpu().liveBytes < 4_000_000 || gpu().liveBytes);`,
      { delay: 20_000 },
    );
    expect(lines[0]).toBe('true');
    expect(lines[1]).toMatch(/^0 /);
  });

  it('that nobody disposes is freed by the garbage collector, and counted', async () => {
    const lines = await runClean(
      `const make = async () => { for (let k = 0; k < 5; k++) await fill('t' + k, [1000], law, { seed: 1, keep: 'device' }); };
       await make();
       const model = await isometry.fillModel({ tensors: [{ name: 'a', shape: [5], init: law }, { name: 'b', shape: [7], init: law }] }, { seed: 1, keep: 'device' });
       globalThis.kept = model.get('b');
       model.clear?.();
       await settled(() => { gc(); return deviceMemory().allocations === 1; });
       print(deviceMemory().allocations, deviceMemory().collected >= 5, same(await kept.toHost(), fillSync('b', [7], law, { seed: 1 })));
       kept.dispose();
       globalThis.kept = undefined;
       await settled(() => { gc(); return deviceMemory().allocations === 0; });
       print(deviceMemory().allocations, deviceMemory().collected);`,
      {},
      { nodeOptions: ['--expose-gc'] },
    );
    expect(lines).toEqual(['1 true true', '0 6']);
  });

  it('that nobody disposes is freed at the end', async () => {
    const lines = await runClean(
      `globalThis.kept = await fill('t', [1000], law, { seed: 1, keep: 'device' }); print(deviceMemory().allocations);`,
    );
    expect(lines).toEqual(['1']);
  });
});
