// The addon's GPU half in JavaScript: memory of made-up devices, and fills that decode what they are handed. What is
// tested with it is the TypeScript side alone; test/native/fake_cuda is a whole driver for the addon itself.
import type { NativeBinding } from '../../src/backends/native.js';
import type {
  CudaCallback,
  CudaDevice,
  CudaProbe,
  NativeError,
  NativePart,
} from '../../src/backends/native-cuda.js';
import { DTYPE_NAMES, dtypeInfo } from '../../src/dtype.js';
import type { ElementPrimitive, FillRequest, Job } from '../../src/job.js';
import { fillRange } from '../../src/js/fill.js';

const MAX_MEMORY = 1 << 20;
/** Far beyond 2^53, as a device's addresses may be. */
const FIRST_ADDRESS = 0x7fff_0000_0000_0000n;

export function fakeDevice(index: number, usable = true): CudaDevice {
  return {
    index,
    name: `Fake ${index}`,
    uuid: `GPU-${index}`,
    computeCapability: [9, 0],
    multiprocessors: 2,
    totalMemory: MAX_MEMORY,
    usable,
    reason: usable ? '' : 'compute capability 6.0 is too low',
  };
}

export const READY: CudaProbe = {
  result: 'ready',
  reason: '',
  driverVersion: 13000,
  library: '/usr/lib/libcuda.so.1',
  devices: [fakeDevice(0), fakeDevice(1)],
};

interface Block {
  readonly id: number;
  readonly device: number;
  readonly pointer: bigint;
  readonly memory: Uint8Array;
}

/** What the fake is and has done. */
export class FakeCuda {
  probe: CudaProbe = READY;
  /** Names of the functions called, in order. */
  readonly calls: string[] = [];
  readonly blocks: Map<number, Block> = new Map();
  /** What calls of that function fail with. */
  readonly failures: Map<string, NativeError> = new Map();
  /** Asynchronous jobs wait for `settle()` while this is set. */
  hold = false;
  private readonly jobs = new Map<number, { work: () => void; callback: CudaCallback; cancelled: boolean }>();
  private lastId = 0;
  private nextAddress = FIRST_ADDRESS;

  get binding(): NativeBinding {
    const cuda: Partial<NativeBinding> = {
      targets: () => [{ name: 'fake', supported: true }],
      cpus: () => 2,
      stop: () => {},
      cancel: (id) => {
        const job = this.jobs.get(id);
        if (job !== undefined) job.cancelled = true;
      },
      cudaProbe: () => {
        this.calls.push('probe');
        return this.probe;
      },
      cudaOpenAsync: (_device, callback) => this.start('open', () => {}, callback),
      cudaAllocate: (device, bytes) => this.allocate(device, bytes),
      cudaFree: (id) => {
        this.calls.push('free');
        this.blocks.delete(id);
      },
      cudaFillSync: (device, parts, destination) => {
        this.calls.push(`fillSync(${parts.length})`);
        this.mayFail('fill');
        this.compute(device, parts, destination);
      },
      cudaFillAsync: (device, parts, destination, callback) =>
        this.start(`fill(${parts.length})`, () => this.compute(device, parts, destination), callback, 'fill'),
      cudaCopyToHostAsync: (device, pointer, target, callback) =>
        this.start(
          'copy',
          () => target.set(this.memoryAt(device, pointer).subarray(0, target.length)),
          callback,
        ),
      cudaCopyFromHostSync: (device, pointer, source) => {
        this.calls.push(`uploadSync(${source.length})`);
        this.mayFail('upload');
        this.memoryAt(device, pointer).set(source);
      },
      cudaCopyFromHostAsync: (device, pointer, source, callback) =>
        this.start(
          `upload(${source.length})`,
          () => this.memoryAt(device, pointer).set(source),
          callback,
          'upload',
        ),
      cudaIpcHandle: (device, pointer) => {
        this.mayFail('ipc');
        const { memory } = this.blockAt(device, pointer);
        return {
          handle: new Uint8Array(64).fill(7),
          offset: memory.length - this.memoryAt(device, pointer).length,
        };
      },
      cudaMemory: () => {
        let bytes = 0;
        for (const { memory } of this.blocks.values()) bytes += memory.length;
        return { allocations: this.blocks.size, bytes };
      },
    };
    return cuda as NativeBinding;
  }

  /** Number of jobs that wait. */
  get waiting(): number {
    return this.jobs.size;
  }

