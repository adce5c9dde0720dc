import { type Definition, make } from './definition.js';
import { fixedScaling } from './variance-scaling.js';

export interface HeUniformInitializer {
  readonly kind: 'heUniform';
}

export interface HeNormalInitializer {
  readonly kind: 'heNormal';
}

/** @internal */
export const heUniformDefinition: Definition<HeUniformInitializer> = fixedScaling(
  'heUniform',
  2,
  'fanIn',
  'uniform',
);

/** @internal */
export const heNormalDefinition: Definition<HeNormalInitializer> = fixedScaling(
  'heNormal',
  2,
  'fanIn',
  'truncatedNormal',
);

/**
 * Uniform on [−L, L) with L = √(6/fanIn), variance 2/fanIn. Also known as Kaiming; for ReLU and its kin.
 *
 * He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, eq. 10.
 * The same as `varianceScaling({ scale: 2, mode: 'fanIn', distribution: 'uniform' })`.
 */
export function heUniform(options?: Readonly<Record<string, never>>): HeUniformInitializer {
  return make(heUniformDefinition, options);
}

/**
 * Normal cut at ±2σ and rescaled, so that the variance is 2/fanIn: Keras's and JAX's law. PyTorch's, without
 * truncation, is `kaimingNormal`.
 *
 * He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, eq. 10.
 * The same as `varianceScaling({ scale: 2, mode: 'fanIn', distribution: 'truncatedNormal' })`.
 */
export function heNormal(options?: Readonly<Record<string, never>>): HeNormalInitializer {
  return make(heNormalDefinition, options);
}
