import { numberOption, withDefault } from '../options.js';
import { type Definition, make } from './definition.js';
import { scaledLaw } from './variance-scaling.js';

export interface XavierUniformInitializer {
  readonly kind: 'xavierUniform';
  readonly gain: number;
}

export interface XavierNormalInitializer {
  readonly kind: 'xavierNormal';
  readonly gain: number;
}

/** Options of {@link xavierUniform} and {@link xavierNormal}. */
export interface XavierOptions {
  /** Factor on the standard deviation, from 0 (all elements 0) to 1e150; see `gain`. Default 1. */
  readonly gain?: number | undefined;
}

/** Largest gain; three times its square must stay finite. */
const MAX_GAIN = 1e150;

function parseGain(options: Readonly<Record<string, unknown>>, where: string): number {
  return numberOption(withDefault(options['gain'], 1), `${where}.gain`, { min: 0, max: MAX_GAIN });
}

/** @internal */
export const xavierUniformDefinition: Definition<XavierUniformInitializer> = {
  kind: 'xavierUniform',
  options: ['gain'],
  parse: (options, where) => ({ kind: 'xavierUniform', gain: parseGain(options, where) }),
  law: ({ gain }, tensor) => scaledLaw(gain * gain, 'fanAvg', 'uniform', tensor),
};

/** @internal */
export const xavierNormalDefinition: Definition<XavierNormalInitializer> = {
  kind: 'xavierNormal',
  options: ['gain'],
  parse: (options, where) => ({ kind: 'xavierNormal', gain: parseGain(options, where) }),
  law: ({ gain }, tensor) => scaledLaw(gain * gain, 'fanAvg', 'normal', tensor),
};

/**
 * Uniform on [−L, L) with L = gain · √(6/(fanIn + fanOut)), as `torch.nn.init.xavier_uniform_`; with gain 1 the same
 * as `glorotUniform`.
 *
 * Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
 * @throws IsometryError `INVALID_OPTION`.
 */
export function xavierUniform(options?: XavierOptions): XavierUniformInitializer {
  return make(xavierUniformDefinition, options);
}

/**
 * Normal, not truncated, with std = gain · √(2/(fanIn + fanOut)), as `torch.nn.init.xavier_normal_`. Keras's and
 * JAX's truncated form is `glorotNormal`.
 *
 * Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
 * @throws IsometryError `INVALID_OPTION`.
 */
export function xavierNormal(options?: XavierOptions): XavierNormalInitializer {
  return make(xavierNormalDefinition, options);
}
