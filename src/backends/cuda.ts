import type { TensorArray } from '../dtype.js';
import type { FillRequest, OrthogonalRequest } from '../job.js';
import { withSolver } from './cuda-matrices.js';
import { orthogonalWords, requestWords } from './encode.js';
import { loadNative, type NativeBinding } from './native.js';
import {
  type CudaCallback,
  type CudaDevice,
  type CudaProbe,
  type CudaResult,
  deviceName,
  type NativePart,
} from './native-cuda.js';
import { callNative, runJob } from './native-job.js';
import type { Part, Probe, RawBackend } from './types.js';

/** What is known about GPUs here; `noAddon` where there is nothing that could ask. */
export interface CudaReport extends Omit<CudaProbe, 'result'> {
  readonly result: CudaResult | 'noAddon';
}

/** Some megabytes of descriptors are uploaded at a time: a quantile table alone has 49 kB. */
const MAX_PARTS = 4096;
const MAX_WORDS = 1 << 22;

/** A chunk of a file: several of the pinned buffers that the addon copies through (8 MiB), so that they overlap. */
const CHUNK_BYTES = 32 * 2 ** 20;

/**
 * Larger arrays are handed over in pieces: in Node 20 a Uint8Array holds 2^32 bytes, but a Float32Array 2^32 elements.
 * A whole number of Philox blocks of any dtype.
 */
const MAX_VIEW_BYTES = 2 ** 31;

let report: CudaReport | undefined;

/**
 * What the driver says. Asked once; a failure is asked about again when `again` is set, because a driver may have been
 * installed or a device become free meanwhile. The first call opens the driver, which takes some 100 ms.
 */
export function probeCuda(again = false): CudaReport {
  if (report === undefined || (again && report.result !== 'ready')) report = askDriver();
  return report;
}

function askDriver(): CudaReport {
  const loaded = loadNative();
  if (loaded.binding !== null) return loaded.binding.cudaProbe();
  const reason = `it needs the native addon, which is not there: ${loaded.reason}`;
  return { result: 'noAddon', reason, driverVersion: 0, library: '', devices: [] };
}

/** The same as every backend says it. */
export function cudaProbe({ result, reason, devices }: CudaReport): Probe {
  if (result !== 'ready') return { available: false, reason };
  const usable = devices.filter((device) => device.usable);
  return { available: true, detail: usable.map(deviceName).join('; ') };
}

/** A GPU as a backend, and its memory. */
export interface CudaBackend extends RawBackend {
  readonly name: 'cuda';
  readonly device: CudaDevice;
  fillParts(parts: readonly Part[], buffer: ArrayBuffer, signal?: AbortSignal): Promise<void>;
  /** Computes windows, all of one seed, into device memory at `address`. */
  fillDevice(parts: readonly Part[], address: bigint, signal?: AbortSignal): Promise<void>;
  /** {@link fillDevice}, but returns when it is done. */
  fillDeviceSync(parts: readonly Part[], address: bigint): void;
  /**
   * Computes elements [start, start + length) of an output into device memory at `address`; leaves alone what is no
   * element of the request's matrices.
   */
  orthogonalDevice(
    request: OrthogonalRequest,
    start: number,
    length: number,
    address: bigint,
    signal?: AbortSignal,
  ): Promise<void>;
  /** {@link orthogonalDevice}, but returns when it is done. */
  orthogonalDeviceSync(request: OrthogonalRequest, start: number, length: number, address: bigint): void;
  /** Copies `source` to `address`; it must be the caller's alone until the promise settles. */
  copyFromHost(address: bigint, source: ArrayBufferView, signal?: AbortSignal): Promise<void>;
  /** {@link copyFromHost}, but returns when it is done. */
  copyFromHostSync(address: bigint, source: ArrayBufferView): void;
  /** Makes the device ready off the event loop: what comes first does so otherwise, and takes up to half a second. */
  open(signal?: AbortSignal): Promise<void>;
  /** `bytes` > 0 of device memory, not cleared. */
  allocate(bytes: number): { id: number; pointer: bigint };
  /** The memory is free once no running job uses it any more. */
  free(id: number): void;
  /** The `target.byteLength` bytes from `address` on; `target` must be the caller's alone until the promise settles. */
  copyToHost(address: bigint, target: ArrayBufferView, signal?: AbortSignal): Promise<void>;
  /** See `cudaIpcMemHandle_t`. */
  ipcHandle(address: bigint): { handle: Uint8Array; offset: number };
}

const backends = new Map<number, CudaBackend>();

/** The backend of one device that can be used. */
export function cudaBackend(device: CudaDevice): CudaBackend {
  let backend = backends.get(device.index);
  if (backend === undefined) {
    const binding = loadNative().binding!;
    backend = withSolver(createCudaBackend(binding, device), binding);
    backends.set(device.index, backend);
  }
  return backend;
}

/**
 * {@link cudaBackend} on a binding of one's own.
 * @param maxViewBytes - a multiple of 16.
 * @internal
 */
