// What could go wrong before anything is computed: no driver, a broken or an old one, no device, a hidden one, one that
// is too old, a device that is not there. `auto` goes on without; a device asked for by name says why not.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { ChildOptions } from '../helpers/child.js';
import { describeFakeCuda, type FakeSettings, runClean } from '../helpers/fake-cuda.js';
import { hasRealDriver, incompleteFolder } from '../helpers/fake-cuda-build.js';

interface Found {
  result: string;
  reason: string;
  devices: { name: string; usable: boolean; reason: string }[];
  /** How `auto`, `cuda`, and `keep: 'device'` end; each twice. */
  ends: string[];
  message: string;
}

const ASK = `
  const cuda = isometry.capabilities().find(({ name }) => name === 'cuda').cuda;
  const ends = [];
  for (let k = 0; k < 2; k++) {
    ends.push(await outcome(fill('w', [3], law, { seed: 1 })));
    ends.push(await outcome(fill('w', [3], law, { seed: 1, device: 'cuda' })));
    ends.push(await outcome(fill('w', [3], law, { seed: 1, keep: 'device' })));
    ends.push(await outcome(() => fillSync('w', [3], law, { seed: 1, device: 'cuda:0' })));
  }
  print({ ...cuda, ends, message: globalThis.last?.message ?? '' });
`;
const UNAVAILABLE = 'ok BACKEND_UNAVAILABLE BACKEND_UNAVAILABLE BACKEND_UNAVAILABLE';

async function ask(settings: FakeSettings, options: ChildOptions & { folder?: string } = {}): Promise<Found> {
  const [line] = await runClean(ASK, settings, options);
  return JSON.parse(line!) as Found;
}

describeFakeCuda('looking for a GPU', () => {
  it('finds the fake ones', async () => {
    const found = await ask({ devices: 2, capability: 90 });
    expect(found).toMatchObject({ result: 'ready', reason: '', driverVersion: 13000 });
    expect(found.devices).toMatchObject([
      { index: 0, name: 'Fake GPU 0', computeCapability: [9, 0], totalMemory: 2 ** 30, usable: true },
      { index: 1, name: 'Fake GPU 1', computeCapability: [9, 0], totalMemory: 2 ** 30, usable: true },
    ]);
    expect(found.ends).toEqual(Array(8).fill('ok'));
  });

  it.each([
    ['a driver for CUDA 11.0', { version: 11000 }, 'driverTooOld', /580 or newer.*CUDA 11\.0/],
    ['a driver for CUDA 12.8', { version: 12080 }, 'driverTooOld', /580 or newer.*CUDA 12\.8/],
    ['cuInit that finds no device', { init: 100 }, 'noDevice', /nvidia-smi/],
    ['cuInit that fails', { init: 999 }, 'initFailed', /CUDA_ERROR_UNKNOWN.*999/],
    ['a driver that does not fit its kernel module', { init: 803 }, 'initFailed', /803.*restart/],
    ['a machine without devices', { devices: 0 }, 'noDevice', /nvidia-smi/],
    ['a device that is too old', { capability: 60 }, 'capabilityTooLow', /6\.0.*7\.5/],
  ])('%s', async (_, settings, result, reason) => {
    const found = await ask(settings);
    expect(found.result).toBe(result);
    expect(found.reason).toMatch(reason);
    expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
    expect(found.message).toContain(found.reason);
  });

  it.each([
    ['', /CUDA_VISIBLE_DEVICES is ""/],
    ['-1', /CUDA_VISIBLE_DEVICES is "-1"/],
    ['7', /CUDA_VISIBLE_DEVICES is "7"/],
  ])('devices hidden by CUDA_VISIBLE_DEVICES="%s"', async (visible, reason) => {
    const found = await ask({}, { env: { CUDA_VISIBLE_DEVICES: visible } });
    expect(found.result).toBe('hidden');
    expect(found.reason).toMatch(reason);
    expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
  });

  it('counts the devices that CUDA_VISIBLE_DEVICES leaves', async () => {
    const found = await ask({ devices: 3 }, { env: { CUDA_VISIBLE_DEVICES: '2,0' } });
    expect(found.devices.map(({ name }) => name)).toEqual(['Fake GPU 2', 'Fake GPU 0']);
  });

  it.each(['cuDeviceGetCount', 'cuDeviceGetName', 'cuDeviceTotalMem_v2', 'cuDeviceGetAttribute'])(
    'a driver whose %s always fails',
    async (name) => {
      const found = await ask({ failAt: `${name}:1`, failCode: 999, failForever: 1 });
      expect(found.result).not.toBe('ready');
      expect(`${found.reason} ${found.devices.map(({ reason }) => reason)}`).toContain('CUDA_ERROR_UNKNOWN');
      expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
    },
  );

  it('a library that lacks functions', async () => {
    const found = await ask({}, { folder: incompleteFolder });
    expect(found.result).toBe('driverTooOld');
    expect(found.reason).toMatch(/580 or newer.*cu[A-Z]\w+/);
    expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
  });

  it('a library that is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isometry-garbage-'));
    await writeFile(join(folder, 'libcuda.so.1'), 'x'.repeat(4096));
    const found = await ask({}, { folder });
    await rm(folder, { recursive: true });
    expect(found.result).toBe('noDriver');
    expect(found.reason).toMatch(/invalid ELF header|file too short/);
    expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
  });

  it.skipIf(hasRealDriver)('no library at all', async () => {
    const found = await ask({}, { folder: '' });
    expect(found).toMatchObject({ result: 'noDriver', driverVersion: 0, devices: [], library: '' });
    expect(found.reason).toMatch(/libcuda\.so\.1.*580 or newer/);
    expect(found.ends.join(' ')).toBe(`${UNAVAILABLE} ${UNAVAILABLE}`);
  });
});

