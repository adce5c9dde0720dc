import { IsometryError } from '../errors.js';
import { booleanOption, boundsOption, numberOption, withDefault } from '../options.js';
import { type Definition, make } from './definition.js';

/** Lower and upper bound; `null` leaves a side open (JSON has no infinity). */
export type StoredBounds = readonly [lower: number | null, upper: number | null];

export type TruncatedNormalInitializer =
  | {
      readonly kind: 'truncatedNormal';
      readonly mean: number;
      readonly std: number;
      readonly sigmas: StoredBounds;
      readonly rescale: boolean;
    }
  | {
      readonly kind: 'truncatedNormal';
      readonly mean: number;
      readonly std: number;
      readonly absolute: StoredBounds;
      readonly rescale: false;
    };

/** Options of {@link truncatedNormal}: bounds either as `sigmas` or as `absolute`, never both. */
export interface TruncatedNormalOptions {
  /** Of the normal before truncation. Default 0. */
  readonly mean?: number | undefined;
  /** Of the normal before truncation, > 0; with `rescale`, of the result. Default 1. */
  readonly std?: number | undefined;
  /**
   * Bounds as multiples of the standard deviation of the normal before truncation, relative to its mean. Default
   * `[-2, 2]`. `null` or the infinity of that side leaves a side open; it is stored as `null`.
   */
  readonly sigmas?: readonly [lower: number | null, upper: number | null] | undefined;
  /** Bounds as values of the result; the mean may lie outside. Open sides as in `sigmas`. */
  readonly absolute?: readonly [lower: number | null, upper: number | null] | undefined;
  /** Divide by the standard deviation of the truncated law, so that the result has `std`. Default false. */
  readonly rescale?: boolean | undefined;
}

/** @internal */
export const truncatedNormalDefinition: Definition<TruncatedNormalInitializer> = {
  kind: 'truncatedNormal',
  options: ['mean', 'std', 'sigmas', 'absolute', 'rescale'],
  parse: (options, where) => {
    const mean = numberOption(withDefault(options['mean'], 0), `${where}.mean`);
    const std = numberOption(withDefault(options['std'], 1), `${where}.std`, { above: 0 });
    const rescale = booleanOption(withDefault(options['rescale'], false), `${where}.rescale`);
    if (options['absolute'] === undefined) {
      const sigmas = boundsOption(withDefault(options['sigmas'], [-2, 2]), `${where}.sigmas`);
      return { kind: 'truncatedNormal', mean, std, sigmas, rescale };
    }
    if (options['sigmas'] !== undefined) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected either sigmas or absolute for ${where} but received both; sigmas count from the mean, absolute are values`,
      );
    }
    if (rescale) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected rescale: false with absolute bounds for ${where} but received true; give the bounds as sigmas to rescale`,
      );
    }
    const absolute = boundsOption(options['absolute'], `${where}.absolute`);
    return { kind: 'truncatedNormal', mean, std, absolute, rescale: false };
  },
  law: (initializer) => {
    const { kind, mean, std, rescale } = initializer;
    const inSigmas = 'sigmas' in initializer;
    const [lower, upper] = inSigmas ? initializer.sigmas : initializer.absolute;
    if (lower === null && upper === null) return { kind: 'normal', mean, std };
    const ends = [lower ?? Number.NEGATIVE_INFINITY, upper ?? Number.POSITIVE_INFINITY] as const;
    return { kind, mean, std, bounds: inSigmas ? { sigmas: ends } : { absolute: ends }, rescale };
  },
};

/**
 * Normal, given that it lies within bounds: `mean + std·z` with z from the part of the standard normal inside them.
 *
 * The two meanings of bounds have different names, because frameworks give them the same one:
 * - `sigmas: [lower, upper]`, lower ≤ z ≤ upper, as JAX (`lower`, `upper`) and Keras (always ±2);
 * - `absolute: [lower, upper]`, bounds on the values themselves, as `torch.nn.init.trunc_normal_` (`a`, `b`).
 *
 * Truncation makes the standard deviation smaller than `std` (to 0.8796 of it at ±2σ). `rescale: true` divides by the
 * exact standard deviation of the truncated z, for any bounds in sigmas; the bounds grow with it and, where they are
 * not symmetric, the mean is not `mean`.
 *
 * @throws IsometryError `INVALID_OPTION`: `std` ≤ 0 (for std 0 use `constant`), bounds that are NaN or not in
 * ascending order, both kinds of bounds, or `rescale` with absolute ones.
 */
export function truncatedNormal(options?: TruncatedNormalOptions): TruncatedNormalInitializer {
  return make(truncatedNormalDefinition, options);
}