export function createCudaBackend(
  binding: NativeBinding,
  device: CudaDevice,
  maxViewBytes: number = MAX_VIEW_BYTES,
): CudaBackend {
  const { index } = device;

  const run = (start: (callback: CudaCallback) => number, signal: AbortSignal | undefined): Promise<void> =>
    runJob(binding, start, signal);

  async function fillBatches(
    parts: readonly Part[],
    destination: Uint8Array | bigint,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    for (const batch of batches(parts)) {
      await run((callback) => binding.cudaFillAsync(index, batch, destination, callback), signal);
    }
  }

  return {
    name: 'cuda',
    device,
    chunkBytes: CHUNK_BYTES,
    probe: () => ({ available: true, detail: deviceName(device) }),
    fillSync(request, target, start) {
      for (const [bytes, at] of views(target, maxViewBytes)) {
        const parts = [partInto(request, target, start, bytes, at)];
        callNative(() => binding.cudaFillSync(index, parts, bytes));
      }
    },
    async fill(request, target, start, signal) {
      for (const [bytes, at] of views(target, maxViewBytes)) {
        const parts = [partInto(request, target, start, bytes, at)];
        await run((callback) => binding.cudaFillAsync(index, parts, bytes, callback), signal);
      }
    },
    // A piece takes all columns that it has elements of: a tall matrix of several pieces is made as often.
    orthogonalSync(request, target, start) {
      const words = orthogonalWords(request);
      for (const [bytes, at] of views(target, maxViewBytes)) {
        const size = target.BYTES_PER_ELEMENT;
        callNative(() =>
          binding.cudaOrthogonalSync(index, words, start + at / size, bytes.length / size, bytes),
        );
      }
    },
    async orthogonal(request, target, start, signal) {
      const words = orthogonalWords(request);
      for (const [bytes, at] of views(target, maxViewBytes)) {
        const size = target.BYTES_PER_ELEMENT;
        const [first, count] = [start + at / size, bytes.length / size];
        await run(
          (callback) => binding.cudaOrthogonalAsync(index, words, first, count, bytes, callback),
          signal,
        );
      }
    },
    async orthogonalDevice(request, start, length, address, signal) {
      if (length === 0) return;
      const words = orthogonalWords(request);
      await run(
        (callback) => binding.cudaOrthogonalAsync(index, words, start, length, address, callback),
        signal,
      );
    },
    orthogonalDeviceSync(request, start, length, address) {
      const words = orthogonalWords(request);
      callNative(() => binding.cudaOrthogonalSync(index, words, start, length, address));
    },
    fillParts: (parts, buffer, signal) => fillBatches(parts, new Uint8Array(buffer), signal),
    fillDevice: (parts, address, signal) => fillBatches(parts, address, signal),
    fillDeviceSync(parts, address) {
      for (const batch of batches(parts)) callNative(() => binding.cudaFillSync(index, batch, address));
    },
    open: (signal) => run((callback) => binding.cudaOpenAsync(index, callback), signal),
    allocate: (bytes) => callNative(() => binding.cudaAllocate(index, bytes)),
    free: (id) => binding.cudaFree(id),
    async copyToHost(address, target, signal) {
      for (const [bytes, at] of views(target, maxViewBytes)) {
        const from = address + BigInt(at);
        await run((callback) => binding.cudaCopyToHostAsync(index, from, bytes, callback), signal);
      }
    },
    async copyFromHost(address, source, signal) {
      for (const [bytes, at] of views(source, maxViewBytes)) {
        const to = address + BigInt(at);
        await run((callback) => binding.cudaCopyFromHostAsync(index, to, bytes, callback), signal);
      }
    },
    copyFromHostSync(address, source) {
      for (const [bytes, at] of views(source, maxViewBytes))
        callNative(() => binding.cudaCopyFromHostSync(index, address + BigInt(at), bytes));
    },
    ipcHandle: (address) => callNative(() => binding.cudaIpcHandle(index, address)),
  };
}

/** The memory of `target` in pieces, with their offsets in it; none when it is empty. */
function* views(
  { buffer, byteOffset, byteLength }: ArrayBufferView,
  maxBytes: number,
): Generator<[Uint8Array, number]> {
  for (let at = 0; at < byteLength; at += maxBytes) {
    yield [new Uint8Array(buffer, byteOffset + at, Math.min(maxBytes, byteLength - at)), at];
  }
}

/** Of a window that starts at `start` and goes to `target`, the part that goes to `bytes`, `at` bytes in it. */
function partInto(
  request: FillRequest,
  target: TensorArray,
  start: number,
  bytes: Uint8Array,
  at: number,
): NativePart {
  const size = target.BYTES_PER_ELEMENT;
  return {
    words: requestWords(request),
    start: start + at / size,
    length: bytes.length / size,
    byteOffset: 0,
  };
}

/** Parts with something to compute, in groups that fit one call; most models are one group. */
function* batches(parts: readonly Part[]): Generator<NativePart[]> {
  let batch: NativePart[] = [];
  let total = 0;
  for (const { request, start, length, byteOffset } of parts) {
    if (length === 0) continue;
    const words = requestWords(request);
    if (batch.length === MAX_PARTS || (batch.length > 0 && total + words.length > MAX_WORDS)) {
      yield batch;
      batch = [];
      total = 0;
    }
    batch.push({ words, start, length, byteOffset });
    total += words.length;
  }
  if (batch.length > 0) yield batch;
}
