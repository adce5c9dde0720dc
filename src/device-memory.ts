import type { CudaBackend } from './backends/cuda.js';
import { loadNative } from './backends/native.js';
import { IsometryError, shorten } from './errors.js';

/** Device memory of this process. */
export interface DeviceMemoryStats {
  /** Blocks of device memory that are held now, by all threads; a model of `fillModel` is one block. */
  readonly allocations: number;
  /** Their bytes. */
  readonly bytes: number;
  /**
   * How many `DeviceTensor`s of this thread nobody disposed, so that the garbage collector did. More than a few mean
   * that `dispose()` or `using` is missing somewhere: the collector does not see how large device memory is, and comes
   * late.
   */
  readonly collected: number;
}

let collected = 0;

/** How much device memory is held. Asks no driver. */
export function deviceMemory(): DeviceMemoryStats {
  const { binding } = loadNative();
  return { ...(binding?.cudaMemory() ?? { allocations: 0, bytes: 0 }), collected };
}

/** A block of device memory, freed when the last that holds it lets go. */
export class DeviceBlock {
  readonly backend: CudaBackend;
  /** Address of the first byte; 0 where there are none. */
  readonly pointer: bigint;
  private readonly id: number | undefined;
  private holders = 0;

  /**
   * `bytes` bytes; none are no allocation.
   * @param name of what is to be in it.
   * @throws IsometryError `TOO_LARGE`, `OUT_OF_MEMORY`, `DEVICE_ERROR`, `BACKEND_UNAVAILABLE`.
   */
  constructor(backend: CudaBackend, bytes: number, name: string) {
    this.backend = backend;
    if (bytes === 0) {
      this.pointer = 0n;
      this.id = undefined;
      return;
    }
    if (!Number.isSafeInteger(bytes)) {
      const message = `${shorten(name)} has ${bytes} bytes, more than can be addressed; fill it in parts with { slice }`;
      throw new IsometryError('TOO_LARGE', message);
    }
    try {
      const { id, pointer } = backend.allocate(bytes);
      this.pointer = pointer;
      this.id = id;
    } catch (error) {
      if (!(error instanceof IsometryError && error.code === 'OUT_OF_MEMORY')) throw error;
      const message = `${shorten(name)} needs ${bytes} bytes of device memory: ${error.message}`;
      throw new IsometryError(error.code, message, { cause: error });
    }
  }

  /** Frees it although nobody ever held it. */
  free(): void {
    if (this.id !== undefined) this.backend.free(this.id);
  }

  hold(): void {
    this.holders++;
  }

  letGo(): void {
    this.holders--;
    if (this.holders === 0) this.free();
  }
}

const registry = new FinalizationRegistry<DeviceBlock>((block) => {
  collected++;
  block.letGo();
});

/** Makes `owner` hold `block` until {@link unregister}, or until it is collected. */
export function register(owner: object, block: DeviceBlock): void {
  block.hold();
  registry.register(owner, block, owner);
}

/** Ends that. */
export function unregister(owner: object, block: DeviceBlock): void {
  registry.unregister(owner);
  block.letGo();
}
