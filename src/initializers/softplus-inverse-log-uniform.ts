import { expected } from '../errors.js';
import { log } from '../js/log.js';
import type { Law } from '../law.js';
import type { Moments } from '../moments.js';
import { numberOption, withDefault } from '../options.js';
import { exp } from '../quantile/exp.js';
import { expm1 } from '../theory/elementary.js';
import { type Definition, make } from './definition.js';
import { tableLaw } from './table.js';

export interface SoftplusInverseLogUniformInitializer {
  readonly kind: 'softplusInverseLogUniform';
  readonly min: number;
  readonly max: number;
  readonly floor: number;
}

/** Options of {@link softplusInverseLogUniform}. */
export interface SoftplusInverseLogUniformOptions {
  /** Shortest time step, > 0. Default 0.001. */
  readonly min?: number | undefined;
  /** Longest time step, ≥ `min`. Default 0.1. */
  readonly max?: number | undefined;
  /** Shorter ones become this, ≥ 0. Default 0.0001. */
  readonly floor?: number | undefined;
}

/** @internal */
export const softplusInverseLogUniformDefinition: Definition<SoftplusInverseLogUniformInitializer> = {
  kind: 'softplusInverseLogUniform',
  options: ['min', 'max', 'floor'],
  parse: (options, where) => {
    const min = numberOption(withDefault(options['min'], 0.001), `${where}.min`, { above: 0 });
    const max = numberOption(withDefault(options['max'], 0.1), `${where}.max`, { above: 0 });
    const floor = numberOption(withDefault(options['floor'], 1e-4), `${where}.floor`, { min: 0 });
    if (min > max) throw expected('INVALID_OPTION', 'min ≤ max', where, { min, max });
    return { kind: 'softplusInverseLogUniform', min, max, floor };
  },
  law: (initializer, { shape }) => lawOfSteps(initializer, shape),
};

/**
 * The inverse of softplus, t + ln(1 − e^−t), of a time step t that is log-uniform: t = max(exp(ln min + u·(ln max − ln min)),
 * floor), u uniform on [0, 1). A bias of this law makes a state-space model's time steps softplus(bias) those t: `dt_proj.bias`
 * of Mamba, `dt_bias` of Mamba-2. Computed in float64 and rounded to the dtype, so all dtypes have the same values.
 *
 * Gu, Dao 2023, "Mamba: linear-time sequence modeling with selective state spaces", §3.6.
 * @throws IsometryError `INVALID_OPTION` unless all are finite numbers, 0 < `min` ≤ `max` and `floor` ≥ 0.
 */
export function softplusInverseLogUniform(
  options: SoftplusInverseLogUniformOptions = {},
): SoftplusInverseLogUniformInitializer {
  return make(softplusInverseLogUniformDefinition, options);
}

function lawOfSteps(
  { min, max, floor }: SoftplusInverseLogUniformInitializer,
  shape: readonly number[],
): Law {
  const start = log(min);
  const range = log(max) - start;
  const shortest = Math.max(min, floor);
  const longest = Math.max(max, floor);
  if (shortest === longest) return { kind: 'constant', value: inverseSoftplus(longest) };
  const elementAt = (u: number): number => inverseSoftplus(Math.max(exp(u * range + start), floor));
  return tableLaw(shape, {
    what: `softplus' inverse of time steps from ${shortest} to ${longest}`,
    largest: Math.max(Math.abs(inverseSoftplus(shortest)), Math.abs(inverseSoftplus(longest))),
    moments: () => momentsOfSteps(elementAt, Math.max(0, (log(shortest) - start) / range)),
    uniform: { min: 0, max: 1 },
    fill: (out, _first, uniforms) => {
      for (let i = 0; i < out.length; i++) out[i] = elementAt(uniforms[i]!);
    },
  });
}

/** ln(e^t − 1) for t > 0; absolute error below 1e-15·max(1, |result|), with + − × ÷ and bit patterns alone. */
function inverseSoftplus(t: number): number {
  return t < 1 ? log(expm1(t)) : t + log(1 - exp(-t));
}

/** Points at which the law is looked at. */
const POINTS = 1024;

/** @param share - of the steps that are at the floor. */
function momentsOfSteps(elementAt: (u: number) => number, share: number): Moments {
  const atFloor = elementAt(0);
  const values = Array.from({ length: POINTS }, (_, i) =>
    elementAt(share + ((i + 0.5) / POINTS) * (1 - share)),
  );
  const average = (f: (value: number) => number): number =>
    share * f(atFloor) + ((1 - share) * values.reduce((sum, value) => sum + f(value), 0)) / POINTS;
  const mean = average((value) => value);
  return { mean, std: Math.sqrt(average((value) => (value - mean) ** 2)) };
}
