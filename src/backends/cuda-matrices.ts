import { dtypeInfo } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { FillRequest } from '../job.js';
import { normalsOf } from '../js/qr-matrices.js';
import { allocateTensor } from '../memory.js';
import { type MatrixMaker, matricesOf, matrixElements } from './by-qr.js';
import type { CudaBackend } from './cuda.js';
import { libraryFolders } from './cuda-libraries.js';
import { requestWords } from './encode.js';
import { withMatrices } from './matrices.js';
import type { NativeBinding } from './native.js';
import type { NativeQr } from './native-cuda.js';
import { callNative, runJob } from './native-job.js';
import { splitOf } from './steps.js';
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
  const whole = withMatrices(elements, maker);
  return {
    ...whole,
    async fillDevice(parts, address, signal) {
      const { others, elementParts } = sort(parts);
      if (elementParts.length > 0) await elements.fillDevice(elementParts, address, signal);
      for (const part of others) {
        const { request, start, length } = part;
        const at = address + BigInt(part.byteOffset);
        const { computed, orthogonal, qr } = splitOf(request)!;
        if (qr !== undefined) {
          await runJob(
            binding,
            (callback) => binding.cudaQrAsync(device, qrPart(part), at, callback),
            signal,
          );
        } else if (computed.length > 0) {
          const array = allocateTensor(request.dtype, length, 'a copy in host memory');
          await whole.fill(request, array, start, signal);
          await elements.copyFromHost(at, array, signal);
        }
        for (const matrices of computed.length > 0 ? [] : orthogonal)
          await elements.orthogonalDevice(matrices, start, length, at, signal);
      }
    },
    fillDeviceSync(parts, address) {
      const { others, elementParts } = sort(parts);
      if (elementParts.length > 0) elements.fillDeviceSync(elementParts, address);
      for (const part of others) {
        const { request, start, length } = part;
        const at = address + BigInt(part.byteOffset);
        const { computed, orthogonal, qr } = splitOf(request)!;
        if (qr !== undefined) {
          callNative(() => binding.cudaQrSync(device, qrPart(part), at));
        } else if (computed.length > 0) {
          const array = allocateTensor(request.dtype, length, 'a copy in host memory');
          whole.fillSync(request, array, start);
          elements.copyFromHostSync(at, array);
        }
        for (const matrices of computed.length > 0 ? [] : orthogonal)
          elements.orthogonalDeviceSync(matrices, start, length, at);
      }
    },
  };
}

/**
 * Parts that are more than independent elements; and what is to be filled in all by the elements' kernels. What
 * JavaScript computes comes from host memory with the elements around it, and is no part of those.
 */
function sort(parts: readonly Part[]): { others: Part[]; elementParts: Part[] } {
  const others: Part[] = [];
  const elementParts: Part[] = [];
  for (const part of parts) {
    const split = splitOf(part.request);
    if (split === undefined) {
      elementParts.push(part);
      continue;
    }
    others.push(part);
    if (split.elements !== undefined && split.computed.length === 0)
      elementParts.push({ ...part, request: split.elements });
  }
  return { others, elementParts };
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

/** Whole matrices of a part. */
function qrPart({ request, start, length }: Part): NativeQr {
  const size = matrixElements(matricesOf(request)!);
  if (start % size !== 0 || length % size !== 0) {
    throw new IsometryError(
      'INTERNAL',
      `${length} elements from ${start} on are no whole matrices of ${size}`,
    );
  }
  return qrOf(request, start / size, length / size);
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
