import type { DType } from '../../dtype.js';
import type { Law } from '../../law.js';
import { lowerLaw } from '../../lower.js';
import { lawMoments } from '../../moments.js';
import type { Measurement } from './measure.js';

/** A measurement held against the law that the elements should follow. */
export interface Verdict {
  /** The law's own moments. */
  readonly mean: number;
  readonly std: number;
  /** How many standard errors the measured moments are off; `null` where that says nothing. */
  readonly meanError: number | null;
  readonly stdError: number | null;
  /** False when either is off by more than `LIMIT` standard errors, or a bound or a constant is not kept. */
  readonly plausible: boolean;
}

/** By chance one in 1.7 million right tensors would be further off. */
export const LIMIT = 5;

/** With fewer elements the estimated standard deviation is too far from normally distributed to be judged. */
const FEWEST_FOR_STD = 256;

/**
 * Whether elements like those measured follow `law` as stored in `dtype`.
 *
 * The standard error of the mean is σ/√n; that of the standard deviation is σ·√((κ − 1)/4n), κ being the law's
 * kurtosis (Cramér, Mathematical Methods of Statistics, §28.2).
 */
export function judge(measured: Measurement, law: Law, dtype: DType, name: string): Verdict {
  const { mean, std } = lawMoments(law, measured.count);
  const { count, min, max } = measured;
  const primitive = law.kind === 'parts' ? undefined : lowerLaw(law, dtype, name);
  if (count === 0) return { mean, std, meanError: null, stdError: null, plausible: true };
  if (primitive?.kind === 'constant') {
    const plausible = measured.nonFinite === 0 && min === primitive.value && max === primitive.value;
    return { mean, std, meanError: null, stdError: null, plausible };
  }
  const [lowest, highest] =
    primitive !== undefined && 'min' in primitive
      ? [primitive.min, primitive.max]
      : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const grain = grainOf(dtype, Math.abs(mean) + std);
  const meanError = (beyond(measured.mean - mean, grain) / std) * Math.sqrt(count);
  const stdError =
    count < FEWEST_FOR_STD
      ? null
      : (beyond(measured.std - std, grain) / std) * Math.sqrt((4 * count) / (kurtosisOf(law, measured) - 1));
  const plausible =
    measured.nonFinite === 0 &&
    min >= lowest &&
    max <= highest &&
    Math.abs(meanError) <= LIMIT &&
    Math.abs(stdError ?? 0) <= LIMIT;
  return { mean, std, meanError, stdError, plausible };
}

/**
 * How much rounding to a 16-bit dtype may move a mean or a standard deviation: half a unit in the last place of values
 * like `magnitude`. Where the law is wide it moves them far less; where it is narrower than a unit, so far.
 */
function grainOf(dtype: DType, magnitude: number): number {
  const octave = Math.floor(Math.log2(magnitude));
  if (dtype === 'bfloat16') return 2 ** (Math.max(octave, -126) - 7) / 2;
  if (dtype === 'float16') return 2 ** (Math.max(octave, -14) - 10) / 2;
  return 0;
}

/** What of a deviation `slack` does not explain. */
function beyond(deviation: number, slack: number): number {
  return Math.sign(deviation) * Math.max(0, Math.abs(deviation) - slack);
}

function kurtosisOf(law: Law, measured: Measurement): number {
  if (law.kind === 'uniform') return 1.8;
  if (law.kind === 'normal') return 3;
  // Mostly zeros, it may be anything.
  if (law.kind === 'parts') return Math.max(1.8, measured.kurtosis);
  // A truncated normal is log-concave: its kurtosis lies between a uniform's and an exponential's.
  return Math.min(9, Math.max(1.8, measured.kurtosis));
}
