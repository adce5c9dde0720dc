import { type Definition, make } from './definition.js';
import { fixedScaling } from './variance-scaling.js';

export interface GlorotUniformInitializer {
  readonly kind: 'glorotUniform';
}

export interface GlorotNormalInitializer {
  readonly kind: 'glorotNormal';
}

/** @internal */
export const glorotUniformDefinition: Definition<GlorotUniformInitializer> = fixedScaling(
  'glorotUniform',
  1,
  'fanAvg',
  'uniform',
);

/** @internal */
export const glorotNormalDefinition: Definition<GlorotNormalInitializer> = fixedScaling(
  'glorotNormal',
  1,
  'fanAvg',
  'truncatedNormal',
);

/**
 * Uniform on [−L, L) with L = √(6/(fanIn + fanOut)), variance 2/(fanIn + fanOut). Also known as Xavier;
 * for tanh, sigmoid, softmax and linear layers.
 *
 * Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 16.
 * The same as `varianceScaling({ scale: 1, mode: 'fanAvg', distribution: 'uniform' })`.
 */
export function glorotUniform(options?: Readonly<Record<string, never>>): GlorotUniformInitializer {
  return make(glorotUniformDefinition, options);
}

/**
 * Normal cut at ±2σ and rescaled, so that the variance is 2/(fanIn + fanOut): Keras's and JAX's law. PyTorch's,
 * without truncation, is `xavierNormal`.
 *
 * Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks", eq. 12.
 * The same as `varianceScaling({ scale: 1, mode: 'fanAvg', distribution: 'truncatedNormal' })`.
 */
export function glorotNormal(options?: Readonly<Record<string, never>>): GlorotNormalInitializer {
  return make(glorotNormalDefinition, options);
}
