import type { CudaReport } from '../backends/cuda.js';
import { libraryFolders } from '../backends/cuda-libraries.js';
import type { NativeBinding } from '../backends/native.js';
import type { CudaDevice, CudaLibrary } from '../backends/native-cuda.js';
import { formatBytes } from './output.js';

/** What `isometry doctor` says about GPUs. */
export interface CudaSection extends CudaReport {
  /** The CUDA runtime library. */
  readonly runtime: string;
  /** What single features need beside the driver; null when it was not looked for. */
  readonly libraries: readonly CudaLibrary[] | null;
}

const RUNTIME = 'none needed (driver API)';

/** The driver's report, and what is there beside the driver. */
export function cudaSection(report: CudaReport, binding: NativeBinding | null): CudaSection {
  return { ...report, runtime: RUNTIME, libraries: binding?.cudaLibraries?.(libraryFolders()) ?? null };
}

/** The same for people. */
export function cudaLines({ result, driverVersion, library, devices, libraries }: CudaSection): string[] {
  const version = driverVersion === 0 ? '' : `, runs CUDA ${cudaVersion(driverVersion)}`;
  const lines = [
    `CUDA driver:     ${library === '' ? `not opened (${result})` : `${library}${version}`}`,
    `CUDA runtime:    ${RUNTIME}`,
    ...devices.map((device) => `${`cuda:${device.index}:`.padEnd(17)}${deviceLine(device)}`),
  ];
  if (libraries === null) return [...lines, 'CUDA libraries:  not looked for'];
  return [...lines, ...libraries.map((entry) => `${`${entry.name}:`.padEnd(17)}${libraryLine(entry)}`)];
}

/** `13000` → `13.0`. */
function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

function deviceLine(device: CudaDevice): string {
  const { name, totalMemory, computeCapability, multiprocessors, uuid, usable, reason } = device;
  const facts = [
    name,
    formatBytes(totalMemory),
    `compute capability ${computeCapability.join('.')}`,
    `${multiprocessors} multiprocessors`,
    uuid,
  ];
  return usable ? facts.join(', ') : `${facts.join(', ')}; cannot be used: ${reason}`;
}

function libraryLine({ path, version, reason }: CudaLibrary): string {
  return reason === '' ? `${version}, ${path}` : `not available: ${reason}`;
}
