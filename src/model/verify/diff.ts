import { expected } from '../../errors.js';
import { parseSignal } from '../../fill.js';
import { booleanOption, checkKeys, withDefault } from '../../options.js';
import type { StoredDType } from '../../safetensors/dtypes.js';
import { type Comparison, comparePieces } from './compare-elements.js';
import { inStep } from './in-step.js';
import { type OpenCheckpoint, type OpenTensor, openCheckpoint } from './open-checkpoint.js';

/** What `diffCheckpoints` takes beside the two paths. */
export interface DiffOptions {
  /** Whether differences of `__metadata__` count. Default true. */
  readonly metadata?: boolean;
  /** Stops the work when it aborts; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called for each tensor that both have, before it is read. What it throws stops the work. */
  readonly onProgress?: (progress: DiffProgress) => void;
}

/** How far a comparison is. */
export interface DiffProgress {
  /** Name of the tensor that is being compared. */
  readonly tensor: string;
  readonly tensorsDone: number;
  readonly tensorsTotal: number;
  /** Bytes of one side's tensor data. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** A tensor as one side has it. */
export interface DiffSide {
  /** As the safetensors header names it: `F32`, `BF16`. */
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
}

/** A tensor that both sides have and that is not the same. */
export interface TensorDifference {
  readonly name: string;
  /** Elements are compared only where shape and dtype are equal. */
  readonly kind: 'shape' | 'dtype' | 'values';
  readonly a: DiffSide;
  readonly b: DiffSide;
  /** For `values`: how many elements have other bits; `null` for dtypes of less than a byte. */
  readonly differing: number | null;
  /** Row-major index of the first of them. */
  readonly first: number | null;
  /**
   * Largest |a − b| over the elements that are finite on both sides; `null` where there are none, and for 8-bit and
   * smaller floats and complex numbers, which are compared by their bits alone.
   */
  readonly maxAbs: number | null;
  /** How many of the differing elements are NaN or infinite on a side. */
  readonly nonFinite: number;
}

/** A key of `__metadata__` whose strings differ; a side without it has `null`. */
export interface MetadataDifference {
  readonly key: string;
  readonly a: string | null;
  readonly b: string | null;
}

/** What two checkpoints have in common and what not. */
export interface CheckpointDiff {
  /** Nothing differs. */
  readonly equal: boolean;
  readonly onlyInA: readonly string[];
  readonly onlyInB: readonly string[];
  readonly changed: readonly TensorDifference[];
  readonly metadata: readonly MetadataDifference[];
  /** Tensors that both have. */
  readonly tensors: number;
  /** Bytes of tensor data that were compared, of one side. */
  readonly bytes: number;
}

const KEYS = ['metadata', 'signal', 'onProgress'];

/** Of each side; a multiple of 8, as `chunks` wants it. */
const BUFFER_BYTES = 4 * 2 ** 20;

/**
 * Compares two safetensors checkpoints tensor by tensor: each a file, a sharded index, or a directory with either. How
 * the tensors are distributed over files does not matter. Memory stays at some 10 MB and the two headers.
 *
 * @throws (rejects with) IsometryError `IO_ERROR` when one cannot be read, `FORMAT_ERROR` when one is not valid,
 * `INVALID_OPTION` and `UNKNOWN_OPTION`; or with the signal's reason.
 */
export async function diffCheckpoints(a: string, b: string, options?: DiffOptions): Promise<CheckpointDiff> {
  const given = checkKeys(options, KEYS, 'diffCheckpoints');
  const withMetadata = booleanOption(withDefault(given['metadata'], true), 'metadata');
  const signal = parseSignal(given['signal']);
  const { onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  signal?.throwIfAborted();
  const first = await openCheckpoint(a);
  try {
    const second = await openCheckpoint(b);
    try {
      const report = onProgress as DiffOptions['onProgress'];
      return await compare(first, second, withMetadata, signal, report);
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}

async function compare(
  a: OpenCheckpoint,
  b: OpenCheckpoint,
  withMetadata: boolean,
  signal: AbortSignal | undefined,
  onProgress: DiffOptions['onProgress'],
): Promise<CheckpointDiff> {
  const others = new Map(b.tensors.map((tensor) => [tensor.name, tensor]));
  const onlyInA: string[] = [];
  const pairs: [OpenTensor, OpenTensor][] = [];
  let bytesTotal = 0;
  for (const tensor of a.tensors) {
    const other = others.get(tensor.name);
    others.delete(tensor.name);
    if (other === undefined) onlyInA.push(tensor.name);
    else pairs.push([tensor, other]);
    if (other !== undefined && differenceOfKind(tensor, other) === undefined)
      bytesTotal += tensor.end - tensor.begin;
  }
  const changed: TensorDifference[] = [];
  const buffers = [new Uint8Array(BUFFER_BYTES), new Uint8Array(BUFFER_BYTES)] as const;
  let bytes = 0;
  for (const [index, [tensor, other]] of pairs.entries()) {
    signal?.throwIfAborted();
    onProgress?.({
      tensor: tensor.name,
      tensorsDone: index,
      tensorsTotal: pairs.length,
      bytesDone: bytes,
      bytesTotal,
    });
    const kind = differenceOfKind(tensor, other);
    if (kind !== undefined) {
      changed.push({ ...sidesOf(tensor, other, kind), ...UNCOMPARED });
      continue;
    }
    const found = await compareTensors(a, tensor, b, other, buffers, signal);
    bytes += tensor.end - tensor.begin;
    if (found !== undefined) changed.push({ ...sidesOf(tensor, other, 'values'), ...found });
  }
  const onlyInB = [...others.keys()];
  const metadata = withMetadata ? diffMetadata(a, b) : [];
  const equal = [onlyInA, onlyInB, changed, metadata].every(({ length }) => length === 0);
  return { equal, onlyInA, onlyInB, changed, metadata, tensors: pairs.length, bytes };
}

const UNCOMPARED: Comparison = { differing: null, first: null, maxAbs: null, nonFinite: 0 };

function differenceOfKind(a: OpenTensor, b: OpenTensor): 'shape' | 'dtype' | undefined {
  if (a.shape.join() !== b.shape.join()) return 'shape';
  return a.dtype.name === b.dtype.name ? undefined : 'dtype';
}

function sidesOf(
  a: OpenTensor,
  b: OpenTensor,
  kind: TensorDifference['kind'],
): Pick<TensorDifference, 'name' | 'kind' | 'a' | 'b'> {
  const side = ({ dtype, shape }: OpenTensor): DiffSide => ({ dtype: dtype.name, shape });
  return { name: a.name, kind, a: side(a), b: side(b) };
}

/** Reads both at once, piece by piece; `undefined` when they are equal. */
async function compareTensors(
  a: OpenCheckpoint,
  tensor: OpenTensor,
  b: OpenCheckpoint,
  other: OpenTensor,
  buffers: readonly [Uint8Array, Uint8Array],
  signal: AbortSignal | undefined,
): Promise<Comparison | undefined> {
  let total: Comparison | undefined;
  let at = 0;
  for await (const [x, y] of inStep(a.chunks(tensor, buffers[0]), b.chunks(other, buffers[1]))) {
    signal?.throwIfAborted();
    const found = comparePieces(x, y, tensor.dtype, at);
    at += x.length;
    if (found !== undefined) total = total === undefined ? found : sumOf(total, found);
  }
  return total;
}

function sumOf(a: Comparison, b: Comparison): Comparison {
  const maxAbs =
    a.maxAbs === null || b.maxAbs === null ? (a.maxAbs ?? b.maxAbs) : Math.max(a.maxAbs, b.maxAbs);
  return {
    differing: a.differing === null || b.differing === null ? null : a.differing + b.differing,
    first: a.first,
    maxAbs,
    nonFinite: a.nonFinite + b.nonFinite,
  };
}

function diffMetadata(a: OpenCheckpoint, b: OpenCheckpoint): MetadataDifference[] {
  const keys = [...new Set([...a.metadata.keys(), ...b.metadata.keys()])].sort();
  return keys
    .map((key) => ({ key, a: a.metadata.get(key) ?? null, b: b.metadata.get(key) ?? null }))
    .filter((entry) => entry.a !== entry.b);
}
