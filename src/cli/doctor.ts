import { availableParallelism } from 'node:os';
import { unexpectedlyMissing } from '../backends/cpu.js';
import { probeBackends, selectBackend } from '../backends/index.js';
import { loadNative } from '../backends/native.js';
import { IsometryError } from '../errors.js';
import { STREAM_VERSION, VERSION } from '../version.js';
import { type CudaSection, cudaLines, cudaSection } from './doctor-cuda.js';
import { Output } from './output.js';

/** Options of `isometry doctor`. */
export interface DoctorOptions {
  readonly json?: true;
}

/** `isometry doctor`: what works here, and why not what does not. Returns 1 when something is broken. */
export function doctor(options: DoctorOptions): number {
  const output = new Output(options.json === true);
  const report = examine();
  output.record('doctor', report);
  const { versions, backends, automatic, addon, simdTargets, cuda, environment, problems } = report;
  output.text(`isometry ${versions.isometry}, stream version ${versions.stream}`);
  output.text(`node ${versions.node} (${versions.platform}), ${versions.libc}, ${versions.cpus} CPUs`);
  output.text('');
  for (const { name, available, detail } of backends) {
    output.text(`${name.padEnd(4)}  ${available ? 'available    ' : 'not available'}  ${detail}`);
  }
  output.text('');
  output.text(`device auto:     ${automatic}`);
  output.text(`native addon:    ${addon}`);
  output.text(`SIMD targets:    ${simdTargets.length === 0 ? '-' : simdTargets.map(showTarget).join(', ')}`);
  for (const line of cudaLines(cuda)) output.text(line);
  for (const [name, value] of Object.entries(environment)) output.text(`environment:     ${name}=${value}`);
  for (const problem of problems) output.text(`problem:         ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

interface SimdTarget {
  readonly name: string;
  readonly supported: boolean;
}

interface Report {
  readonly versions: {
    readonly isometry: string;
    readonly stream: number;
    readonly node: string;
    readonly platform: string;
    readonly libc: string;
    readonly cpus: number;
  };
  readonly backends: readonly {
    readonly name: string;
    readonly available: boolean;
    readonly detail: string;
  }[];
  /** What `device: 'auto'` takes, and why. */
  readonly automatic: string;
  /** Its path, or why there is none. */
  readonly addon: string;
  readonly simdTargets: readonly SimdTarget[];
  readonly cuda: CudaSection;
  readonly environment: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

const VARIABLES = [
  'ISOMETRY_BACKEND',
  'ISOMETRY_CPU_TARGET',
  'ISOMETRY_THREADS',
  'ISOMETRY_CUDA_LIB_DIR',
  'CUDA_VISIBLE_DEVICES',
];

function examine(): Report {
  const native = loadNative();
  const broken = unexpectedlyMissing();
  const problems = broken === null ? [] : [broken];
  let automatic: string;
  try {
    automatic = quietly(() => {
      const { backend, reason } = selectBackend('auto', 0);
      return `${backend.name}: ${reason}`;
    });
  } catch (error) {
    if (!(error instanceof IsometryError)) throw error;
    automatic = 'fails';
    problems.push(error.message);
  }
  const reports = probeBackends();
  const set = VARIABLES.map((name) => [name, process.env[name]] as const);
  return {
    versions: {
      isometry: VERSION,
      stream: STREAM_VERSION,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      libc: libcVersion(),
      cpus: availableParallelism(),
    },
    backends: reports.map(({ name, probe }) => ({
      name,
      available: probe.available,
      detail: probe.available ? probe.detail : probe.reason,
    })),
    automatic,
    addon: native.binding === null ? `none: ${native.reason}` : native.path,
    simdTargets: native.binding === null ? [] : native.binding.targets(),
    cuda: cudaSection(reports.find(({ cuda }) => cuda !== undefined)!.cuda!, native.binding),
    environment: Object.fromEntries(set.filter((entry): entry is [string, string] => entry[1] !== undefined)),
    problems,
  };
}

/** The fallback's warning would only repeat what the report says. */
function quietly<T>(action: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

function libcVersion(): string {
  if (process.platform !== 'linux') return 'system libc';
  // The report would otherwise look up the names of open connections.
  (process.report as { excludeNetwork?: boolean }).excludeNetwork = true;
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'not glibc' : `glibc ${header.glibcVersionRuntime}`;
}

function showTarget({ name, supported }: SimdTarget): string {
  return supported ? name : `${name} (not on this CPU)`;
}
