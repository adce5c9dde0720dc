import type { Law, LawPart } from './law.js';
import { standardize } from './lower.js';
import { placedElements } from './placement.js';
import { NormalWindow } from './quantile/normal-law.js';

/** Mean and standard deviation. */
export interface Moments {
  readonly mean: number;
  readonly std: number;
}

/**
 * Exact mean and standard deviation of the elements of a law in real numbers; of all elements together where they do
 * not have the same.
 *
 * @param total - how many the tensor has.
 */
export function lawMoments(law: Law, total: number): Moments {
  if (law.kind === 'qr') {
    // Each of the shorter side's vectors has as many elements as the longer side, and the length |gain|.
    const { before, outputs, after } = law.matrices;
    return { mean: 0, std: Math.abs(law.gain) / Math.sqrt(Math.max(1, outputs, before * after)) };
  }
  if (law.kind !== 'parts') return partMoments(law);
  if (total === 0) return { mean: 0, std: 0 };
  // What later parts do not overwrite of the first.
  const shares = law.parts.map(({ law: own, placement }) => {
    const share = placedElements(placement) / total;
    return own.kind === 'mask' ? (share * own.zeros) / own.rows : share;
  });
  const later = shares.slice(1).reduce((sum, share) => sum + share, 0);
  if (shares.length > 1 && shares[0] === 1) shares[0] = 1 - later;
  const parts = law.parts.map((part, index) => ({ ...partMoments(part.law), share: shares[index]! }));
  const mean = parts.reduce((sum, own) => sum + own.share * own.mean, 0);
  // Around the mean, as differences of large squares would be noise.
  const variance = parts.reduce((sum, own) => sum + own.share * (own.std ** 2 + (own.mean - mean) ** 2), 0);
  return { mean, std: Math.sqrt(variance) };
}

function partMoments(law: LawPart['law']): Moments {
  switch (law.kind) {
    case 'constant':
      return { mean: law.value, std: 0 };
    case 'uniform':
      return { mean: law.min / 2 + law.max / 2, std: (law.max - law.min) / Math.sqrt(12) };
    case 'normal':
      return { mean: law.mean, std: law.std };
    case 'truncatedNormal': {
      const { scale, lower, upper } = standardize(law);
      const z = new NormalWindow(lower, upper).moments();
      return { mean: law.mean + scale * z.mean, std: scale * z.std };
    }
    case 'mask':
      return { mean: 0, std: 0 };
    case 'orthogonal':
      return { mean: 0, std: Math.abs(law.gain) / Math.sqrt(law.rows) };
    case 'computed': {
      const { mean = 0, std } = law.recipe;
      return { mean: law.gain * mean, std: Math.abs(law.gain) * std };
    }
  }
}
