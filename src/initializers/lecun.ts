import { type Definition, make } from './definition.js';
import { fixedScaling } from './variance-scaling.js';

export interface LecunUniformInitializer {
  readonly kind: 'lecunUniform';
}

export interface LecunNormalInitializer {
  readonly kind: 'lecunNormal';
}

/** @internal */
export const lecunUniformDefinition: Definition<LecunUniformInitializer> = fixedScaling(
  'lecunUniform',
  1,
  'fanIn',
  'uniform',
);

/** @internal */
export const lecunNormalDefinition: Definition<LecunNormalInitializer> = fixedScaling(
  'lecunNormal',
  1,
  'fanIn',
  'truncatedNormal',
);

/**
 * Uniform on [−L, L) with L = √(3/fanIn), variance 1/fanIn. For SELU, and Flax’s default.
 *
 * LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp", eq. 16.
 * The same as `varianceScaling({ scale: 1, mode: 'fanIn', distribution: 'uniform' })`.
 */
export function lecunUniform(options?: Readonly<Record<string, never>>): LecunUniformInitializer {
  return make(lecunUniformDefinition, options);
}

/**
 * Normal cut at ±2σ and rescaled, so that the variance is 1/fanIn: Keras's and JAX's law. PyTorch's, without
 * truncation, is `kaimingNormal({ nonlinearity: 'linear' })`.
 *
 * LeCun, Bottou, Orr, Müller 1998, "Efficient BackProp", eq. 16.
 * The same as `varianceScaling({ scale: 1, mode: 'fanIn', distribution: 'truncatedNormal' })`.
 */
export function lecunNormal(options?: Readonly<Record<string, never>>): LecunNormalInitializer {
  return make(lecunNormalDefinition, options);
}
