import { parseDevice, selectBackend } from './backends/index.js';
import { splitOf } from './backends/steps.js';
import type { OnProgress } from './backends/types.js';
import { fillDeviceTarget, fillOnDevice, fillOnDeviceSync } from './device-fill.js';
import { type DeviceTarget, parseDeviceTarget } from './device-target.js';
import type { DeviceTensor } from './device-tensor.js';
import { type DType, dtypeInfo, type TensorArray } from './dtype.js';
import { expected } from './errors.js';
import { type Initializer, lawOf, parseInitializer } from './initializers/index.js';
import type { FillRequest } from './job.js';
import { jobsOf } from './jobs.js';
import type { Law } from './law.js';
import { allocateTensor, markTouched } from './memory.js';
import { checkKeys, expectedHint, oneOf, withDefault } from './options.js';
import { parseSlice, type Ranges, type Slice, sliceShape } from './region.js';
import { parseSeed } from './seed.js';
import { elementCount, parseShape } from './shape.js';
import { parseName } from './stream.js';
import { checkTarget, inferDType } from './target.js';
import { type ArrayOf, Tensor } from './tensor.js';

/** What every fill takes. */
export interface FillIntoOptions<D extends DType = DType> {
  /** 0 … 2^64 − 1, as a number up to 2^53 − 1 or as a bigint. `1` and `1n` are the same. Required. */
  readonly seed: number | bigint;
  /** Default `float32`, or for `fillInto` the target's own type. */
  readonly dtype?: D;
  /** The axes' letters, for example `OI`, `HWIO`; default output first, as in PyTorch. */
  readonly layout?: string;
  /** Groups of a grouped convolution; default 1. */
  readonly groups?: number;
  /** Computes only this part, with the values it has in the whole tensor. */
  readonly slice?: Slice;
  /**
   * Default `auto`: the fastest there is for the size and place of the result. Never changes a value. Any other works
   * or throws; `cuda` is the first GPU that can be used.
   */
  readonly device?: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
}

/** What `fillSync` takes. */
export interface FillSyncOptions<D extends DType = DType> extends FillIntoOptions<D> {
  /**
   * Where the tensor stays: `host` (the default), this process's memory, as a `Tensor`; or `device`, the memory of the
   * GPU that computed it, as a `DeviceTensor`. Without a GPU `device` is `BACKEND_UNAVAILABLE`, with the reason.
   */
  readonly keep?: 'host' | 'device';
}

/** What `fill` takes. */
export interface FillOptions<D extends DType = DType> extends FillSyncOptions<D> {
  /** Stops the work when it aborts; `fill` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * Told now and then what fraction of the work is done, from 0 up to 1; 1 once, at the end. Meant for work of seconds,
   * such as an orthogonal matrix in JavaScript: other work may report its end only. What it throws, `fill` rejects with.
   */
  readonly onProgress?: OnProgress;
}

const INTO_KEYS = ['seed', 'dtype', 'layout', 'groups', 'slice', 'device'] as const;
const SYNC_KEYS = [...INTO_KEYS, 'keep'] as const;
const ASYNC_KEYS = [...SYNC_KEYS, 'signal', 'onProgress'] as const;

/** Up to so many elements `fill` computes at once: on one thread about as long as handing the job over would take. */
const SYNC_ELEMENTS = 1 << 16;

