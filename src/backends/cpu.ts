import { constants } from 'node:os';
import { dtypeInfo, type TensorArray } from '../dtype.js';
import { describe, IsometryError } from '../errors.js';
import { writeError } from '../io-errors.js';
import type { FillRequest, OrthogonalRequest } from '../job.js';
import { checkWorkMemory } from '../memory.js';
import { stopAtExit } from './at-exit.js';
import { orthogonalWords, requestWords } from './encode.js';
import { withMatrices } from './matrices.js';
import { loadNative, type NativeBinding } from './native.js';
import { fromNative } from './native-error.js';
import { onAbort } from './on-abort.js';
import type { FileFill, Part, Probe, RawBackend } from './types.js';

/** More threads than this are never started; the same bound as in cpu/pool.h. */
const MAX_THREADS = 256;

/** Of Node's pool, where nothing else is said. More are not counted on: three chunks of a file are on their way at a time. */
const NODE_THREADS = 4;

function nodeThreads(): number {
  return Number(process.env['UV_THREADPOOL_SIZE'] || NODE_THREADS);
}

/** What a test may choose per call; by default what the machine and the environment variables say. */
export interface CpuOptions {
  readonly simd?: string;
  readonly threads?: number;
}

interface Ready extends Required<CpuOptions> {
  readonly binding: NativeBinding;
}

type State = Ready | { readonly binding: null; readonly reason: string; readonly expected: boolean };

let state: State | undefined;

function cpuState(): State {
  state ??= prepare();
  return state;
}

function prepare(): State {
  const loaded = loadNative();
  if (loaded.binding === null) return loaded;
  const { binding } = loaded;
  const targets = binding.targets().filter((target) => target.supported);
  // Empty is not set, as where a container's configuration passes on a variable that nobody set.
  const simd = process.env['ISOMETRY_CPU_TARGET'] || targets[0]!.name;
  if (!targets.some((target) => target.name === simd)) {
    const names = targets.map((target) => target.name).join(', ');
    return off(`ISOMETRY_CPU_TARGET is ${describe(simd)}, but this machine runs ${names}`);
  }
  const asked = process.env['ISOMETRY_THREADS'] || undefined;
  if (asked !== undefined && !/^[1-9]\d{0,5}$/.test(asked)) {
    return off(`ISOMETRY_THREADS must be a whole number from 1 on, but is ${describe(asked)}`);
  }
  const threads = Math.min(MAX_THREADS, asked === undefined ? binding.cpus() : Number(asked));
  return { binding, simd, threads };
}

function off(reason: string): State {
  return { binding: null, reason, expected: true };
}

function ready(): Ready {
  const now = cpuState();
  if (now.binding === null)
    throw new IsometryError('BACKEND_UNAVAILABLE', `the cpu backend is not available: ${now.reason}`);
  return now;
}

/** How many threads the backend uses, in JavaScript one. */
export function cpuThreads(): number {
  const now = cpuState();
  return now.binding === null ? 1 : now.threads;
}

/** Why the native backend does not run although a binary is there; null when it runs, or when there is none. */
export function unexpectedlyMissing(): string | null {
  const now = cpuState();
  return now.binding === null && now.expected ? now.reason : null;
}

/** `fillSync` with a SIMD target and a number of threads of one's own choice. */
export function fillSyncWith(
  request: FillRequest,
  target: TensorArray,
  start: number,
  options: CpuOptions,
): void {
  const { binding, simd, threads } = ready();
  try {
    binding.fillSync(requestWords(request), target, start, options.simd ?? simd, options.threads ?? threads);
  } catch (error) {
    throw fromNative(error);
  }
}

/** `fill` with a SIMD target and a number of threads of one's own choice. */
export function fillWith(
  request: FillRequest,
  target: TensorArray,
  start: number,
  options: CpuOptions & { readonly signal?: AbortSignal },
): Promise<void> {
  return runPoolJob(options.signal, ({ binding, simd, threads }, callback) =>
    binding.fillAsync(
      requestWords(request),
      target,
      start,
      options.simd ?? simd,
      options.threads ?? threads,
      callback,
    ),
  );
}

