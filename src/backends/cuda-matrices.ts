import { dtypeInfo } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { FillRequest } from '../job.js';
import { normalsOf } from '../js/qr-matrices.js';
import { type MatrixMaker, matricesOf, matrixElements } from './by-qr.js';
import type { CudaBackend } from './cuda.js';
import { libraryFolders } from './cuda-libraries.js';
import { requestWords } from './encode.js';
import { withMatrices } from './matrices.js';
import type { NativeBinding } from './native.js';
import type { NativeQr } from './native-cuda.js';
import { callNative, runJob } from './native-job.js';
import type { Part } from './types.js';

/** A GPU's backend as one that computes matrices too, by cuSOLVER; only they need that library. */
export function withSolver(elements: CudaBackend, binding: NativeBinding): CudaBackend {
  const device = elements.device.index;
  const maker: MatrixMaker = {
    makeSync(request, index, out) {
      callNative(() => binding.cudaQrSync(device, qrOf(request, index, 1), bytesOf(out)));
    },
    make: (request, index, out, signal) =>
      runJob(
        binding,
        (callback) => binding.cudaQrAsync(device, qrOf(request, index, 1), bytesOf(out), callback),
        signal,
      ),
  };
  return {
    ...withMatrices(elements, maker),
    async fillDevice(parts, address, signal) {
      const [matrices, others] = split(parts);
      if (others.length > 0) await elements.fillDevice(others, address, signal);
      for (const part of matrices) {
        const [qr, at] = partOf(part, address);
        await runJob(binding, (callback) => binding.cudaQrAsync(device, qr, at, callback), signal);
      }
    },
    fillDeviceSync(parts, address) {
      const [matrices, others] = split(parts);
      if (others.length > 0) elements.fillDeviceSync(others, address);
      for (const part of matrices) {
        const [qr, at] = partOf(part, address);
        callNative(() => binding.cudaQrSync(device, qr, at));
      }
    },
  };
}

/** Parts with matrices, and those without. */
function split(parts: readonly Part[]): [Part[], Part[]] {
  const isMatrix = ({ request }: Part): boolean => matricesOf(request) !== undefined;
  return [parts.filter(isMatrix), parts.filter((part) => !isMatrix(part))];
}

/** More bytes no Uint8Array holds in Node 20; and a matrix is handed over in one piece. */
const MAX_BYTES = 2 ** 32 - 8;

/**
 * @throws IsometryError `TOO_LARGE`.
 * @internal
 */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  if (byteLength <= MAX_BYTES) return new Uint8Array(buffer, byteOffset, byteLength);
  const remedy = 'keep it on the GPU with keep: "device", and copy it with toHost()';
  const message = `a matrix of ${byteLength} bytes, more than ${MAX_BYTES}, does not go to host memory in one piece`;
  throw new IsometryError('TOO_LARGE', `${message}; ${remedy}`);
}

/** Whole matrices of a part, and where in device memory they go. */
function partOf({ request, start, length, byteOffset }: Part, address: bigint): [NativeQr, bigint] {
  const size = matrixElements(matricesOf(request)!);
  if (start % size !== 0 || length % size !== 0) {
    throw new IsometryError(
      'INTERNAL',
      `${length} elements from ${start} on are no whole matrices of ${size}`,
    );
  }
  return [qrOf(request, start / size, length / size), address + BigInt(byteOffset)];
}

function qrOf(request: FillRequest, first: number, count: number): NativeQr {
  const primitive = matricesOf(request)!;
  const { before, outputs, after } = primitive.matrices;
  return {
    words: requestWords(normalsOf(request, primitive).request),
    dtype: dtypeInfo(request.dtype).code,
    before,
    outputs,
    after,
    gain: primitive.gain,
    first,
    count,
    folders: libraryFolders(),
  };
}
