/**
 * The steps of what JavaScript computes on every backend: each unit's inputs are drawn, the unit is made, and its
 * elements go where they belong.
 */
import { dtypeInfo, type TensorArray } from '../dtype.js';
import type { ComputedInput, ComputedPrimitive, FillRequest, Job } from '../job.js';
import { Places } from '../js/orthogonal-places.js';
import { toBFloat16, toFloat16 } from '../js/round.js';
import { allocateTensor, checkAvailable } from '../memory.js';
import type { Step } from './steps.js';

export interface ComputedJob extends Job {
  readonly primitive: ComputedPrimitive;
}

/** The steps that fill all of an array. */
type Draw = (request: FillRequest, target: TensorArray, start: number) => Generator<Step>;

/** @param jobs - of a request, which have their units in common: those of one stream. */
export function* computedSteps(
  { seed, dtype }: FillRequest,
  jobs: readonly ComputedJob[],
  target: TensorArray,
  start: number,
  draw: Draw,
): Generator<Step> {
  const { primitive } = jobs[0]!;
  const { size } = primitive;
  const end = start + target.length;
  const placed = jobs.map(({ primitive: own, region }) => ({
    store: storer(dtype, own.gain),
    places: new Places(region, start, end),
  }));
  let out: Float64Array | undefined;
  let drawn: { readonly from: readonly ComputedInput[]; readonly arrays: readonly TensorArray[] } | undefined;
  for (let unit = 0; ; unit++) {
    // The next one that the window has elements of.
    let at = Number.POSITIVE_INFINITY;
    for (const { places } of placed) at = Math.min(at, places.first(unit * size));
    if (at === Number.POSITIVE_INFINITY) return;
    unit = Math.floor(at / size);

    const from = primitive.inputs(unit);
    if (drawn?.from !== from) {
      drawn = undefined; // so that its memory is free
      checkAvailable(bytesOf(from) + (out === undefined ? 8 * size : 0), primitive.what);
    }
    out = out?.fill(0) ?? allocateTensor('float64', size, primitive.what);
    if (drawn === undefined) {
      const arrays = from.map(({ dtype: own, length }) => allocateTensor(own, length, primitive.what));
      for (const [index, input] of from.entries()) yield* inputSteps(seed, input, arrays[index]!, draw);
      drawn = { from, arrays };
    }
    const begin = unit * size;
    const last = placed.reduce((most, { places }) => Math.max(most, places.last(begin + size)), at);
    yield { run: 'work', work: primitive.make(drawn.arrays, out, unit, at - begin, last + 1 - begin) };
    for (const { store, places } of placed) {
      const made = out;
      places.forEachRun(begin, begin + size, start, end, (source, first, count, stride, targetStride) => {
        for (let i = 0; i < count; i++)
          target[first - start + i * targetStride] = store(made[source + i * stride - begin]!);
      });
    }
  }
}

/** Checked for all of them together, before any work. */
function bytesOf(inputs: readonly ComputedInput[]): number {
  return inputs.reduce((sum, { dtype, length }) => sum + length * dtypeInfo(dtype).bytes, 0);
}

function* inputSteps(
  seed: bigint,
  { primitive, stream, dtype, offset, length }: ComputedInput,
  array: TensorArray,
  draw: Draw,
): Generator<Step> {
  if (length === 0) return;
  const region = {
    shape: [length],
    sourceOffset: offset,
    sourceStrides: [1],
    targetOffset: 0,
    targetStrides: [1],
  };
  yield* draw({ seed, dtype, length, jobs: [{ primitive, stream, region }] }, array, 0);
}

/** What an array of that dtype is given for a float64 element. 16-bit values are rounded twice, as all others are. */
function storer(dtype: FillRequest['dtype'], gain: number): (element: number) => number {
  if (dtype === 'bfloat16') return (element) => toBFloat16(Math.fround(element * gain));
  if (dtype === 'float16') return (element) => toFloat16(Math.fround(element * gain));
  return (element) => element * gain;
}
