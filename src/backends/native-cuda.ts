import type { Outcome } from './native.js';

/** What came of looking for a GPU; `ready` means that at least one device can be used. */
export type CudaResult =
  | 'ready'
  | 'noGpuCode'
  | 'noDriver'
  | 'driverTooOld'
  | 'initFailed'
  | 'noDevice'
  | 'hidden'
  | 'capabilityTooLow';

/** One GPU as the driver describes it. */
export interface CudaDevice {
  /** What `cuda:N` counts: the driver's order, after `CUDA_VISIBLE_DEVICES`. */
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  /** Major and minor: `[9, 0]`. */
  readonly computeCapability: readonly [number, number];
  readonly multiprocessors: number;
  /** Bytes. */
  readonly totalMemory: number;
  readonly usable: boolean;
  /** Why it is not usable; empty when it is. */
  readonly reason: string;
}

/** `cuda:0 NVIDIA H200`. */
export function deviceName({ index, name }: CudaDevice): string {
  return `cuda:${index} ${name}`;
}

/** What the addon found. */
export interface CudaProbe {
  readonly result: CudaResult;
  /** A sentence for people; empty when ready. */
  readonly reason: string;
  /** CUDA version of the driver, 1000·major + 10·minor; 0 when it was not asked. */
  readonly driverVersion: number;
  /** Path of libcuda; empty when it was not opened. */
  readonly library: string;
  readonly devices: readonly CudaDevice[];
}

/** A window of one output: elements [start, start + length) of the encoded request go to `byteOffset`. */
export interface NativePart {
  readonly words: Float64Array;
  readonly start: number;
  readonly length: number;
  readonly byteOffset: number;
}

/** Matrices [first, first + count) of a tensor (see `Matrices`); all numbers but `gain` are whole. */
export interface NativeQr {
  /** The encoded request of the normals of all the tensor's matrices. */
  readonly words: Float64Array;
  /** Code of the tensor's dtype. */
  readonly dtype: number;
  readonly before: number;
  readonly outputs: number;
  readonly after: number;
  readonly gain: number;
  readonly first: number;
  readonly count: number;
  /** Where to look for cuSOLVER. */
  readonly folders: readonly string[];
}

/** How an asynchronous GPU job ended; `failed` comes with an error. */
export type CudaOutcome = Outcome | 'failed';

/** An error as the addon hands it over; `code` is one of ours. */
export interface NativeError {
  readonly code: string;
  readonly message: string;
}

export type CudaCallback = (outcome: CudaOutcome, error?: NativeError) => void;

/** Where an address lies. */
export interface CudaPointer {
  readonly device: true;
  readonly index: number;
  /** Of the allocation that the address lies in. */
  readonly base: bigint;
  readonly bytes: number;
}

/** A CUDA library that is opened at run time. */
export interface CudaLibrary {
  readonly name: string;
  /** Empty when it was not found. */
  readonly path: string;
  readonly version: string;
  /** Why it cannot be used; empty when it can. */
  readonly reason: string;
}

/**
 * The addon's functions for GPUs (binding/cuda.cc). What they throw has a `code`: `BACKEND_UNAVAILABLE`,
 * `OUT_OF_MEMORY`, `INVALID_TARGET`, `TOO_LARGE`, `DEVICE_ERROR` or `INTERNAL`. Only these open the driver.
 */
export interface NativeCuda {
  cudaProbe(): CudaProbe;
  /** Opens a device off the event loop, which takes up to half a second; everything else here does it when needed. */
  cudaOpenAsync(device: number, callback: CudaCallback): number;
  /** Belongs to this environment, and is freed at its end at the latest. */
  cudaAllocate(device: number, bytes: number): { id: number; pointer: bigint };
  /** Once no running job uses the memory any more. An id that was freed before is no error; there is none at all. */
  cudaFree(id: number): void;
  /** Into host memory, where `byteOffset` counts inside the array, or to a device address. One seed for all parts. */
  cudaFillSync(device: number, parts: readonly NativePart[], destination: Uint8Array | bigint): void;
  cudaFillAsync(
    device: number,
    parts: readonly NativePart[],
    destination: Uint8Array | bigint,
    callback: CudaCallback,
  ): number;
  cudaCopyToHostAsync(device: number, pointer: bigint, target: Uint8Array, callback: CudaCallback): number;
  cudaCopyFromHostSync(device: number, pointer: bigint, source: Uint8Array): void;
  cudaCopyFromHostAsync(device: number, pointer: bigint, source: Uint8Array, callback: CudaCallback): number;
  /** Null for what is not memory of a device. */
  cudaPointer(pointer: bigint): CudaPointer | null;
  /** 64 bytes for another process, and where in the opened memory `pointer` is. */
  cudaIpcHandle(device: number, pointer: bigint): { handle: Uint8Array; offset: number };
  /** What is allocated now, by all environments of this process. */
  cudaMemory(): { allocations: number; bytes: number };
  /**
   * Elements [start, start + length) of encoded orthogonal matrices, into all of an array or to a device address; what
   * is no element of theirs is left alone. An asynchronous window must not be empty.
   */
  cudaOrthogonalSync(
    device: number,
    words: Float64Array,
    start: number,
    length: number,
    destination: Uint8Array | bigint,
  ): void;
  cudaOrthogonalAsync(
    device: number,
    words: Float64Array,
    start: number,
    length: number,
    destination: Uint8Array | bigint,
    callback: CudaCallback,
  ): number;
  /** Stacked matrices with orthonormal rows or columns, by cuSOLVER, into all of an array or to a device address. */
  cudaQrSync(device: number, qr: NativeQr, destination: Uint8Array | bigint): void;
  cudaQrAsync(device: number, qr: NativeQr, destination: Uint8Array | bigint, callback: CudaCallback): number;
  /** What of cuSOLVER and cuBLAS is there, looked for in `folders` as `libraryFolders` gives them. */
  cudaLibraries?(folders: readonly string[]): readonly CudaLibrary[];
}
