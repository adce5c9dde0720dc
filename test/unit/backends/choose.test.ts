import { describe, expect, it } from 'vitest';
import { type Capabilities, chooseBackend, type Wanted } from '../../../src/backends/choose.js';
import type { CudaDevice } from '../../../src/backends/native-cuda.js';
import type { Probe } from '../../../src/backends/types.js';

const yes = { available: true, detail: 'D' } as const;
const no = { available: false, reason: 'R' } as const;

function gpu(index: number, usable = true): CudaDevice {
  return {
    index,
    name: 'GPU',
    uuid: `GPU-${index}`,
    computeCapability: [9, 0],
    multiprocessors: 132,
    totalMemory: 2 ** 37,
    usable,
    reason: usable ? '' : 'too old',
  };
}

interface Here {
  cuda?: Probe;
  devices?: CudaDevice[];
  cpu?: Probe;
  threads?: number;
  preferred?: string;
}

/** A machine; whoever reads `cuda` without need opens a driver for nothing. */
function here({ cuda = yes, devices = [gpu(0)], cpu = yes, threads = 2, preferred = 'auto' }: Here = {}) {
  let opened = 0;
  const capabilities: Capabilities = {
    get cuda() {
      opened++;
      return { probe: cuda, devices: cuda.available ? devices : [] };
    },
    cpu,
    js: yes,
    threads,
    preferred,
  };
  return { capabilities, opened: () => opened };
}

const MiB = 2 ** 20;

function host(device: string, bytes = 1000): Wanted {
  return { device, bytes, keep: 'host' };
}

function kept(device: string, index?: number): Wanted {
  return { device, bytes: 1000, keep: 'device', ...(index === undefined ? {} : { index }) };
}

function code(wanted: Wanted, machine: Here): [string, string] {
  try {
    chooseBackend(wanted, here(machine).capabilities);
  } catch (error) {
    return [(error as { code: string }).code, (error as Error).message];
  }
  return ['', ''];
}

describe('chooseBackend for host memory', () => {
  it.each([
    [host('auto'), {}, 'cpu'],
    [host('auto'), { cpu: no }, 'js'],
    [host('auto', 256 * MiB - 1), { threads: 1 }, 'cpu'],
    [host('auto', 256 * MiB), { threads: 5 }, 'cuda'],
    [host('auto', 256 * MiB), { threads: 6 }, 'cpu'],
    [host('auto', 1e12), { threads: 5, cuda: no }, 'cpu'],
    [host('auto', 1e12), { threads: 1, cpu: no }, 'cuda'],
    [host('auto', 1e12), { preferred: 'js' }, 'js'],
    [host('auto', 1e12), { preferred: 'cpu' }, 'cpu'],
    [host('auto'), { preferred: 'cuda' }, 'cuda'],
    [host('cpu', 1e12), {}, 'cpu'],
    [host('cpu'), { preferred: 'js' }, 'cpu'],
    [host('js', 1e12), { preferred: 'cuda' }, 'js'],
    [host('cuda'), {}, 'cuda'],
    [host('cuda:3'), { devices: [gpu(0), gpu(3)], cpu: no, preferred: 'cpu' }, 'cuda'],
  ] as const)('%j with %j is %s', (wanted, machine, backend) => {
    expect(chooseBackend(wanted, here(machine as Here).capabilities).backend).toBe(backend);
  });

  it('looks for a GPU only where the answer matters', () => {
    for (const [wanted, machine, opened] of [
      [host('auto'), {}, 0],
      [host('auto', 256 * MiB - 1), { threads: 1 }, 0],
      [host('auto', 1e12), { threads: 6 }, 0],
      [host('auto', 1e12), { preferred: 'cpu' }, 0],
      [host('cpu', 1e12), {}, 0],
      [host('js', 1e12), {}, 0],
      [host('auto', 1e12), {}, 1],
      [host('cuda'), {}, 1],
      [kept('auto'), {}, 1],
    ] as const) {
      const machineHere = here(machine);
      chooseBackend(wanted, machineHere.capabilities);
      expect(machineHere.opened(), JSON.stringify([wanted, machine])).toBe(opened);
    }
  });

  it('says why', () => {
    const reason = (wanted: Wanted, machine: Here) =>
      chooseBackend(wanted, here(machine).capabilities).reason;
    expect(reason(host('auto'), {})).toBe('the fastest available here (D)');
    expect(reason(host('auto'), { cpu: no })).toBe('the cpu backend is not available: R');
    expect(reason(host('auto', 256 * MiB), { threads: 1 })).toBe(
      'faster for 268435456 bytes than 1 thread of the CPU (cuda:0 GPU)',
    );
    expect(reason(host('auto'), { preferred: 'cpu' })).toBe('asked for by ISOMETRY_BACKEND=cpu (D)');
    expect(reason(host('js'), {})).toBe('asked for by name (D)');
    expect(reason(host('cuda'), {})).toBe('asked for by name (cuda:0 GPU)');
    expect(reason(kept('auto'), {})).toBe(
      'needed for a tensor that stays on the GPU (keep: "device") (cuda:0 GPU)',
    );
  });

  it.each([
    [host('cuda'), { cuda: no }],
    [host('cuda:0'), { cuda: no }],
    [host('cpu'), { cpu: no }],
    [host('auto'), { cpu: no, preferred: 'cpu' }],
    [host('auto'), { cuda: no, preferred: 'cuda' }],
    [kept('auto'), { cuda: no }],
    [kept('cuda'), { cuda: no }],
  ] as const)('%j with %j never falls back', (wanted, machine) => {
    expect(code(wanted, machine as Here)).toEqual([
      'BACKEND_UNAVAILABLE',
      expect.stringMatching(/^the (cuda|cpu) backend was .* but is not available: R$/),
    ]);
  });

  it('refuses unknown preferences', () => {
    expect(code(host('auto'), { preferred: 'gpu' })).toEqual([
      'INVALID_OPTION',
      'expected one of "auto", "cuda", "cpu", "js" for the environment variable ISOMETRY_BACKEND but received "gpu" of type string',
    ]);
  });
});