/** A validated fill of which nothing is computed yet. */
export interface Prepared {
  readonly name: string;
  readonly request: FillRequest;
  /** Of the output: the slice's, where there is one. */
  readonly shape: readonly number[];
  readonly law: Law;
  readonly dtype: DType;
  readonly device: string;
  readonly keep: 'host' | 'device';
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/**
 * Checks everything, computes nothing and allocates nothing.
 * @internal
 */
export function prepareFill(
  name: unknown,
  shape: unknown,
  initializer: unknown,
  options: unknown,
  keys: readonly string[] = ASYNC_KEYS,
  defaultDType: DType = 'float32',
): Prepared {
  const given = checkKeys(options, keys, 'fill');
  const tensorName = parseName(name);
  const whole = parseShape(shape);
  const { name: dtype } = dtypeInfo(withDefault(given['dtype'], defaultDType));
  const seed = parseSeed(given['seed']);
  const slice = parseSlice(whole, given['slice']);
  const law = lawOf(parseInitializer(initializer, 'initializer'), {
    name: tensorName,
    shape: whole,
    ...(given['layout'] === undefined ? {} : { layout: given['layout'] as string }),
    ...(given['groups'] === undefined ? {} : { groups: given['groups'] as number }),
  });
  const device = parseDevice(withDefault(given['device'], 'auto'));
  const keep = oneOf(withDefault(given['keep'], 'host'), ['host', 'device'] as const, 'keep');
  const signal = parseSignal(given['signal']);
  const onProgress = parseOnProgress(given['onProgress']);

  if (law.kind === 'qr') checkWhole(whole, slice, given['slice']);
  const output = sliceShape(whole, slice);
  const length = elementCount(output);
  const request = { seed, dtype, length, ...jobsOf(law, { name: tensorName, shape: whole }, slice, dtype) };
  const prepared = { name: tensorName, request, shape: output, law, dtype, device, keep };
  return {
    ...prepared,
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}

function checkWhole(shape: readonly number[], slice: Ranges, given: unknown): void {
  if (slice.every(([start, end], axis) => start === 0 && end === shape[axis])) return;
  const hint =
    "such a matrix is made whole: fill the whole tensor and take the part of it, or use method: 'reflections'";
  throw expectedHint('INVALID_OPTION', 'no slice with orthogonal by QR', 'slice', given, hint);
}

/** Passes on fractions that are larger than all before. */
function parseOnProgress(onProgress: unknown): OnProgress | undefined {
  if (onProgress === undefined) return undefined;
  if (typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  let last = 0;
  return (fraction) => {
    if (fraction <= last) return;
    last = fraction;
    onProgress(fraction);
  };
}

/** @internal */
export function parseSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const candidate = signal as Partial<AbortSignal> | null;
  if (
    typeof candidate?.aborted !== 'boolean' ||
    typeof candidate.addEventListener !== 'function' ||
    typeof candidate.throwIfAborted !== 'function' // old polyfills have none
  ) {
    throw expected('INVALID_OPTION', 'an AbortSignal', 'signal', signal);
  }
  return signal as AbortSignal;
}

/**
 * Initializes one tensor, off the event loop when it is large.
 *
 * The values depend on the seed, name, shape, layout, initializer and dtype alone: not on the device, not on the
 * number of threads, not on other tensors or calls; a slice holds what the whole tensor holds there.
 *
 * @param name - names the tensor's random stream: two tensors of one name and shape are equal.
 * @param shape - dimensions, each a whole number from 0 on; `[]` is a scalar.
 * @param initializer - a law such as `heNormal()`, or the same as a plain object with its `kind`.
 * @throws (rejects with) IsometryError: any `INVALID_*` code or `UNKNOWN_OPTION` for a wrong argument, `TOO_LARGE` and
 * `OUT_OF_MEMORY` for a tensor that does not fit, `BACKEND_UNAVAILABLE` for a device asked for by name (or by
 * `keep: 'device'`) that is not there, `DEVICE_ERROR` for a GPU that fails; or with `signal.reason`.
 */
export function fill<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillOptions<D> & { readonly keep: 'device' },
): Promise<DeviceTensor<D>>;
export function fill<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillOptions<D> & { readonly keep?: 'host' },
): Promise<Tensor<D>>;
export function fill<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillOptions<D>,
): Promise<Tensor<D> | DeviceTensor<D>>;
export async function fill<D extends DType>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillOptions<D>,
): Promise<Tensor<D> | DeviceTensor<D>> {
  const prepared = prepareFill(name, shape, initializer, options);
  if (prepared.signal?.aborted) throw prepared.signal.reason;
  if (prepared.keep === 'device') {
    const tensor = await fillOnDevice<D>(prepared);
    prepared.onProgress?.(1);
    return tensor;
  }
  const { request } = prepared;
  const { backend } = selectBackend(prepared.device, bytesOf(request));
  const data = allocateTensor(request.dtype, request.length, prepared.name);
  // Until the promise settles nobody else knows this array, so nobody can take its memory away under the threads.
  // A GPU never answers at once, least of all the first time.
  const quick = request.length <= SYNC_ELEMENTS && splitOf(request) === undefined && backend.name !== 'cuda';
  if (quick) backend.fillSync(request, data, 0);
  else await backend.fill(request, data, 0, prepared.signal, untilDone(prepared.onProgress));
  markTouched(data);
  prepared.onProgress?.(1);
  return tensorOf<D>(prepared, data);
}

