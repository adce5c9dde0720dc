import { expected } from '../errors.js';
import { type Capabilities, type Choice, chooseBackend } from './choose.js';
import { cpuBackend, cpuThreads, unexpectedlyMissing } from './cpu.js';
import { type CudaBackend, type CudaReport, cudaBackend, cudaProbe, probeCuda } from './cuda.js';
import { jsBackend } from './js.js';
import { withMatrices } from './matrices.js';
import type { Backend, BackendName, Probe } from './types.js';

/**
 * A device's name, when it is one.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function parseDevice(device: unknown): string {
  if (typeof device === 'string' && /^(auto|cpu|js|cuda(:\d{1,3})?)$/.test(device)) return device;
  throw expected('INVALID_OPTION', 'one of "auto", "cuda", "cuda:N", "cpu", "js"', 'device', device);
}

/** What this machine has; GPUs are looked for when `cuda` is read, and not before. */
function capabilitiesHere(again: boolean): Capabilities {
  return {
    get cuda() {
      const report = probeCuda(again);
      return { probe: cudaProbe(report), devices: report.devices };
    },
    cpu: cpuBackend.probe(),
    js: jsBackend.probe(),
    threads: cpuThreads(),
    preferred: process.env['ISOMETRY_BACKEND'] || 'auto',
  };
}

let warned = false;

/**
 * The backend for a fill of `bytes` bytes of host memory on `device`, and why it was chosen.
 * @throws IsometryError as {@link chooseBackend}.
 */
export function selectBackend(device: string, bytes: number): { backend: Backend; reason: string } {
  const named = device.startsWith('cuda') || process.env['ISOMETRY_BACKEND'] === 'cuda';
  const choice = chooseBackend({ device, bytes, keep: 'host' }, capabilitiesHere(named));
  if (choice.backend === 'cuda') {
    const backend = cudaBackend(choice.device);
    // Matrices of cuSOLVER's would differ in their last bits, and `auto` never changes a value.
    return { backend: named ? backend : withMatrices(backend), reason: choice.reason };
  }
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

/**
 * The GPU for a fill of `bytes` bytes of device memory.
 * @param index of the device that the memory is on; left out where there is no memory yet.
 * @throws IsometryError as {@link chooseBackend}.
 */
export function selectCuda(
  device: string,
  bytes: number,
  index?: number,
): { backend: CudaBackend; reason: string } {
  const request = { device, bytes, keep: 'device' as const, ...(index === undefined ? {} : { index }) };
  const choice = chooseBackend(request, capabilitiesHere(true)) as Choice & { backend: 'cuda' };
  return { backend: cudaBackend(choice.device), reason: choice.reason };
}

/** A backend, and whether it can be used here. */
export interface BackendReport {
  readonly name: BackendName;
  readonly probe: Probe;
  /** With `cuda`: the driver and every device. */
  readonly cuda?: CudaReport;
}

/**
 * Which backends can be used here, and why not the others. Opens the GPU's driver, if there is one.
 */
export function probeBackends(): readonly BackendReport[] {
  const cuda = probeCuda(true);
  return [
    { name: 'cuda', probe: cudaProbe(cuda), cuda },
    { name: 'cpu', probe: cpuBackend.probe() },
    { name: 'js', probe: jsBackend.probe() },
  ];
}
