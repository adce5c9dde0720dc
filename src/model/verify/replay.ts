import { PacedFiller } from '../../backends/paced.js';
import type { Backend } from '../../backends/types.js';
import { dtypeInfo } from '../../dtype.js';
import type { FillRequest, Job } from '../../job.js';
import type { StoredPlanTensor, TensorSources } from '../plan/stored-tensors.js';
import type { TensorSource } from '../plan/tensor-source.js';

/** Computes parts of a checkpoint's tensors once more. */
export class Replay {
  private readonly sources: TensorSources;
  private readonly backend: Backend;
  private readonly signal: AbortSignal | undefined;
  private readonly filler: PacedFiller;
  private last: { readonly stored: StoredPlanTensor; readonly source: TensorSource } | undefined;

  constructor(sources: TensorSources, backend: Backend, signal: AbortSignal | undefined) {
    this.sources = sources;
    this.backend = backend;
    this.signal = signal;
    this.filler = new PacedFiller(backend, signal);
  }

  /** Bytes [begin, end) of a tensor as they should be: whole elements. */
  async bytes(stored: StoredPlanTensor, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const target = new Uint8Array(end - begin);
    const source = this.sourceOf(stored);
    if (source.kind === 'bytes') {
      await source.read(target, begin);
      return target;
    }
    const { request } = source;
    const { array, bytes: elementBytes } = dtypeInfo(request.dtype);
    const elements = new array(target.buffer, 0, target.length / elementBytes);
    const start = begin / elementBytes;
    // The filler computes small windows at once, which is too long where a matrix stands behind them.
    if (workOfRequest(request) > 0) await this.backend.fill(request, elements, start, this.signal);
    else await this.filler.fill(request, elements, start);
    return target;
  }

  /**
   * About how many multiplications a window takes beyond its own elements, however small it is: those of the matrices
   * that it is cut from. 0 for independent elements.
   */
  workOf(stored: StoredPlanTensor): number {
    const source = this.sourceOf(stored);
    return source.kind === 'bytes' ? 0 : workOfRequest(source.request);
  }

  /**
   * What the elements may be off: 0, for equal to the bit; but matrices by QR are equal to rounding only, from one
   * library to the next. See `QrPrimitive`.
   */
  toleranceOf(stored: StoredPlanTensor): number {
    const source = this.sourceOf(stored);
    const primitive = source.kind === 'fill' ? source.request.jobs[0]?.primitive : undefined;
    if (primitive?.kind !== 'qr') return 0;
    const { before, outputs, after } = primitive.matrices;
    return (QR_TOLERANCE * Math.abs(primitive.gain)) / Math.sqrt(Math.max(1, outputs, before * after));
  }

  private sourceOf(stored: StoredPlanTensor): TensorSource {
    // Kept while windows of one tensor are asked for: a matrix that was cut stays at hand with its request.
    if (this.last?.stored !== stored) this.last = { stored, source: this.sources.of(stored) };
    return this.last.source;
  }
}

/**
 * In standard deviations of an element. The condition number of a random square matrix grows like its size, so that
 * float32's rounding moves elements of the largest ones by some thousandths of their standard deviation; another seed
 * moves them by 1.4 of it.
 */
const QR_TOLERANCE = 0.05;

function workOfRequest({ jobs, unit }: FillRequest): number {
  return jobs.reduce((total, { primitive }) => total + workOfPrimitive(primitive, unit ?? 0), 0);
}

function workOfPrimitive(primitive: Job['primitive'], unit: number): number {
  switch (primitive.kind) {
    case 'orthogonal':
      // Each of `cols` reflections of `rows` elements is applied to each column: a dot product and an update.
      return 4 * primitive.rows * primitive.cols ** 2;
    case 'computed':
      return primitive
        .inputs(0)
        .reduce(
          (total, { primitive: input, length }) => total + length + workOfPrimitive(input, unit),
          16 * primitive.size,
        );
    case 'qr':
      return 4 * unit ** 1.5;
    default:
      return unit;
  }
}
