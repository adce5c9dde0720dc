import { showName } from '../errors.js';
import type { Law } from '../law.js';
import { type Fans, fans } from '../layout.js';
import { numberOption, oneOf, withDefault } from '../options.js';
import { type Definition, make, type TensorInfo } from './definition.js';

/** Which number of connections the variance is divided by. */
export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg' | 'fanGeoAvg';

/** The law's family; `truncatedNormal` is cut at ±2σ and rescaled to the full variance. */
export type Distribution = 'uniform' | 'normal' | 'truncatedNormal';

/** @internal */
export const FAN_MODES: readonly FanMode[] = ['fanIn', 'fanOut', 'fanAvg', 'fanGeoAvg'];
const DISTRIBUTIONS: readonly Distribution[] = ['uniform', 'normal', 'truncatedNormal'];

/** Largest scale; three times it must stay finite. */
const MAX_SCALE = 1e300;

export interface VarianceScalingInitializer {
  readonly kind: 'varianceScaling';
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: Distribution;
}

/** Options of {@link varianceScaling}. */
export interface VarianceScalingOptions {
  /** From 0 (all elements 0) to 1e300. Default 1. */
  readonly scale?: number | undefined;
  /** Default `fanIn`. */
  readonly mode?: FanMode | undefined;
  /** Default `truncatedNormal`. */
  readonly distribution?: Distribution | undefined;
}

/** @internal */
export const varianceScalingDefinition: Definition<VarianceScalingInitializer> = {
  kind: 'varianceScaling',
  options: ['scale', 'mode', 'distribution'],
  parse: (options, where) => ({
    kind: 'varianceScaling',
    scale: numberOption(withDefault(options['scale'], 1), `${where}.scale`, { min: 0, max: MAX_SCALE }),
    mode: oneOf(withDefault(options['mode'], 'fanIn'), FAN_MODES, `${where}.mode`),
    distribution: oneOf(
      withDefault(options['distribution'], 'truncatedNormal'),
      DISTRIBUTIONS,
      `${where}.distribution`,
    ),
  }),
  law: ({ scale, mode, distribution }, tensor) => scaledLaw(scale, mode, distribution, tensor),
};

/**
 * Mean 0 and variance `scale / n`, where n counts the connections of a unit as `mode` says:
 *
 * | mode | n |
 * |---|---|
 * | `fanIn` | fanIn |
 * | `fanOut` | fanOut |
 * | `fanAvg` | (fanIn + fanOut) / 2 |
 * | `fanGeoAvg` | √(fanIn · fanOut) |
 *
 * | distribution | law |
 * |---|---|
 * | `uniform` | uniform on [−L, L), L = √(3·scale/n) |
 * | `normal` | normal, std = √(scale/n) |
 * | `truncatedNormal` | normal cut at ±2σ, where σ = √(scale/n) / 0.8796… makes the std √(scale/n) again |
 *
 * The law of Keras's `VarianceScaling` and of `jax.nn.initializers.variance_scaling` (Keras calls the second
 * `untruncated_normal`). docs/adr/0005-layouts-and-fans.md says how layouts and groups count.
 *
 * @throws IsometryError `INVALID_OPTION`; when used on a tensor, `INVALID_SHAPE`,
 * `INVALID_LAYOUT` or `INVALID_OPTION` for a shape, layout or groups that have no fans.
 */
export function varianceScaling(options?: VarianceScalingOptions): VarianceScalingInitializer {
  return make(varianceScalingDefinition, options);
}

/**
 * The law of {@link varianceScaling}, for every initializer that is a special case of it.
 * @internal
 */
export function scaledLaw(scale: number, mode: FanMode, distribution: Distribution, tensor: TensorInfo): Law {
  const where = `the fans of tensor ${showName(tensor.name)}`;
  const { shape, layout, groups } = tensor;
  const n = connections(fans(shape, layout, groups, where), mode);
  if (distribution === 'uniform') {
    const limit = Math.sqrt((3 * scale) / n);
    return limit === 0 ? ZERO : { kind: 'uniform', min: -limit, max: limit };
  }
  const std = Math.sqrt(scale / n);
  if (std === 0) return ZERO;
  if (distribution === 'normal') return { kind: 'normal', mean: 0, std };
  return { kind: 'truncatedNormal', mean: 0, std, bounds: { sigmas: [-2, 2] }, rescale: true };
}

/** What is left when scale / n is 0, or underflows. */
const ZERO: Law = { kind: 'constant', value: 0 };

function connections({ fanIn, fanOut }: Fans, mode: FanMode): number {
  // Only a tensor without elements has a fan of 0; 1 keeps its law finite.
  const inputs = Math.max(1, fanIn);
  const outputs = Math.max(1, fanOut);
  switch (mode) {
    case 'fanIn':
      return inputs;
    case 'fanOut':
      return outputs;
    case 'fanAvg':
      return (inputs + outputs) / 2;
    case 'fanGeoAvg':
      return Math.sqrt(inputs * outputs);
  }
}

/**
 * The definition of an initializer without options that is {@link varianceScaling} with fixed ones.
 * @internal
 */
export function fixedScaling<K extends string>(
  kind: K,
  scale: number,
  mode: FanMode,
  distribution: Distribution,
): Definition<{ readonly kind: K }> {
  return {
    kind,
    options: [],
    parse: () => ({ kind }),
    law: (_, tensor) => scaledLaw(scale, mode, distribution, tensor),
  };
}