describeFakeCuda('asking for a device', () => {
  it('that is not there names those that are', async () => {
    const lines = await runClean(
      `for (const device of ['cuda:7', 'cuda:2', 'cuda:1', 'cuda:0']) {
         print(device, await outcome(fill('w', [3], law, { seed: 1, device, keep: 'device' }).then((t) => (t.dispose(), t.device))));
       }
       await outcome(fill('w', [3], law, { seed: 1, device: 'cuda:7' }));
       print(last.message);
       for (const device of ['cuda:', 'cuda:-1', 'cuda:1.5', 'CUDA', 'cuda:1000']) print(device, await outcome(fill('w', [3], law, { seed: 1, device })));`,
      { devices: 2 },
    );
    expect(lines.slice(0, 4)).toEqual([
      '"cuda:7" "BACKEND_UNAVAILABLE"',
      '"cuda:2" "BACKEND_UNAVAILABLE"',
      '"cuda:1" "ok"',
      '"cuda:0" "ok"',
    ]);
    expect(lines[4]).toMatch(/cuda:7.*cuda:0 Fake GPU 0, cuda:1 Fake GPU 1/);
    expect(lines.slice(5).map((line) => line.split(' ')[1])).toEqual(Array(5).fill('"INVALID_OPTION"'));
  });

  it('is tried again after a failure', async () => {
    const lines = await runClean(
      `print(await outcome(fill('w', [3], law, { seed: 1, device: 'cuda' })));
       initReturns(0);
       print(await outcome(fill('w', [3], law, { seed: 1, device: 'cuda' })));`,
      { init: 999 },
    );
    expect(lines).toEqual(['"BACKEND_UNAVAILABLE"', '"ok"']);
  });

  it('by ISOMETRY_BACKEND works, or throws like by name', async () => {
    const code = `print(await outcome(fill('w', [3], law, { seed: 1 })), gpu().launches);`;
    const env = { ISOMETRY_BACKEND: 'cuda' };
    expect(await runClean(code, {}, { env })).toEqual(['"ok" 1']);
    expect(await runClean(code, { init: 100 }, { env })).toEqual(['"BACKEND_UNAVAILABLE" 0']);
  });

  it('does not happen where none was asked for', async () => {
    const lines = await runClean(`
      const { readFileSync } = await import('node:fs');
      for (const device of ['auto', 'cpu', 'js']) {
        await fill('w', [100_000], law, { seed: 1, device });
        fillSync('w', [1000], law, { seed: 1, device });
        fillInto(new Float32Array(10), 'w', [10], law, { seed: 1, device });
      }
      print(deviceMemory(), readFileSync('/proc/self/maps', 'utf8').includes('libcuda'), gpu().ready);`);
    expect(lines).toEqual(['{"allocations":0,"bytes":0,"collected":0} false 0']);
  });
});