/** `fillFile` with a SIMD target and a number of threads of one's own choice. */
export function fillFileWith(parts: readonly Part[], options: CpuOptions): FileFill | undefined {
  const { binding, simd, threads } = { ...ready(), ...options };
  if (binding.fileFill === undefined || simd === 'portable') return undefined;
  // It computes on threads of Node's pool. Where there are more CPUs than those, ours do more.
  if (threads === 1 || threads > Math.min(NODE_THREADS, nodeThreads())) return undefined;
  const words = parts.map(({ request }) => requestWords(request));
  const windows = Float64Array.from(parts.flatMap(({ start, length }) => [start, length]));
  const bytes = parts.reduce((sum, { request, length }) => sum + length * dtypeInfo(request.dtype).bytes, 0);
  return (fd, position) =>
    new Promise((resolve, reject) => {
      try {
        binding.fileFill!(fd, position, words, windows, simd, (written, errno) => {
          if (written === bytes) resolve();
          else reject(writeError(errno || constants.errno.EIO));
        });
      } catch (error) {
        reject(fromNative(error));
      }
    });
}

/** `orthogonalSync` with a SIMD target and a number of threads of one's own choice. */
export function orthogonalSyncWith(
  request: OrthogonalRequest,
  target: TensorArray,
  start: number,
  options: CpuOptions,
): void {
  const chosen = { ...ready(), ...options };
  const { binding, simd, threads } = chosen;
  checkMemory(request, target, start, chosen);
  try {
    binding.orthogonalSync(orthogonalWords(request), target, start, simd, threads);
  } catch (error) {
    throw fromNative(error);
  }
}

/** `orthogonal` with a SIMD target and a number of threads of one's own choice. */
export async function orthogonalWith(
  request: OrthogonalRequest,
  target: TensorArray,
  start: number,
  options: CpuOptions & { readonly signal?: AbortSignal },
): Promise<void> {
  const { signal, ...chosen } = { ...ready(), ...options };
  const { simd, threads } = chosen;
  checkMemory(request, target, start, chosen);
  await runPoolJob(signal, ({ binding }, callback) =>
    binding.orthogonalAsync(orthogonalWords(request), target, start, simd, threads, callback),
  );
}

/** Before anything is allocated: the system would promise the memory, and kill the process when it is used. */
function checkMemory(
  request: OrthogonalRequest,
  target: TensorArray,
  start: number,
  { binding, simd, threads }: Ready,
): void {
  let bytes: number;
  try {
    bytes = binding.orthogonalBytes(orthogonalWords(request), target, start, simd, threads);
  } catch (error) {
    throw fromNative(error);
  }
  checkWorkMemory(bytes, target, `the making of ${request.rows} × ${request.cols} orthogonal matrices`);
}

/** A job of the addon's threads as a promise. */
function runPoolJob(
  signal: AbortSignal | undefined,
  start: (state: Ready, callback: (outcome: string) => void) => number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const now = ready();
    signal?.throwIfAborted();
    stopAtExit(now.binding);
    let forget: (() => void) | undefined;
    const settle = (outcome: string): void => {
      forget?.();
      if (outcome === 'done') resolve();
      else if (outcome === 'cancelled') reject(signal?.reason);
      else reject(new IsometryError('INTERNAL', 'the buffer of a running fill was taken away'));
    };
    try {
      const id = start(now, settle);
      if (signal !== undefined) forget = onAbort(signal, () => now.binding.cancel(id));
    } catch (error) {
      reject(fromNative(error));
    }
  });
}

/** The native backend: SIMD code on all CPUs that this process may use. */
export const cpuBackend: RawBackend = withMatrices({
  name: 'cpu',
  probe(): Probe {
    const now = cpuState();
    if (now.binding === null) return { available: false, reason: now.reason };
    return {
      available: true,
      detail: `${now.simd}, ${now.threads} ${now.threads === 1 ? 'thread' : 'threads'}`,
    };
  },
  fillSync(request: FillRequest, target: TensorArray, start: number): void {
    fillSyncWith(request, target, start, {});
  },
  fill(request: FillRequest, target: TensorArray, start: number, signal?: AbortSignal): Promise<void> {
    return fillWith(request, target, start, signal === undefined ? {} : { signal });
  },
  fillFile(parts: readonly Part[]): FileFill | undefined {
    return fillFileWith(parts, {});
  },
  orthogonalSync(request: OrthogonalRequest, target: TensorArray, start: number): void {
    orthogonalSyncWith(request, target, start, {});
  },
  orthogonal(
    request: OrthogonalRequest,
    target: TensorArray,
    start: number,
    signal?: AbortSignal,
  ): Promise<void> {
    return orthogonalWith(request, target, start, signal === undefined ? {} : { signal });
  },
});
