import { setImmediate } from 'node:timers/promises';
import { selectBackend, selectCuda } from '../backends/index.js';
import { PacedFiller } from '../backends/paced.js';
import type { Part } from '../backends/types.js';
import { DeviceBlock } from '../device-memory.js';
import { DeviceTensor } from '../device-tensor.js';
import {
  type DType,
  dtypeInfo,
  type IntegerArray,
  type IntegerDType,
  integerArray,
  type TensorArray,
} from '../dtype.js';
import { expected, IsometryError, showName } from '../errors.js';
import { prepareFill } from '../fill.js';
import { zeros } from '../initializers/index.js';
import type { FillRequest } from '../job.js';
import { allocateArray, allocateTensor, checkAvailable } from '../memory.js';
import { checkKeys } from '../options.js';
import { elementCount } from '../shape.js';
import { type ArrayOf, Tensor } from '../tensor.js';
import { type CopiedTensor, type Plan, type PlanTensor, parsePlan } from './plan/plan.js';
import { bytesOfDType, dtypeOfStored, PLAN_DTYPE_NAMES, type PlanDType } from './plan/plan-dtype.js';
import { isCopied, TensorSources } from './plan/stored-tensors.js';
import type { TensorSource } from './plan/tensor-source.js';

/** A tensor of a model in this process's memory: also one of integers. */
export type ModelTensor = Tensor<DType | IntegerDType>;

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
 * Initializes all tensors of a model. Each has the values that `fill` gives it alone; those that the plan copies from a
 * checkpoint are read.
 *
 * With `keep: 'device'` they lie in one block of the GPU's memory and are computed by one launch. Each is a
 * `DeviceTensor` of its own; the block is freed when all of them are disposed or collected. A GPU takes no tensors of
 * integers and none that are copied.
 *
 * @param plan from `planFrom`, `planLike`, `readPlan` or `parsePlan`, or what `parsePlan` takes.
 * @returns the tensors by name, in the plan's order. Behind them those that the plan ties to others: the same objects
 * again, with their own names.
 * @throws (rejects with) IsometryError `PLAN_ERROR`, `INVALID_*` and `UNKNOWN_OPTION` for wrong arguments,
 * `OUT_OF_MEMORY` and `TOO_LARGE` for a model that does not fit, `BACKEND_UNAVAILABLE`, `DEVICE_ERROR`; `FORMAT_ERROR` and
 * `IO_ERROR` for a file that is copied from; or with the signal's reason. No memory stays allocated then.
 */
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions & { readonly keep: 'device' },
): Promise<ReadonlyMap<string, DeviceTensor>>;
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions & { readonly keep?: 'host' },
): Promise<ReadonlyMap<string, ModelTensor>>;
export function fillModel(
  plan: Plan | object | string,
  options: FillModelOptions,
): Promise<ReadonlyMap<string, ModelTensor> | ReadonlyMap<string, DeviceTensor>>;
export async function fillModel(
  planLike: unknown,
  options: FillModelOptions,
): Promise<ReadonlyMap<string, ModelTensor> | ReadonlyMap<string, DeviceTensor>> {
  const given = checkKeys(options, KEYS, 'fillModel') as unknown as FillModelOptions;
  if (given.dtype !== undefined) dtypeInfo(given.dtype);
  const plan = parsePlan(planLike);
  const dtype = given.dtype ?? plan.dtype ?? 'float32';
  // A tensor without elements, so that options are checked whatever the plan holds.
  const { device, keep, signal } = prepareFill('model', [0], zeros(), { ...given, dtype });
  const sources = new TensorSources({ seed: given.seed, dtype });
  try {
    const model: Model = { device, signal, items: await itemsOf(plan, dtype, sources) };
    if (signal?.aborted) throw signal.reason;
    if (keep === 'device') return withTies(plan, await onDevice(model));
    return withTies(plan, await onHost(model));
  } finally {
    await sources.close();
  }
}

/** A tensor to be made. */
interface Item {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: PlanDType;
  readonly source: TensorSource;
}

interface Model {
  readonly device: string;
  readonly signal: AbortSignal | undefined;
  readonly items: readonly Item[];
}

