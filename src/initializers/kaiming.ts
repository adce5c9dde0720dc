import type { Law } from '../law.js';
import { expectedHint, numberOption, oneOf, withDefault } from '../options.js';
import { MAX_SLOPE } from '../theory/activations.js';
import { GAIN_ACTIVATIONS, type GainActivation, gainSquared } from '../theory/torch-gains.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { FAN_MODES, type FanMode, scaledLaw } from './variance-scaling.js';

interface Kaiming {
  /** Slope of the leaky ReLU below 0. */
  readonly a: number;
  readonly mode: FanMode;
  readonly nonlinearity: GainActivation;
}

export interface KaimingUniformInitializer extends Kaiming {
  readonly kind: 'kaimingUniform';
}

export interface KaimingNormalInitializer extends Kaiming {
  readonly kind: 'kaimingNormal';
}

/** Options of {@link kaimingUniform} and {@link kaimingNormal}. */
export interface KaimingOptions {
  /** Negative slope of `leakyRelu`, |a| ≤ 1e150. Default 0, which is ReLU. No other nonlinearity has one. */
  readonly a?: number | undefined;
  /** `fanIn` keeps the variance of activations, `fanOut` that of gradients. Default `fanIn`. */
  readonly mode?: FanMode | undefined;
  /** What follows the layer; sets the gain, see `gain`. Default `leakyRelu`. */
  readonly nonlinearity?: GainActivation | undefined;
}

const OPTIONS = ['a', 'mode', 'nonlinearity'] as const;

function parseKaiming(options: Readonly<Record<string, unknown>>, where: string): Kaiming {
  const a = numberOption(withDefault(options['a'], 0), `${where}.a`, { min: -MAX_SLOPE, max: MAX_SLOPE });
  const mode = oneOf(withDefault(options['mode'], 'fanIn'), FAN_MODES, `${where}.mode`);
  const nonlinearity = oneOf(
    withDefault(options['nonlinearity'], 'leakyRelu'),
    GAIN_ACTIVATIONS,
    `${where}.nonlinearity`,
  );
  if (a !== 0 && nonlinearity !== 'leakyRelu') {
    const hint = 'a is the slope of leakyRelu and would have no effect here';
    throw expectedHint('INVALID_OPTION', `0 with nonlinearity ${nonlinearity}`, `${where}.a`, a, hint);
  }
  return { a, mode, nonlinearity };
}

function kaimingLaw(
  { a, mode, nonlinearity }: Kaiming,
  distribution: 'uniform' | 'normal',
  tensor: TensorInfo,
): Law {
  const scale = nonlinearity === 'leakyRelu' ? gainSquared(nonlinearity, a) : gainSquared(nonlinearity);
  return scaledLaw(scale, mode, distribution, tensor);
}

/** @internal */
export const kaimingUniformDefinition: Definition<KaimingUniformInitializer> = {
  kind: 'kaimingUniform',
  options: OPTIONS,
  parse: (options, where) => ({ kind: 'kaimingUniform', ...parseKaiming(options, where) }),
  law: (initializer, tensor) => kaimingLaw(initializer, 'uniform', tensor),
};

/** @internal */
export const kaimingNormalDefinition: Definition<KaimingNormalInitializer> = {
  kind: 'kaimingNormal',
  options: OPTIONS,
  parse: (options, where) => ({ kind: 'kaimingNormal', ...parseKaiming(options, where) }),
  law: (initializer, tensor) => kaimingLaw(initializer, 'normal', tensor),
};

/**
 * Uniform on [−L, L) with L = gain · √(3/fan), as `torch.nn.init.kaiming_uniform_`; fan is fanIn or fanOut as `mode`
 * says. With the defaults (gain √2) the same as `heUniform`; `a: Math.sqrt(5)` is the default of `torch.nn.Linear`
 * and the convolutions, L = 1/√fanIn.
 *
 * He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, eq. 10 (fanIn), 14 (fanOut), 15 (a).
 * @throws IsometryError `INVALID_OPTION`.
 */
export function kaimingUniform(options?: KaimingOptions): KaimingUniformInitializer {
  return make(kaimingUniformDefinition, options);
}

/**
 * Normal, not truncated, with std = gain/√fan, as `torch.nn.init.kaiming_normal_`. Keras's and JAX's truncated form
 * is `heNormal`.
 *
 * He, Zhang, Ren, Sun 2015, "Delving Deep into Rectifiers", arXiv:1502.01852, eq. 10 (fanIn), 14 (fanOut), 15 (a).
 * @throws IsometryError `INVALID_OPTION`.
 */
export function kaimingNormal(options?: KaimingOptions): KaimingNormalInitializer {
  return make(kaimingNormalDefinition, options);
}
