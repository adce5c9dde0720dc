import { type DeviceBlock, register, unregister } from './device-memory.js';
import { type DType, dtypeInfo } from './dtype.js';
import { expected, IsometryError, showName } from './errors.js';
import { allocateTensor } from './memory.js';
import { elementCount } from './shape.js';
import { type ArrayOf, Tensor } from './tensor.js';

/** What another process needs to open a `DeviceTensor`'s memory. */
export interface IpcHandle {
  /** Index of the device, as this process counts them. */
  readonly device: number;
  /** The 64 bytes of a `cudaIpcMemHandle_t`. */
  readonly handle: Uint8Array;
  /** Of the tensor in the memory that the handle opens, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

/** A `DeviceTensor` in the words of DLPack's `DLTensor`. */
export interface DLPackDescription {
  /** `type` 2 is `kDLCUDA`. */
  readonly device: { readonly type: 2; readonly id: number };
  /** `code` 2 is `kDLFloat`, 4 is `kDLBfloat`. */
  readonly dtype: { readonly code: 2 | 4; readonly bits: number; readonly lanes: 1 };
  readonly shape: readonly number[];
  /** In elements; row-major. */
  readonly strides: readonly number[];
  readonly pointer: bigint;
  readonly byteOffset: 0;
}

/**
 * A dense, row-major tensor in a GPU's memory. It belongs to the thread that made it.
 *
 * `dispose()`, or `using`, frees the memory at once. A tensor that nobody disposed is freed when it is garbage
 * collected, which may be much later: the collector does not see device memory. Tensors of one `fillModel` share one
 * block of memory, which is freed with the last of them.
 */
export class DeviceTensor<D extends DType = DType> {
  readonly name: string;
  /** For a slice, the slice's shape. */
  readonly shape: readonly number[];
  readonly dtype: D;
  /** Index of the device: `cuda:0` is 0. */
  readonly device: number;
  readonly #offset: bigint;
  #block: DeviceBlock | undefined;

  /** @internal */
  constructor(name: string, shape: readonly number[], dtype: D, block: DeviceBlock, byteOffset: number) {
    this.name = name;
    this.shape = shape;
    this.dtype = dtype;
    this.device = block.backend.device.index;
    this.#offset = BigInt(byteOffset);
    this.#block = block;
    register(this, block);
  }

  /** Number of elements. */
  get size(): number {
    return elementCount(this.shape);
  }

  get byteLength(): number {
    return this.size * dtypeInfo(this.dtype).bytes;
  }

  /**
   * Device address of the first element; 0n for a tensor without elements. The memory stays what it is while the
   * tensor is neither disposed nor collected: keep a reference to the tensor as long as the address is in use.
   * @throws IsometryError `DISPOSED`.
   */
  get pointer(): bigint {
    const { pointer } = this.block();
    return this.size === 0 ? 0n : pointer + this.#offset;
  }

  /** Whether `dispose` was called. */
  get disposed(): boolean {
    return this.#block === undefined;
  }

  /**
   * A copy in host memory. The tensor may be disposed while the copy runs.
   * @throws (rejects with) IsometryError `DISPOSED`, `OUT_OF_MEMORY`, `TOO_LARGE`, `DEVICE_ERROR`.
   */
  async toHost(): Promise<Tensor<D>> {
    const block = this.block();
    const data = allocateTensor(this.dtype, this.size, this.name);
    block.hold(); // a large copy is several jobs
    try {
      if (this.size > 0) await block.backend.copyToHost(this.pointer, data);
    } finally {
      block.letGo();
    }
    return new Tensor(this.name, this.shape, this.dtype, data as ArrayOf[D]);
  }

  /**
   * The memory for another process on this machine, which opens `handle` (`cudaIpcOpenMemHandle`) and finds the
   * tensor `offset` bytes further on. This process must hold the tensor until the other one has closed it.
   * @throws IsometryError `DISPOSED`; `INVALID_TARGET` for a tensor without elements; `BACKEND_UNAVAILABLE` where the
   * system has no such handles; `DEVICE_ERROR`.
   */
  ipcHandle(): IpcHandle {
    const { backend } = this.block();
    if (this.size === 0) {
      throw expected('INVALID_TARGET', 'a tensor with elements', 'ipcHandle', this.shape);
    }
    const { handle, offset } = backend.ipcHandle(this.pointer);
    return { device: this.device, handle, offset, byteLength: this.byteLength };
  }

  /**
   * What a DLPack capsule of this tensor would say, for bindings that make one.
   * @throws IsometryError `DISPOSED`.
   */
  dlpack(): DLPackDescription {
    const strides: number[] = [];
    let stride = 1;
    for (const dim of [...this.shape].reverse()) {
      strides.unshift(stride);
      stride *= Math.max(dim, 1);
    }
    return {
      device: { type: 2, id: this.device },
      dtype: { code: this.dtype === 'bfloat16' ? 4 : 2, bits: dtypeInfo(this.dtype).bytes * 8, lanes: 1 },
      shape: this.shape,
      strides,
      pointer: this.pointer,
      byteOffset: 0,
    };
  }

  /** Frees the memory, as soon as nothing of this library works on it any more. May be called again. */
  dispose(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#block = undefined;
    unregister(this, block);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  private block(): DeviceBlock {
    if (this.#block !== undefined) return this.#block;
    throw new IsometryError(
      'DISPOSED',
      `expected a DeviceTensor that holds its memory but ${showName(this.name)} was disposed; use it before dispose(), or make it again`,
    );
  }
}
