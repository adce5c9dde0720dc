import type { TensorArray } from '../dtype.js';
import type { FillRequest, OrthogonalRequest } from '../job.js';

export type BackendName = 'cuda' | 'cpu' | 'js';

/** Whether a backend can be used; `not available` is a value with a reason, never an exception. */
export type Probe =
  | { readonly available: true; readonly detail: string }
  | { readonly available: false; readonly reason: string };

/** A window of one output, and where it goes in memory that several outputs share. */
export interface Part {
  readonly request: FillRequest;
  /** First element of the output that is computed. */
  readonly start: number;
  /** How many elements. */
  readonly length: number;
  /** Where element `start` goes, in bytes from the destination's beginning: a multiple of the dtype's size. */
  readonly byteOffset: number;
}

/**
 * Writes all from a byte position of an open file on. It cannot be aborted.
 * @throws the system's error, as Node reports it.
 */
export type FileFill = (fd: number, position: number) => Promise<void>;

/** Told the fraction that is done, from 0 to 1, never less than before; how often depends on the backend. */
export type OnProgress = (fraction: number) => void;

/**
 * Who computes a job. `start` is the first element of the output to compute, `target.length` how many:
 * any window of the output can be computed alone, and equals that part of the whole.
 */
export interface Backend {
  readonly name: BackendName;
  probe(): Probe;
  /** Computes on the calling thread's time; returns when done. */
  fillSync(request: FillRequest, target: TensorArray, start: number): void;
  /**
   * Computes off the event loop (or in slices of it). The caller must keep `target` to itself until the promise
   * settles: nothing else may see, transfer or resize its buffer.
   * Rejects with `signal.reason` when aborted.
   */
  fill(
    request: FillRequest,
    target: TensorArray,
    start: number,
    signal?: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void>;
  /**
   * Computes many windows, all of one seed, into one buffer at once; as `fill` otherwise. Only backends for which
   * that is faster than one `fill` after another have it.
   */
  fillParts?(parts: readonly Part[], buffer: ArrayBuffer, signal?: AbortSignal): Promise<void>;
  /**
   * What computes windows that lie one behind the other into an open file, without a buffer between; undefined where that is
   * not faster, or not possible.
   */
  fillFile?(parts: readonly Part[]): FileFill | undefined;
  /** How many bytes at a time suit it when a file is written, a multiple of 8; left out where it does not matter. */
  readonly chunkBytes?: number;
}

/** A backend of primitives: `fill` takes jobs of independent elements only. `withMatrices` makes it a whole one. */
export interface RawBackend extends Backend {
  /** As `fillSync`, but leaves alone what is no element of the request's matrices. */
  orthogonalSync(request: OrthogonalRequest, target: TensorArray, start: number): void;
  /** As `fill`, but leaves alone what is no element of the request's matrices. */
  orthogonal(
    request: OrthogonalRequest,
    target: TensorArray,
    start: number,
    signal?: AbortSignal,
    onProgress?: OnProgress,
  ): Promise<void>;
}