describe('chooseBackend for a device', () => {
  const devices = [gpu(0, false), gpu(1), gpu(2)];
  const chosen = (wanted: Wanted) => {
    const choice = chooseBackend(wanted, here({ devices }).capabilities);
    return choice.backend === 'cuda' ? choice.device.index : choice.backend;
  };

  it('takes the first that can be used, or the one that is asked for, or the one that the memory is on', () => {
    expect(chosen(host('cuda'))).toBe(1);
    expect(chosen(kept('auto'))).toBe(1);
    expect(chosen(kept('cuda:2'))).toBe(2);
    expect(chosen(kept('auto', 2))).toBe(2);
    expect(chosen(kept('cuda', 2))).toBe(2);
    expect(chosen(kept('cuda:2', 2))).toBe(2);
  });

  it('tells which devices there are', () => {
    expect(code(host('cuda:7'), { devices })).toEqual([
      'BACKEND_UNAVAILABLE',
      'cuda:7 was asked for by name but is not there; the devices here are cuda:0 GPU, cuda:1 GPU, cuda:2 GPU',
    ]);
    expect(code(host('cuda:0'), { devices })).toEqual([
      'BACKEND_UNAVAILABLE',
      'cuda:0 GPU was asked for by name but cannot be used: too old',
    ]);
    expect(code(kept('auto', 9), { devices })[0]).toBe('BACKEND_UNAVAILABLE');
  });

  it('has nothing else for what stays on a device', () => {
    for (const device of ['cpu', 'js']) {
      expect(code(kept(device), {})).toEqual([
        'INVALID_OPTION',
        `expected one of "auto", "cuda", "cuda:N" for the device of a tensor that stays on the GPU (keep: "device") but received "${device}" of type string`,
      ]);
      const [refused, message] = code(kept('auto'), { preferred: device });
      expect([refused, message.includes(`ISOMETRY_BACKEND=${device}`)]).toEqual([
        'BACKEND_UNAVAILABLE',
        true,
      ]);
    }
    expect(code(kept('cuda:1', 0), { devices })).toEqual([
      'INVALID_OPTION',
      'expected "cuda:0", where the target is, for device but received "cuda:1" of type string',
    ]);
  });
});
