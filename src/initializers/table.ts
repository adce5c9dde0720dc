/**
 * Laws whose elements JavaScript computes one by one, on every backend: tables, and functions of uniform random numbers.
 */
import type { Law } from '../law.js';
import type { Moments } from '../moments.js';
import { wholePlacement } from '../placement.js';
import type { Recipe, RecipeInput } from '../recipe.js';
import { elementCount } from '../shape.js';

/** Elements that are computed at once: at most about a millisecond. */
const UNIT = 8192;

/** How the elements of a tensor are computed. */
export interface Table {
  /** For messages, as in "a table of sinusoids". */
  readonly what: string;
  /** No element is larger in magnitude. */
  readonly largest: number;
  /** Of all elements; asked for at most once. */
  readonly moments: () => Moments;
  /** Each element's random number is uniform on [min, max) in float64; left out where nothing is random. */
  readonly uniform?: { readonly min: number; readonly max: number };
  /** Computes elements number first, first + 1, … of the tensor, row-major, as many as `out` has; `uniforms` are theirs. */
  fill(out: Float64Array, first: number, uniforms: Float64Array): void;
}

const NONE: readonly RecipeInput[] = [];
const EMPTY: Float64Array = new Float64Array(0);

/** The law of a table. */
export function tableLaw(shape: readonly number[], table: Table): Law {
  const total = elementCount(shape);
  if (total === 0) return { kind: 'constant', value: 0 };
  const { what, largest, uniform, fill } = table;
  const lengthOf = (unit: number): number => Math.min(UNIT, total - unit * UNIT);
  let known: Moments | undefined;
  const moments = (): Moments => {
    known ??= table.moments();
    return known;
  };
  const recipe: Recipe = {
    what,
    size: UNIT,
    get mean() {
      return moments().mean;
    },
    get std() {
      return moments().std;
    },
    largest,
    divisible: true,
    inputs: (unit) =>
      uniform === undefined
        ? NONE
        : [
            {
              law: { kind: 'uniform', ...uniform },
              role: 'uniform',
              dtype: 'float64',
              offset: unit * UNIT,
              length: lengthOf(unit),
            },
          ],
    *make([uniforms = EMPTY], out, unit, from, to) {
      fill(out.subarray(from, to), unit * UNIT + from, uniforms.subarray(from, to) as Float64Array);
      yield undefined;
    },
  };
  const part = { law: { kind: 'computed', recipe, gain: 1 }, placement: wholePlacement(shape) } as const;
  return { kind: 'parts', stacked: 0, parts: [part] };
}

/** So many values are taken each for itself; of later ones, so many of every doubling of the index. */
const EXACT = 4096;
const PER_OCTAVE = 1024;

/**
 * Mean and standard deviation of f(0), …, f(count − 1). Where there are many, f must grow the slower the larger its index:
 * then most are represented by neighbours.
 */
export function momentsOf(f: (index: number) => number, count: number): Moments {
  const values: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < Math.min(count, EXACT); i++) {
    values.push(f(i));
    weights.push(1);
  }
  for (let start = EXACT; start < count; start *= 2) {
    const cell = (Math.min(count, 2 * start) - start) / PER_OCTAVE;
    for (let i = 0; i < PER_OCTAVE; i++) {
      values.push(f(start - 0.5 + (i + 0.5) * cell));
      weights.push(cell);
    }
  }
  const mean = values.reduce((sum, value, i) => sum + value * weights[i]!, 0) / count;
  const variance = values.reduce((sum, value, i) => sum + weights[i]! * (value - mean) ** 2, 0) / count;
  return { mean, std: Math.sqrt(variance) };
}
