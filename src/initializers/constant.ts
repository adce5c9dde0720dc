import { numberOption } from '../options.js';
import { type Definition, make } from './definition.js';

export interface ZerosInitializer {
  readonly kind: 'zeros';
}

export interface OnesInitializer {
  readonly kind: 'ones';
}

export interface ConstantInitializer {
  readonly kind: 'constant';
  readonly value: number;
}

/** Options of {@link constant}. */
export interface ConstantOptions {
  /** Finite; −0 becomes 0, because JSON has no −0. */
  readonly value: number;
}

/** @internal */
export const zerosDefinition: Definition<ZerosInitializer> = {
  kind: 'zeros',
  options: [],
  parse: () => ({ kind: 'zeros' }),
  law: () => ({ kind: 'constant', value: 0 }),
};

/** @internal */
export const onesDefinition: Definition<OnesInitializer> = {
  kind: 'ones',
  options: [],
  parse: () => ({ kind: 'ones' }),
  law: () => ({ kind: 'constant', value: 1 }),
};

/** @internal */
export const constantDefinition: Definition<ConstantInitializer> = {
  kind: 'constant',
  options: ['value'],
  parse: ({ value }, where) => ({ kind: 'constant', value: numberOption(value, `${where}.value`) }),
  law: ({ value }) => ({ kind: 'constant', value }),
};

/** Every element is 0. For biases, and for the last layer of a residual branch. */
export function zeros(options?: Readonly<Record<string, never>>): ZerosInitializer {
  return make(zerosDefinition, options);
}

/** Every element is 1. For the scales of normalization layers. */
export function ones(options?: Readonly<Record<string, never>>): OnesInitializer {
  return make(onesDefinition, options);
}

/**
 * Every element is `value`, rounded to the nearest of the dtype.
 * @throws IsometryError `INVALID_OPTION` unless `value` is a finite number.
 */
export function constant(options: ConstantOptions): ConstantInitializer {
  return make(constantDefinition, options);
}
