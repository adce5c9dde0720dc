import { expected, IsometryError } from '../errors.js';
import { type CudaDevice, deviceName } from './native-cuda.js';
import type { BackendName, Probe } from './types.js';

/** What is to be filled, as far as the choice of a backend depends on it. */
export interface Wanted {
  /** A device's name, see `parseDevice`. */
  readonly device: string;
  readonly bytes: number;
  /** Where the result is wanted. */
  readonly keep: 'host' | 'device';
  /** The device whose memory is to be filled; only with keep `device`. */
  readonly index?: number;
}

/** What a choice of backend depends on, apart from what is to be filled. */
export interface Capabilities {
  /** Read only where the answer matters: it may be a getter that opens the GPU's driver. */
  readonly cuda: { readonly probe: Probe; readonly devices: readonly CudaDevice[] };
  readonly cpu: Probe;
  readonly js: Probe;
  /** That the CPU's backend uses. */
  readonly threads: number;
  /** The value of `ISOMETRY_BACKEND`; `auto` when it is not set. */
  readonly preferred: string;
}

/** A backend, and why this one, as a sentence's part: "asked for by name (avx2, 8 threads)". */
export type Choice =
  | { readonly backend: 'cpu' | 'js'; readonly reason: string }
  | { readonly backend: 'cuda'; readonly device: CudaDevice; readonly reason: string };

/** Below this, opening a GPU (0.1 to 0.5 s) takes longer than computing on one thread. */
const GPU_FROM_BYTES = 256 * 2 ** 20;

/**
 * A thread makes about 2 GB/s of float32 normals. A GPU makes them a thousand times as fast, but into host memory they
 * come over the bus and through pinned memory, at some 12 GB/s.
 */
const ENOUGH_THREADS = 6;

/**
 * Which backend computes what is wanted. The answer never changes a value, only speed. Pure: the same arguments give
 * the same answer.
 * @throws IsometryError `INVALID_OPTION` for an unknown `ISOMETRY_BACKEND`, or a device that cannot be what is wanted;
 *   `BACKEND_UNAVAILABLE`, with the reason, for a device asked for by name that cannot be used.
 */
export function chooseBackend(wanted: Wanted, capabilities: Capabilities): Choice {
  const { preferred } = capabilities;
  if (!['auto', 'cuda', 'cpu', 'js'].includes(preferred)) {
    throw expected(
      'INVALID_OPTION',
      'one of "auto", "cuda", "cpu", "js"',
      'the environment variable ISOMETRY_BACKEND',
      preferred,
    );
  }
  if (wanted.keep === 'device') return forDevice(wanted, capabilities);
  const { device } = wanted;
  if (device !== 'auto') return byName(device, capabilities, 'asked for by name');
  if (preferred !== 'auto') {
    return byName(preferred, capabilities, `asked for by ISOMETRY_BACKEND=${preferred}`);
  }
  return automatic(wanted.bytes, capabilities);
}

/** The fastest way into host memory. */
function automatic(bytes: number, capabilities: Capabilities): Choice {
  const { cpu, js, threads } = capabilities;
  if (bytes >= GPU_FROM_BYTES && threads < ENOUGH_THREADS) {
    const { probe, devices } = capabilities.cuda;
    const device = devices.find(({ usable }) => usable);
    if (probe.available && device !== undefined) {
      const count = `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
      const reason = `faster for ${bytes} bytes than ${count} of the CPU (${deviceName(device)})`;
      return { backend: 'cuda', device, reason };
    }
  }
  if (cpu.available) return { backend: 'cpu', reason: `the fastest available here (${cpu.detail})` };
  if (!js.available) throw new IsometryError('BACKEND_UNAVAILABLE', `no backend is available: ${js.reason}`);
  return { backend: 'js', reason: `the cpu backend is not available: ${cpu.reason}` };
}

/** Results that stay on a GPU: only that GPU can compute them. */
function forDevice({ device, index }: Wanted, capabilities: Capabilities): Choice {
  const { preferred } = capabilities;
  const where = index === undefined ? 'a tensor that stays on the GPU (keep: "device")' : 'device memory';
  if (device === 'cpu' || device === 'js') {
    throw expected('INVALID_OPTION', 'one of "auto", "cuda", "cuda:N"', `the device of ${where}`, device);
  }
  if (device === 'auto' && (preferred === 'cpu' || preferred === 'js')) {
    throw new IsometryError(
      'BACKEND_UNAVAILABLE',
      `${where} needs the cuda backend, but ISOMETRY_BACKEND=${preferred} asks for another; unset it or pass device: "cuda"`,
    );
  }
  if (index !== undefined && device.startsWith('cuda:') && device !== `cuda:${index}`) {
    throw expected('INVALID_OPTION', `"cuda:${index}", where the target is,`, 'device', device);
  }
  const name = index === undefined ? (device === 'auto' ? 'cuda' : device) : `cuda:${index}`;
  return byName(name, capabilities, device === 'auto' ? `needed for ${where}` : 'asked for by name');
}

function byName(name: string, capabilities: Capabilities, why: string): Choice {
  if (name.startsWith('cuda')) return cudaByName(name, capabilities, why);
  const backend = name as 'cpu' | 'js';
  const probe = capabilities[backend];
  if (probe.available) return { backend, reason: `${why} (${probe.detail})` };
  throw unavailable(backend, why, probe.reason);
}

function cudaByName(name: string, { cuda }: Capabilities, why: string): Choice {
  const { probe, devices } = cuda;
  if (!probe.available) throw unavailable('cuda', why, probe.reason);
  const device =
    name === 'cuda'
      ? devices.find(({ usable }) => usable)
      : devices.find(({ index }) => index === Number(name.slice(5)));
  if (device === undefined) {
    throw new IsometryError(
      'BACKEND_UNAVAILABLE',
      `${name} was ${why} but is not there; the devices here are ${devices.map(deviceName).join(', ')}`,
    );
  }
  if (device.usable) return { backend: 'cuda', device, reason: `${why} (${deviceName(device)})` };
  throw new IsometryError(
    'BACKEND_UNAVAILABLE',
    `${deviceName(device)} was ${why} but cannot be used: ${device.reason}`,
  );
}

function unavailable(backend: BackendName, why: string, reason: string): IsometryError {
  const message = `the ${backend} backend was ${why} but is not available: ${reason}`;
  return new IsometryError('BACKEND_UNAVAILABLE', message);
}
