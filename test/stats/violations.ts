import { IsometryError } from '../../src/errors.js';

export interface Violations {
  readonly violations: string[];
  readonly tried: number;
  readonly refused: number;
}

/**
 * What `check` finds wrong over every law and dtype. An `INVALID_OPTION` counts as refused: where a dtype has no value
 * within the bounds, or overflows, an error is as good as a right sample.
 */
export function violationsOver<L, D>(
  laws: Iterable<L>,
  dtypes: readonly D[],
  check: (law: L, dtype: D) => string | null,
): Violations {
  const violations: string[] = [];
  let [tried, refused] = [0, 0];
  for (const law of laws) {
    for (const dtype of dtypes) {
      try {
        const found = check(law, dtype);
        tried++;
        if (found !== null) violations.push(found);
      } catch (error) {
        if (!(error instanceof IsometryError) || error.code !== 'INVALID_OPTION') throw error;
        refused++;
      }
    }
  }
  return { violations, tried, refused };
}
