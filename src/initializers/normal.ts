import { numberOption, withDefault } from '../options.js';
import { type Definition, make } from './definition.js';

export interface NormalInitializer {
  readonly kind: 'normal';
  readonly mean: number;
  readonly std: number;
}

/** Options of {@link normal}. */
export interface NormalOptions {
  /** Default 0. */
  readonly mean?: number | undefined;
  /** Standard deviation, ≥ 0; with 0 every element is `mean`. */
  readonly std: number;
}

/** @internal */
export const normalDefinition: Definition<NormalInitializer> = {
  kind: 'normal',
  options: ['mean', 'std'],
  parse: (options, where) => ({
    kind: 'normal',
    mean: numberOption(withDefault(options['mean'], 0), `${where}.mean`),
    std: numberOption(options['std'], `${where}.std`, { min: 0 }),
  }),
  law: ({ mean, std }) => (std === 0 ? { kind: 'constant', value: mean } : { kind: 'normal', mean, std }),
};

/**
 * Normal (Gaussian) with the given mean and standard deviation.
 * @throws IsometryError `INVALID_OPTION` unless `mean` is a finite number and `std` a finite number ≥ 0.
 */
export function normal(options: NormalOptions): NormalInitializer {
  return make(normalDefinition, options);
}
