import type { DType } from './dtype.js';
import type { FillRequest, Job } from './job.js';
import type { Law, PartsLaw } from './law.js';
import { lowerLaw } from './lower.js';
import { placeRegion } from './placement.js';
import { type Ranges, sliceRegion } from './region.js';
import { streamId } from './stream.js';

/**
 * The work that a law means for a slice of a tensor.
 *
 * @param shape - of the whole tensor.
 * @param ranges - the slice's, see `parseSlice`; for a law of matrices by QR all of the tensor.
 * @throws IsometryError as `lowerLaw`.
 */
export function jobsOf(
  law: Law,
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  ranges: Ranges,
  dtype: DType,
): Pick<FillRequest, 'jobs' | 'unit'> {
  const stream = streamId(name);
  if (law.kind !== 'parts') {
    const primitive = lowerLaw(law, dtype, name);
    const region = sliceRegion(shape, ranges);
    const jobs = region === null ? [] : [{ primitive, stream, region }];
    if (law.kind !== 'qr') return { jobs };
    const { before, outputs, after } = law.matrices;
    return { jobs, unit: before * outputs * after };
  }
  const jobs: Job[] = [];
  for (const { law: own, placement } of law.parts) {
    const primitive = lowerLaw(own, dtype, name);
    const region = placeRegion(placement, ranges);
    if (region !== null) jobs.push({ primitive, stream, region });
  }
  const unit = unitOf(law, ranges);
  return unit === undefined || jobs.length === 0 ? { jobs } : { jobs, unit };
}

/** Whether a law can be had in a dtype; throws as {@link jobsOf}, and as seldom makes a job. */
export function checkLaw(law: Law, dtype: DType, name: string): void {
  if (law.kind !== 'parts') lowerLaw(law, dtype, name);
  else for (const part of law.parts) lowerLaw(part.law, dtype, name);
}

/**
 * What is best computed at once of a slice: all that lies under one index of the stacking axes, unless windows of the
 * output have whole columns of the matrices, which can be had one without the other.
 */
function unitOf({ parts, stacked }: PartsLaw, ranges: Ranges): number | undefined {
  const inner = ranges.slice(stacked);
  const leading = inner.findIndex(([start, end]) => end - start > 1);
  const byColumns = parts.every(({ law, placement }) => {
    if (law.kind === 'computed') return false;
    if (law.kind !== 'orthogonal' || leading < 0) return true;
    return placement.axes.some(
      ({ steps, source }) => steps.has(stacked + leading) && source % law.rows === 0,
    );
  });
  if (byColumns) return undefined;
  return inner.reduce((product, [start, end]) => product * (end - start), 1);
}