/**
 * {@link fill}, but returns when it is done: for start-up code and for small tensors. Uses all CPUs all the same.
 * @throws IsometryError as `fill` rejects.
 */
export function fillSync<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillSyncOptions<D> & { readonly keep: 'device' },
): DeviceTensor<D>;
export function fillSync<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillSyncOptions<D> & { readonly keep?: 'host' },
): Tensor<D>;
export function fillSync<D extends DType = 'float32'>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillSyncOptions<D>,
): Tensor<D> | DeviceTensor<D>;
export function fillSync<D extends DType>(
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillSyncOptions<D>,
): Tensor<D> | DeviceTensor<D> {
  const prepared = prepareFill(name, shape, initializer, options, SYNC_KEYS);
  if (prepared.keep === 'device') return fillOnDeviceSync(prepared);
  const { request } = prepared;
  const { backend } = selectBackend(prepared.device, bytesOf(request));
  const data = allocateTensor(request.dtype, request.length, prepared.name);
  backend.fillSync(request, data, 0);
  markTouched(data);
  return tensorOf<D>(prepared, data);
}

/**
 * Initializes memory of your own in place, and returns it. Synchronous, because memory that other code can detach must
 * not be written to from other threads.
 *
 * @param target - a `Float64Array`, a `Float32Array`, or with `dtype: 'float16' | 'bfloat16'` a `Uint16Array`, with as
 * many elements as the shape (or the slice) has. Its buffer may be shared or resizable. Or memory of a GPU: a
 * `DeviceTensor` of that dtype and size, or `{ pointer, byteLength, device }` of any other library, at least as large
 * as needed, where the dtype is `float32` unless the options say otherwise. Work that other streams of the device
 * still have to do on that memory is the caller's to wait for.
 * @throws IsometryError `INVALID_TARGET` for another array, another length or a detached buffer, and for an address
 * that is not memory of that device, too small or misaligned; `DISPOSED`; else as `fill`.
 */
export function fillInto<T extends TensorArray | DeviceTarget>(
  target: T,
  name: string,
  shape: readonly number[],
  initializer: Initializer,
  options: FillIntoOptions,
): T {
  const memory = parseDeviceTarget(target);
  if (memory !== undefined) {
    const prepared = prepareFill(name, shape, initializer, options, INTO_KEYS, memory.dtype);
    fillDeviceTarget(memory, prepared);
    return target;
  }
  const array = target as TensorArray;
  const defaultDType = inferDType(array);
  const prepared = prepareFill(name, shape, initializer, options, INTO_KEYS, defaultDType);
  const { request } = prepared;
  const { backend } = selectBackend(prepared.device, bytesOf(request));
  // Last: from here on no code runs that could detach or shrink the target.
  backend.fillSync(request, checkTarget(array, request.dtype, request.length), 0);
  return target;
}

/** Without the 1s: a step of the work that is done is not all of it. */
function untilDone(onProgress: OnProgress | undefined): OnProgress | undefined {
  return onProgress && ((fraction) => void (fraction < 1 && onProgress(fraction)));
}

function bytesOf(request: FillRequest): number {
  return request.length * dtypeInfo(request.dtype).bytes;
}

function tensorOf<D extends DType>(prepared: Prepared, data: TensorArray): Tensor<D> {
  return new Tensor(prepared.name, prepared.shape, prepared.dtype as D, data as ArrayOf[D]);
}
