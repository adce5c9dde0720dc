/**
 * What a window of a request takes, as steps that a backend runs one after the other: the same for synchronous and
 * asynchronous calls.
 */
import type { TensorArray } from '../dtype.js';
import type { FillRequest, Job, OrthogonalRequest, QrPrimitive, Region } from '../job.js';
import { allocateTensor } from '../memory.js';
import { type ComputedJob, computedSteps } from './computed.js';

export type Step =
  /** Jobs of independent elements. */
  | Window<'elements', FillRequest>
  | Window<'orthogonal', OrthogonalRequest>
  /** Matrix number `index` of a request by QR, all of it, to `target`. */
  | {
      readonly run: 'qr';
      readonly request: FillRequest;
      readonly index: number;
      readonly target: TensorArray;
    }
  /** In JavaScript; yields between pieces. */
  | { readonly run: 'work'; readonly work: Generator<undefined, void> };

/** The part of an output from element `start` on. */
interface Window<Run extends string, Request> {
  readonly run: Run;
  readonly request: Request;
  readonly target: TensorArray;
  readonly start: number;
}

/** A request by who computes its jobs. */
export interface Split {
  /** Left out where nothing is of independent elements. */
  readonly elements?: FillRequest;
  readonly orthogonal: readonly OrthogonalRequest[];
  readonly computed: readonly (readonly ComputedJob[])[];
  readonly qr?: QrPrimitive;
}

const splits = new WeakMap<FillRequest, Split>();

/** Undefined where all jobs are of independent elements. */
export function splitOf(request: FillRequest): Split | undefined {
  const { jobs } = request;
  if (jobs.every(({ primitive }) => isOfElements(primitive))) return undefined;
  let split = splits.get(request);
  if (split === undefined) {
    split = makeSplit(request);
    splits.set(request, split);
  }
  return split;
}

function isOfElements({ kind }: Job['primitive']): boolean {
  return kind !== 'orthogonal' && kind !== 'computed' && kind !== 'qr';
}

function makeSplit({ seed, dtype, length, jobs }: FillRequest): Split {
  const elements = jobs.filter(({ primitive }) => isOfElements(primitive));
  const orthogonal = new Map<string, OrthogonalRequest & { parts: OrthogonalRequest['parts'][number][] }>();
  const computed = new Map<bigint, ComputedJob[]>();
  let qr: QrPrimitive | undefined;
  for (const job of jobs) {
    const { primitive, stream, region } = job;
    if (primitive.kind === 'qr') qr = primitive;
    if (primitive.kind === 'computed') {
      const list = computed.get(stream) ?? [];
      computed.set(stream, [...list, { ...job, primitive }]);
    }
    if (primitive.kind === 'orthogonal') {
      const { rows, cols, precision, normal, gain } = primitive;
      const key = `${stream} ${rows} ${cols}`;
      const same = orthogonal.get(key);
      if (same !== undefined) same.parts.push({ gain, region });
      else {
        const parts = [{ gain, region }];
        orthogonal.set(key, { seed, dtype, length, stream, rows, cols, precision, normal, parts });
      }
    }
  }
  return {
    ...(elements.length > 0 ? { elements: { seed, dtype, length, jobs: elements } } : {}),
    orthogonal: [...orthogonal.values()],
    computed: [...computed.values()],
    ...(qr === undefined ? {} : { qr }),
  };
}

/** What it takes to fill `target` with the output's elements from `start` on. */
export function* windowSteps(request: FillRequest, target: TensorArray, start: number): Generator<Step> {
  const split = splitOf(request);
  if (split === undefined) {
    yield { run: 'elements', request, target, start };
    return;
  }
  if (request.unit === undefined) return yield* partSteps(request, split, target, start);
  for (const piece of piecesOf(request, request.unit, target, start)) {
    if (!piece.made) yield* partSteps(request, split, piece.target, piece.start);
    piece.take();
  }
}

function* partSteps(
  request: FillRequest,
  { elements, orthogonal, computed, qr }: Split,
  target: TensorArray,
  start: number,
): Generator<Step> {
  const end = start + target.length;
  if (qr !== undefined) {
    const size = request.unit!;
    for (let index = start / size; index * size < end; index++) {
      yield {
        run: 'qr',
        request,
        index,
        target: target.subarray(index * size - start, (index + 1) * size - start),
      };
    }
  }
  if (elements !== undefined) yield { run: 'elements', request: elements, target, start };
  for (const matrices of orthogonal) {
    if (matrices.parts.some(({ region }) => meets(region, start, end)))
      yield { run: 'orthogonal', request: matrices, target, start };
  }
  for (const jobs of computed) yield* computedSteps(request, jobs, target, start, windowSteps);
}

/** Whether a region may have elements in the window [start, end). */
function meets({ shape, targetOffset, targetStrides }: Region, start: number, end: number): boolean {
  const last = shape.reduce((at, extent, axis) => at + (extent - 1) * targetStrides[axis]!, targetOffset);
  return targetOffset < end && last >= start;
}

/** Whole units, and where their part of the window goes. */
interface Piece {
  /** Whether they are there already. */
  readonly made: boolean;
  /** Where all of them are to be computed, and the first of their elements. */
  readonly target: TensorArray;
  readonly start: number;
  /** To be called when they are. */
  take(): void;
}

/** The last unit that a window had only a part of: the next window, in a file for example, wants the rest. */
const lastCut = new WeakMap<FillRequest, { readonly index: number; readonly unit: TensorArray }>();

function* piecesOf(request: FillRequest, size: number, target: TensorArray, start: number): Generator<Piece> {
  const end = start + target.length;
  for (let at = start; at < end; ) {
    const index = Math.floor(at / size);
    const begin = index * size;
    const whole = Math.floor((end - begin) / size) * size;
    if (at === begin && whole > 0) {
      yield {
        made: false,
        target: target.subarray(at - start, at - start + whole),
        start: at,
        take: () => {},
      };
      at += whole;
      continue;
    }
    const [first, last] = [at, Math.min(end, begin + size)];
    const cached = lastCut.get(request);
    const made = cached?.index === index;
    const unit: TensorArray = made
      ? cached.unit
      : allocateTensor(request.dtype, size, 'a matrix that is cut by a window');
    const take = (): void => {
      lastCut.set(request, { index, unit });
      target.set(unit.subarray(first - begin, last - begin), first - start);
    };
    yield { made, target: unit, start: begin, take };
    at = last;
  }
}
