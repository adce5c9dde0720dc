import { expected } from '../errors.js';
import { numberOption } from '../options.js';
import { type Definition, make } from './definition.js';

export interface UniformInitializer {
  readonly kind: 'uniform';
  readonly min: number;
  readonly max: number;
}

/** Options of {@link uniform}. */
export interface UniformOptions {
  /** Smallest value, included. */
  readonly min: number;
  /** Upper end, never reached. */
  readonly max: number;
}

/** @internal */
export const uniformDefinition: Definition<UniformInitializer> = {
  kind: 'uniform',
  options: ['min', 'max'],
  parse: (options, where) => {
    const min = numberOption(options['min'], `${where}.min`);
    const max = numberOption(options['max'], `${where}.max`);
    // The width must be a number too: −1e308 … 1e308 has none.
    if (min >= max || !Number.isFinite(max - min)) {
      throw expected('INVALID_OPTION', 'min < max, a finite distance apart', where, { min, max });
    }
    return { kind: 'uniform', min, max };
  },
  law: ({ min, max }) => ({ kind: 'uniform', min, max }),
};

/**
 * Uniform on `[min, max)`: `max` never appears, not even where rounding to the dtype would reach it. Mean
 * `(min + max)/2`, standard deviation `(max − min)/√12`.
 * @throws IsometryError `INVALID_OPTION` unless both are finite numbers, `min < max`.
 */
export function uniform(options: UniformOptions): UniformInitializer {
  return make(uniformDefinition, options);
}