  /** Ends all jobs that wait. */
  settle(): void {
    for (const [id, { work, callback, cancelled }] of this.jobs) {
      this.jobs.delete(id);
      if (cancelled) {
        callback('cancelled');
        continue;
      }
      try {
        work();
        callback('done');
      } catch (error) {
        callback('failed', error as NativeError);
      }
    }
  }

  private start(name: string, work: () => void, callback: CudaCallback, failure = name): number {
    this.calls.push(name);
    const id = ++this.lastId;
    const job = () => {
      this.mayFail(failure);
      work();
    };
    this.jobs.set(id, { work: job, callback, cancelled: false });
    if (!this.hold) setImmediate(() => this.settle());
    return id;
  }

  private mayFail(name: string): void {
    const failure = this.failures.get(name);
    if (failure !== undefined) throw failure;
  }

  private allocate(device: number, bytes: number): { id: number; pointer: bigint } {
    this.calls.push(`allocate(${bytes})`);
    this.mayFail('allocate');
    if (bytes > MAX_MEMORY)
      throw { code: 'OUT_OF_MEMORY', message: `needed ${bytes}, available ${MAX_MEMORY}` };
    const id = ++this.lastId;
    const pointer = this.nextAddress;
    this.nextAddress += BigInt(Math.ceil(bytes / 256) * 256 + 256);
    this.blocks.set(id, { id, device, pointer, memory: new Uint8Array(bytes).fill(0xca) });
    return { id, pointer };
  }

  private blockAt(device: number, pointer: bigint): Block {
    for (const block of this.blocks.values()) {
      const offset = pointer - block.pointer;
      if (block.device === device && offset >= 0n && offset < block.memory.length) return block;
    }
    throw { code: 'INVALID_TARGET', message: `no memory of device ${device} at ${pointer}` };
  }

  private memoryAt(device: number, pointer: bigint): Uint8Array {
    const block = this.blockAt(device, pointer);
    return block.memory.subarray(Number(pointer - block.pointer));
  }

  private compute(device: number, parts: readonly NativePart[], destination: Uint8Array | bigint): void {
    for (const { words, start, length, byteOffset } of parts) {
      const request = decodeRequest(words);
      const { array, bytes } = dtypeInfo(request.dtype);
      const values = new array(length);
      fillRange(request, values, start, start + length);
      const memory =
        typeof destination === 'bigint'
          ? this.memoryAt(device, destination + BigInt(byteOffset))
          : destination.subarray(byteOffset);
      if (memory.length < length * bytes) throw { code: 'INVALID_TARGET', message: 'too small' };
      memory.set(new Uint8Array(values.buffer));
    }
  }
}

const KINDS = ['constant', 'uniform', 'normal', 'truncatedNormal', 'quantile', 'mask'] as const;
/** Doubles of a quantile table (core/quantile.h). */
const TABLE = 514 * 12;

/** The inverse of `encodeRequest`, from the description in binding/request.h. */
export function decodeRequest(words: Float64Array): FillRequest {
  let at = 0;
  const next = (): number => words[at++]!;
  const wide = (): bigint => BigInt(next()) | (BigInt(next()) << 32n);
  const list = (count: number): number[] => Array.from({ length: count }, next);
  if (next() !== 1) throw new Error('unknown version');
  const seed = wide();
  const dtype = DTYPE_NAMES.find((name) => dtypeInfo(name).code === words[at])!;
  at++;
  const count = next();
  const jobs: Job[] = [];
  for (let k = 0; k < count; k++) {
    const kind = KINDS[next()]!;
    const stream = wide();
    const [value, low, range, mean, std, base, windowCount, min, max] = list(9);
    const rank = next();
    const [sourceOffset, targetOffset] = [next(), next()];
    const [shape, sourceStrides, targetStrides] = [list(rank), list(rank), list(rank)];
    const table = kind === 'quantile' ? words.slice(at, at + TABLE) : undefined;
    at += table?.length ?? 0;
    const [rows, stride, zeros] = kind === 'mask' ? list(3) : [];
    const numbers = {
      rows,
      stride,
      zeros,
      value,
      low,
      range,
      mean,
      std,
      base,
      count: windowCount,
      min,
      max,
      table,
    };
    const region = { shape, sourceOffset, sourceStrides, targetOffset, targetStrides };
    jobs.push({ primitive: { kind, ...numbers } as unknown as ElementPrimitive, stream, region });
  }
  if (at !== words.length) throw new Error('the request is too long');
  return { seed, dtype, length: Number.MAX_SAFE_INTEGER, jobs };
}
