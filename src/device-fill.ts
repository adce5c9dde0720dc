import type { CudaBackend } from './backends/cuda.js';
import { selectCuda } from './backends/index.js';
import type { Part } from './backends/types.js';
import { DeviceBlock } from './device-memory.js';
import { type CheckedTarget, checkDeviceTarget } from './device-target.js';
import { DeviceTensor } from './device-tensor.js';
import { type DType, dtypeInfo } from './dtype.js';
import type { Prepared } from './fill.js';
import type { FillRequest } from './job.js';

/**
 * A prepared fill as a tensor in a GPU's memory.
 * @throws (rejects with) IsometryError, or the signal's reason; nothing stays allocated then.
 */
export async function fillOnDevice<D extends DType>(prepared: Prepared): Promise<DeviceTensor<D>> {
  const { request, signal } = prepared;
  const backend = backendFor(prepared);
  if (request.length > 0) await backend.open(signal);
  const block = new DeviceBlock(backend, bytesOf(request), prepared.name);
  try {
    if (request.length > 0) await block.backend.fillDevice([whole(request)], block.pointer, signal);
    return tensorIn(block, prepared);
  } catch (error) {
    block.free();
    throw error;
  }
}

/** {@link fillOnDevice}, but returns when it is done. */
export function fillOnDeviceSync<D extends DType>(prepared: Prepared): DeviceTensor<D> {
  const { request } = prepared;
  const block = new DeviceBlock(backendFor(prepared), bytesOf(request), prepared.name);
  try {
    if (request.length > 0) block.backend.fillDeviceSync([whole(request)], block.pointer);
    return tensorIn(block, prepared);
  } catch (error) {
    block.free();
    throw error;
  }
}

/** A prepared fill into device memory that is there. */
export function fillDeviceTarget(target: CheckedTarget, { request, device }: Prepared): void {
  checkDeviceTarget(target, request.dtype, request.length);
  const { backend } = selectCuda(device, bytesOf(request), target.device);
  if (request.length > 0) backend.fillDeviceSync([whole(request)], target.pointer);
}

function backendFor({ request, device }: Prepared): CudaBackend {
  return selectCuda(device, bytesOf(request)).backend;
}

function tensorIn<D extends DType>(block: DeviceBlock, { name, shape, dtype }: Prepared): DeviceTensor<D> {
  return new DeviceTensor(name, shape, dtype as D, block, 0);
}

function bytesOf(request: FillRequest): number {
  return request.length * dtypeInfo(request.dtype).bytes;
}

function whole(request: FillRequest): Part {
  return { request, start: 0, length: request.length, byteOffset: 0 };
}
