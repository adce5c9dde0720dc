import { dtypeInfo } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { FillRequest, Job, OrthogonalRequest, Primitive, PrimitiveKind, Region } from '../job.js';

/** First word of an encoded request; binding/request.h has the same number and describes the format. */
const REQUEST_VERSION = 1;
const HEADER_WORDS = 5;
const JOB_WORDS = 15;

/** The order of `Kind` in core/job.h. */
const KIND_CODES: Record<PrimitiveKind, number> = {
  constant: 0,
  uniform: 1,
  normal: 2,
  truncatedNormal: 3,
  quantile: 4,
  mask: 5,
};

/** A request as the addon reads it: one flat array of numbers, so that a small fill costs one argument. */
export function encodeRequest(request: FillRequest): Float64Array {
  let length = HEADER_WORDS;
  for (const job of request.jobs) length += jobWords(job);
  const words = new Float64Array(length);
  words[0] = REQUEST_VERSION;
  words[1] = low32(request.seed);
  words[2] = high32(request.seed);
  words[3] = dtypeInfo(request.dtype).code;
  words[4] = request.jobs.length;
  let at = HEADER_WORDS;
  for (const job of request.jobs) {
    encodeJob(job, words, at);
    at += jobWords(job);
  }
  return words;
}

// One request is often filled window by window.
const encoded = new WeakMap<FillRequest, Float64Array>();

/** {@link encodeRequest}, done once for each request. */
export function requestWords(request: FillRequest): Float64Array {
  let words = encoded.get(request);
  if (words === undefined) {
    words = encodeRequest(request);
    encoded.set(request, words);
  }
  return words;
}

function jobWords({ primitive, region }: Job): number {
  return JOB_WORDS + 3 * region.shape.length + tailWords(primitive);
}

/** How many words follow a job's region. */
function tailWords(primitive: Primitive): number {
  if (primitive.kind === 'mask') return 3;
  return primitive.kind === 'quantile' ? primitive.table.length : 0;
}

function encodeJob({ primitive: p, stream, region }: Job, words: Float64Array, start: number): void {
  if (p.kind === 'orthogonal' || p.kind === 'computed' || p.kind === 'qr')
    throw new IsometryError('INTERNAL', `${p.kind} is no job of independent elements`);
  let at = start;
  words[at++] = KIND_CODES[p.kind];
  words[at++] = low32(stream);
  words[at++] = high32(stream);
  words[at++] = p.kind === 'constant' ? p.value : 0;
  words[at++] = p.kind === 'uniform' ? p.low : 0;
  words[at++] = p.kind === 'uniform' ? p.range : 0;
  words[at++] = 'mean' in p ? p.mean : 0;
  words[at++] = 'std' in p ? p.std : 0;
  words[at++] = p.kind === 'truncatedNormal' ? p.base : 0;
  words[at++] = p.kind === 'truncatedNormal' ? p.count : 0;
  words[at++] = 'min' in p ? p.min : 0;
  words[at++] = 'max' in p ? p.max : 0;
  at = encodeRegion(region, words, at);
  if (p.kind === 'quantile') words.set(p.table, at);
  if (p.kind === 'mask') words.set([p.rows, p.stride, p.zeros], at);
}

/** Returns where the next word goes. */
function encodeRegion(region: Region, words: Float64Array, start: number): number {
  let at = start;
  words[at++] = region.shape.length;
  words[at++] = region.sourceOffset;
  words[at++] = region.targetOffset;
  for (const list of [region.shape, region.sourceStrides, region.targetStrides]) {
    words.set(list, at);
    at += region.shape.length;
  }
  return at;
}

const ORTHOGONAL_WORDS = 9;
const PART_WORDS = 4;

/** Orthogonal matrices as the addon reads them; done once for each request. */
export function orthogonalWords(request: OrthogonalRequest): Float64Array {
  let words = encodedMatrices.get(request);
  if (words === undefined) {
    words = encodeOrthogonal(request);
    encodedMatrices.set(request, words);
  }
  return words;
}

const encodedMatrices = new WeakMap<OrthogonalRequest, Float64Array>();

function encodeOrthogonal(request: OrthogonalRequest): Float64Array {
  const { seed, dtype, stream, rows, cols, parts, normal } = request;
  const table = normal.kind === 'quantile' ? normal.table : new Float64Array(0);
  const ranks = parts.reduce((sum, { region }) => sum + region.shape.length, 0);
  const words = new Float64Array(ORTHOGONAL_WORDS + PART_WORDS * parts.length + 3 * ranks + table.length);
  words.set([REQUEST_VERSION, low32(seed), high32(seed), dtypeInfo(dtype).code]);
  words.set([low32(stream), high32(stream), rows, cols, parts.length], 4);
  let at = ORTHOGONAL_WORDS;
  for (const { gain, region } of parts) {
    words[at++] = gain;
    at = encodeRegion(region, words, at);
  }
  words.set(table, at);
  return words;
}

function low32(value: bigint): number {
  return Number(value & 0xffffffffn);
}

function high32(value: bigint): number {
  return Number(value >> 32n);
}
