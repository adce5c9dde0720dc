import { expected, IsometryError } from '../errors.js';
import { cpuBackend, unexpectedlyMissing } from './cpu.js';
import { jsBackend } from './js.js';
import type { Backend, BackendName, Probe } from './types.js';

/** What a choice of backend depends on, apart from the request. */
export interface Capabilities {
  readonly cuda: Probe;
  readonly cpu: Probe;
  readonly js: Probe;
  /** The value of `ISOMETRY_BACKEND`; `auto` when it is not set. */
  readonly preferred: string;
}

export interface Choice {
  readonly backend: BackendName;
  /** Why this one, as a sentence's part: "the fastest available here (avx2, 8 threads)". */
  readonly reason: string;
}

const NO_CUDA: Probe = { available: false, reason: 'this build has no CUDA backend' };

/**
 * A device's name, when it is one.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function parseDevice(device: unknown): string {
  if (typeof device === 'string' && /^(auto|cpu|js|cuda(:\d{1,3})?)$/.test(device)) return device;
  throw expected('INVALID_OPTION', 'one of "auto", "cuda", "cuda:N", "cpu", "js"', 'device', device);
}

/**
 * Which backend computes a request for `device`. The result never changes a value, only speed. Pure: the same
 * arguments give the same answer.
 * @throws IsometryError `INVALID_OPTION` for an unknown device or an unknown `ISOMETRY_BACKEND`,
 *   `BACKEND_UNAVAILABLE`, with the reason, for a device asked for by name that cannot be used.
 */
export function chooseBackend(device: unknown, capabilities: Capabilities): Choice {
  const { preferred } = capabilities;
  if (preferred !== 'auto' && preferred !== 'cpu' && preferred !== 'js') {
    throw expected(
      'INVALID_OPTION',
      'one of "auto", "cpu", "js"',
      'the environment variable ISOMETRY_BACKEND',
      preferred,
    );
  }
  if (device === 'auto') {
    if (preferred !== 'auto')
      return byName(preferred, capabilities, `asked for by ISOMETRY_BACKEND=${preferred}`);
    if (capabilities.cuda.available) return { backend: 'cuda', reason: because(capabilities.cuda) };
    if (capabilities.cpu.available) return { backend: 'cpu', reason: because(capabilities.cpu) };
    return { backend: 'js', reason: `the cpu backend is not available: ${capabilities.cpu.reason}` };
  }
  if (device === 'cpu' || device === 'js') return byName(device, capabilities, 'asked for by name');
  parseDevice(device);
  return byName('cuda', capabilities, 'asked for by name');
}

function byName(backend: BackendName, capabilities: Capabilities, reason: string): Choice {
  const probe = capabilities[backend];
  if (probe.available) return { backend, reason: `${reason} (${probe.detail})` };
  throw new IsometryError(
    'BACKEND_UNAVAILABLE',
    `the ${backend} backend was ${reason} but is not available: ${probe.reason}`,
  );
}

function because(probe: Probe & { available: true }): string {
  return `the fastest available here (${probe.detail})`;
}

let warned = false;

/**
 * The backend for a fill of `bytes` bytes on `device`, and why it was chosen. With one kind of native device the
 * size does not matter yet.
 * @throws IsometryError as {@link chooseBackend}.
 */
export function selectBackend(device: string, _bytes: number): { backend: Backend; reason: string } {
  const choice = chooseBackend(device, {
    cuda: NO_CUDA,
    cpu: cpuBackend.probe(),
    js: jsBackend.probe(),
    preferred: process.env['ISOMETRY_BACKEND'] || 'auto',
  });
  if (choice.backend === 'cpu') return { backend: cpuBackend, reason: choice.reason };
  const missing = device === 'auto' && !warned ? unexpectedlyMissing() : null;
  if (missing !== null) {
    warned = true;
    process.emitWarning(`the native addon could not be used, results are the same but slower: ${missing}`, {
      type: 'IsometryWarning',
      code: 'ISOMETRY_NATIVE_UNAVAILABLE',
    });
  }
  return { backend: jsBackend, reason: choice.reason };
}

/** Which backends can be used here, and why not the others. */
export function probeBackends(): readonly { name: BackendName; probe: Probe }[] {
  return [
    { name: 'cuda', probe: NO_CUDA },
    { name: 'cpu', probe: cpuBackend.probe() },
    { name: 'js', probe: jsBackend.probe() },
  ];
}
