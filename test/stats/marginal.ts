// Tests of one fill's law: each takes samples to p-values.
import type { TensorArray } from '../../src/dtype.js';
import type { ElementLaw } from '../../src/law.js';
import { type HalfDType, rankBounds, rankOf, upperEdge } from './grid.js';
import { RealLaw } from './real-law.js';
import { kolmogorovDistance, kolmogorovP, mergedChiSquareP, normalP } from './statistics.js';

/** Kolmogorov and Smirnov's test, for 32 and 64 bits, where the grid is too fine to be seen. */
export function kolmogorovSmirnov(samples: TensorArray, law: ElementLaw): number[] {
  const real = new RealLaw(law);
  return [kolmogorovP(kolmogorovDistance(samples.slice().sort(), real.cdf), samples.length)];
}

/**
 * Mean, variance, third and fourth moment about the law's own mean, in its own sigmas, as z-scores: the k-th has the
 * variance (m(2k) − m(k)²)/n.
 */
export function moments(samples: TensorArray, law: ElementLaw): number[] {
  const { mean, std, standardized: m } = new RealLaw(law);
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < samples.length; i++) {
    const y = (samples[i]! - mean) / std;
    const square = y * y;
    sums[0]! += y;
    sums[1]! += square;
    sums[2]! += square * y;
    sums[3]! += square * square;
  }
  return sums.map((sum, index) => {
    const k = index + 1;
    const deviation = Math.sqrt((m[2 * k]! - m[k]! ** 2) / samples.length);
    return normalP((sum / samples.length - m[k]!) / deviation);
  });
}

/**
 * Chi-square over the values of a 16-bit dtype themselves. A value's probability is the law's mass of all reals that
 * round to it; the first and the last value within the bounds have all that is beyond them as well.
 */
export function exactCells(samples: Uint16Array, law: ElementLaw, dtype: HalfDType): number[] {
  const { first, masses } = cellsOf(law, dtype);
  const observed = new Float64Array(masses.length);
  for (const bits of samples) {
    const cell = rankOf(bits) - first;
    if (!(cell >= 0 && cell < observed.length)) return [0]; // a value that the law cannot give
    observed[cell]!++;
  }
  return [
    mergedChiSquareP(
      observed,
      masses.map((mass) => mass * samples.length),
    ),
  ];
}

interface Cells {
  /** Rank of the first value. */
  readonly first: number;
  readonly masses: Float64Array;
}

const cache = new WeakMap<ElementLaw, Map<HalfDType, Cells>>();

function cellsOf(law: ElementLaw, dtype: HalfDType): Cells {
  const known = cache.get(law) ?? new Map<HalfDType, Cells>();
  cache.set(law, known);
  let cells = known.get(dtype);
  if (cells === undefined) {
    const real = new RealLaw(law);
    const [first, last] = rankBounds(dtype, real);
    const masses = new Float64Array(last - first + 1);
    let below = 0;
    for (let rank = first; rank <= last; rank++) {
      const above = rank === last ? 1 : real.cdf(upperEdge(dtype, rank));
      masses[rank - first] = above - below;
      below = above;
    }
    cells = { first, masses };
    known.set(dtype, cells);
  }
  return cells;
}
