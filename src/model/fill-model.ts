import { setImmediate } from 'node:timers/promises';
import { selectBackend, selectCuda } from '../backends/index.js';
import { PacedFiller } from '../backends/paced.js';
import type { Part } from '../backends/types.js';
import { DeviceBlock } from '../device-memory.js';
import { DeviceTensor } from '../device-tensor.js';
import { type DType, dtypeInfo } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { Prepared } from '../fill.js';
import { allocateTensor, checkAvailable } from '../memory.js';
import { checkKeys } from '../options.js';
import { Tensor } from '../tensor.js';
import { type Plan, type PlanTensor, parsePlan } from './plan.js';
import { preparePlanTensor } from './stored-tensors.js';

/** What `fillModel` takes beside the plan. */
export interface FillModelOptions {
  /** 0 … 2^64 − 1, as a number up to 2^53 − 1 or as a bigint. Required. */
  readonly seed: number | bigint;
  /** Wins over the plan's dtype; a tensor's own dtype wins over this. */
  readonly dtype?: DType;
  /** Default `auto`: the fastest there is for the size and place of the result. Never changes a value. */
  readonly device?: 'auto' | 'cuda' | `cuda:${number}` | 'cpu' | 'js';
  /** Where the tensors stay: `host` (the default) or `device`, as for `fill`. */
  readonly keep?: 'host' | 'device';
  /** Stops the work when it aborts; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const KEYS = ['seed', 'dtype', 'device', 'keep', 'signal'];

/** Where a tensor in a block of device memory begins: as any CUDA allocation of its own would. */
const ALIGNMENT = 256;

/** Tensors that are prepared without letting the event loop run: some milliseconds. */
const PREPARED_AT_ONCE = 512;

/**
 * Initializes all tensors of a model. Each has the values that `fill` gives it alone.
 *
 * With `keep: 'device'` they lie in one block of the GPU's memory and are computed by one launch. Each is a
 * `DeviceTensor` of its own; the block is freed when all of them are disposed or collected.
 *
 * @param plan from `readPlan` or `parsePlan`, or what `parsePlan` takes.
 * @returns the tensors by name, in the plan's order.
 * @throws (rejects with) IsometryError `PLAN_ERROR`, `INVALID_*` and `UNKNOWN_OPTION` for wrong arguments,
 * `OUT_OF_MEMORY` and `TOO_LARGE` for a model that does not fit, `BACKEND_UNAVAILABLE`, `DEVICE_ERROR`; or with the
 * signal's reason. No memory stays allocated then.
 */
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions & { readonly keep: 'device' },
): Promise<ReadonlyMap<string, DeviceTensor>>;
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions & { readonly keep?: 'host' },
): Promise<ReadonlyMap<string, Tensor>>;
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions,
): Promise<ReadonlyMap<string, Tensor> | ReadonlyMap<string, DeviceTensor>>;
export async function fillModel(
  planLike: unknown,
  options: FillModelOptions,
): Promise<ReadonlyMap<string, Tensor> | ReadonlyMap<string, DeviceTensor>> {
  const { dtype: givenDType, ...given } = checkKeys(
    options,
    KEYS,
    'fillModel',
  ) as unknown as FillModelOptions;
  if (givenDType !== undefined) dtypeInfo(givenDType);
  const plan = parsePlan(planLike);
  const dtype = givenDType ?? plan.dtype ?? 'float32';
  const prepare = (tensor: PlanTensor): Prepared => preparePlanTensor(tensor, { dtype, ...given });
  const prepared: Prepared[] = [];
  for (const tensor of plan.tensors) {
    prepared.push(prepare(tensor));
    if (prepared.length % PREPARED_AT_ONCE === 0) await setImmediate();
  }
  const { signal, keep } = prepared[0]!;
  if (signal?.aborted) throw signal.reason;
  return keep === 'device' ? onDevice(prepared) : onHost(prepared);
}

async function onHost(prepared: readonly Prepared[]): Promise<ReadonlyMap<string, Tensor>> {
  const { device, signal } = prepared[0]!;
  const total = prepared.reduce((sum, { request }) => sum + request.length * elementBytes(request.dtype), 0);
  const { backend } = selectBackend(device, total);
  checkAvailable(total, modelName(prepared));
  const paced = new PacedFiller(backend, signal);
  const tensors = new Map<string, Tensor>();
  for (const { name, request, shape, dtype } of prepared) {
    const data = allocateTensor(dtype, request.length, name);
    await paced.fill(request, data, 0);
    tensors.set(name, new Tensor(name, shape, dtype, data));
  }
  return tensors;
}

async function onDevice(prepared: readonly Prepared[]): Promise<ReadonlyMap<string, DeviceTensor>> {
  const { device, signal } = prepared[0]!;
  const parts: Part[] = [];
  let total = 0;
  for (const { request } of prepared) {
    const begin = Math.ceil(total / ALIGNMENT) * ALIGNMENT;
    parts.push({ request, start: 0, length: request.length, byteOffset: begin });
    total = begin + request.length * elementBytes(request.dtype);
    if (!Number.isSafeInteger(total)) {
      throw new IsometryError('TOO_LARGE', 'expected tensors of less than 2^53 bytes in all; split the plan');
    }
  }
  const { backend } = selectCuda(device, total);
  if (total > 0) await backend.open(signal);
  const block = new DeviceBlock(backend, total, modelName(prepared));
  try {
    if (total > 0) await backend.fillDevice(parts, block.pointer, signal);
    return new Map(
      prepared.map(({ name, shape, dtype }, index) => [
        name,
        new DeviceTensor(name, shape, dtype, block, parts[index]!.byteOffset),
      ]),
    );
  } catch (error) {
    block.free();
    throw error;
  }
}

function modelName(prepared: readonly Prepared[]): string {
  return `the plan's ${prepared.length} ${prepared.length === 1 ? 'tensor' : 'tensors'}`;
}

function elementBytes(dtype: DType): number {
  return dtypeInfo(dtype).bytes;
}
