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
  for (const { law: own, placement, role } of law.parts) {
    const primitive = lowerLaw(own, dtype, name);
    const region = placeRegion(placement, ranges);
    if (region === null) continue;
    jobs.push({ primitive, stream: role === undefined ? stream : streamId(name, role), region });
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
 * output have whole columns of the matrices, or units of a recipe, which can be had one without the other.
 */
function unitOf({ parts, stacked }: PartsLaw, ranges: Ranges): number | undefined {
  const byColumns = parts.every(({ law, placement }) => {
    if (law.kind !== 'orthogonal' && law.kind !== 'computed') return true;
    if (law.kind === 'computed' && law.recipe.divisible) return true;
    const column = law.kind === 'orthogonal' ? law.rows : law.recipe.size;
    // The outermost axis that matters to this part: all other taps of a kernel, for example, are zeros.
    const leading = ranges.findIndex(
      ([start, end], axis) =>
        axis >= stacked && end - start > 1 && placement.axes.some(({ steps }) => steps.has(axis)),
    );
    return (
      leading < 0 || placement.axes.some(({ steps, source }) => steps.has(leading) && source % column === 0)
    );
  });
  if (byColumns) return undefined;
  return ranges.slice(stacked).reduce((product, [start, end]) => product * (end - start), 1);
}
