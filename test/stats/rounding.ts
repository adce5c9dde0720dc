// A 16-bit weight is the 32-bit weight of the same seed, rounded to nearest even, then put within the bounds.
import type { ElementLaw } from '../../src/law.js';
import { limits } from './bounds.js';
import { EXTREME_PLACES } from './extreme-words.js';
import type { Generator } from './generator.js';
import { type HalfDType, nearestRank, rankBounds, rankOf } from './grid.js';
import { RealLaw } from './real-law.js';
import { type Violations, violationsOver } from './violations.js';

const HALF_DTYPES: readonly HalfDType[] = ['float16', 'bfloat16'];

/** Ranks between which the weights are clamped. */
function clampOf(law: ElementLaw, dtype: HalfDType): readonly [number, number] {
  if (law.kind === 'constant' || law.kind === 'normal') {
    return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  }
  if (law.kind === 'truncatedNormal' && law.rescale) return rankBounds(dtype, new RealLaw(law));
  const [lower, upper] = limits(law);
  return rankBounds(dtype, { lower, upper, endOpen: law.kind === 'uniform' });
}

function violation(generator: Generator, law: ElementLaw, dtype: HalfDType, n: number): string | null {
  const [first, last] = clampOf(law, dtype);
  const fills = [
    { seed: 19n, stream: 1n, shape: [n], offset: 0 },
    ...EXTREME_PLACES.map(({ seed, stream, block }) => ({ seed, stream, shape: [4], offset: 4 * block })),
  ];
  for (const fill of fills) {
    const narrow = generator.fill({ law, dtype, ...fill });
    const wide = generator.fill({ law, dtype: 'float32', ...fill });
    for (let i = 0; i < wide.length; i++) {
      const expected = Math.min(last, Math.max(first, nearestRank(dtype, wide[i]!)));
      if (rankOf(narrow[i]!) !== expected) {
        return `${wide[i]} became pattern ${narrow[i]} of ${dtype} under ${JSON.stringify(law)}`;
      }
    }
  }
  return null;
}

/** The first violation of each law and dtype, among `n` elements and where the random words are extreme. */
export function roundingViolations(generator: Generator, laws: Iterable<ElementLaw>, n: number): Violations {
  return violationsOver(laws, HALF_DTYPES, (law, dtype) => violation(generator, law, dtype, n));
}