async function itemsOf(plan: Plan, defaultDType: DType, sources: TensorSources): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (const tensor of inOrder(plan)) {
    const { name, shape } = tensor;
    const dtype = isCopied(tensor) ? dtypeOfCopy(tensor) : (tensor.dtype ?? defaultDType);
    items.push({ name, shape, dtype, source: sources.of({ source: tensor }) });
    if (items.length % PREPARED_AT_ONCE === 0) await setImmediate();
  }
  return items;
}

function inOrder({ tensors, copied, order }: Plan): readonly (PlanTensor | CopiedTensor)[] {
  if (copied === undefined || order === undefined) return tensors;
  const all = new Map([...tensors, ...copied].map((tensor) => [tensor.name, tensor]));
  return order.map((name) => all.get(name)!);
}

function dtypeOfCopy({ name, dtype }: CopiedTensor): PlanDType {
  const known = dtypeOfStored(dtype);
  if (known !== undefined) return known;
  const what = `one of ${PLAN_DTYPE_NAMES.join(', ')}, as no other is held in memory (writeCheckpoint copies any),`;
  throw expected('INVALID_DTYPE', what, showName(name), dtype);
}

function withTies<T>({ ties = [] }: Plan, tensors: Map<string, T>): ReadonlyMap<string, T> {
  for (const { name, to } of ties) tensors.set(name, tensors.get(to)!);
  return tensors;
}

async function onHost({ device, signal, items }: Model): Promise<Map<string, ModelTensor>> {
  const total = items.reduce((sum, item) => sum + bytesOf(item), 0);
  const { backend } = selectBackend(device, total);
  checkAvailable(total, modelName(items));
  const paced = new PacedFiller(backend, signal);
  const tensors = new Map<string, ModelTensor>();
  for (const item of items) {
    const { name, shape, dtype, source } = item;
    const data = allocate(item);
    if (source.kind === 'fill') await paced.fill(source.request, data as TensorArray, 0);
    else await readAll(source, data, signal);
    tensors.set(name, new Tensor(name, shape, dtype, data as ArrayOf[PlanDType]));
  }
  return tensors;
}

function allocate({ name, shape, dtype }: Item): TensorArray | IntegerArray {
  const array = integerArray(dtype);
  const length = elementCount(shape);
  if (array === undefined) return allocateTensor(dtype as DType, length, name);
  return allocateArray<IntegerArray>(array as typeof Uint8Array, length, name);
}

/** Bytes that are read at once. */
const READ_BYTES = 8 * 2 ** 20;

async function readAll(
  source: TensorSource & { readonly kind: 'bytes' },
  data: ArrayBufferView,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < data.byteLength; at += READ_BYTES) {
    const length = Math.min(READ_BYTES, data.byteLength - at);
    await source.read(new Uint8Array(data.buffer, data.byteOffset + at, length), at);
    signal?.throwIfAborted();
  }
}

async function onDevice({ device, signal, items }: Model): Promise<Map<string, DeviceTensor>> {
  const parts: (Part & { readonly request: FillRequest })[] = [];
  let total = 0;
  for (const { name, source } of items) {
    if (source.kind !== 'fill') {
      const what = "'host' (a GPU takes no integers and nothing that is copied from a file)";
      throw expected(
        'INVALID_OPTION',
        what,
        `keep, with the tensor ${showName(name)} in the plan,`,
        'device',
      );
    }
    const { request } = source;
    const begin = Math.ceil(total / ALIGNMENT) * ALIGNMENT;
    parts.push({ request, start: 0, length: request.length, byteOffset: begin });
    total = begin + request.length * dtypeInfo(request.dtype).bytes;
    if (!Number.isSafeInteger(total)) {
      throw new IsometryError('TOO_LARGE', 'expected tensors of less than 2^53 bytes in all; split the plan');
    }
  }
  const { backend } = selectCuda(device, total);
  if (total > 0) await backend.open(signal);
  const block = new DeviceBlock(backend, total, modelName(items));
  try {
    if (total > 0) await backend.fillDevice(parts, block.pointer, signal);
    return new Map(
      items.map(({ name, shape }, index) => {
        const { request, byteOffset } = parts[index]!;
        return [name, new DeviceTensor(name, shape, request.dtype, block, byteOffset)];
      }),
    );
  } catch (error) {
    block.free();
    throw error;
  }
}

function modelName(items: readonly Item[]): string {
  return `the plan's ${items.length} ${items.length === 1 ? 'tensor' : 'tensors'}`;
}

function bytesOf({ shape, dtype }: Item): number {
  return elementCount(shape) * bytesOfDType(dtype);
}
