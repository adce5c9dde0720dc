import { expected } from '../errors.js';
import { log } from '../js/log.js';
import type { Moments } from '../moments.js';
import { numberOption } from '../options.js';
import { type Definition, make } from './definition.js';
import { tableLaw } from './table.js';

export interface LogOfUniformInitializer {
  readonly kind: 'logOfUniform';
  readonly min: number;
  readonly max: number;
}

/** Options of {@link logOfUniform}. */
export interface LogOfUniformOptions {
  /** Smallest number whose logarithm is taken, > 0. */
  readonly min: number;
  /** Upper end of these numbers. */
  readonly max: number;
}

/** @internal */
export const logOfUniformDefinition: Definition<LogOfUniformInitializer> = {
  kind: 'logOfUniform',
  options: ['min', 'max'],
  parse: (options, where) => {
    const min = numberOption(options['min'], `${where}.min`, { above: 0 });
    const max = numberOption(options['max'], `${where}.max`, { above: 0 });
    if (min >= max) throw expected('INVALID_OPTION', 'min < max', where, { min, max });
    return { kind: 'logOfUniform', min, max };
  },
  law: ({ min, max }, { shape }) =>
    tableLaw(shape, {
      what: `logarithms of numbers from ${min} to ${max}`,
      largest: Math.max(Math.abs(log(min)), Math.abs(log(max))),
      moments: () => momentsOfLog(min, max),
      uniform: { min, max },
      fill: (out, _first, uniforms) => {
        for (let i = 0; i < out.length; i++) out[i] = log(uniforms[i]!);
      },
    }),
};

/**
 * ln A with A uniform on [`min`, `max`): `A_log` of Mamba-2 as its authors start it, with A from 1 to 16. A is drawn in
 * float64 and its logarithm rounded to the dtype, so all dtypes have the same values.
 *
 * Dao, Gu 2024, "Transformers are SSMs", code `mamba_ssm/modules/mamba2.py` (`A_init_range`).
 * @throws IsometryError `INVALID_OPTION` unless both are finite numbers, 0 < `min` < `max`.
 */
export function logOfUniform(options: LogOfUniformOptions): LogOfUniformInitializer {
  return make(logOfUniformDefinition, options);
}

function momentsOfLog(min: number, max: number): Moments {
  const q = min / max;
  // In a narrow range the logarithm is a straight line, and what follows would cancel.
  if (q > 0.99) return { mean: log(min / 2 + max / 2), std: (2 * (1 - q)) / ((1 + q) * Math.sqrt(12)) };
  // Of v = A/max, uniform on [q, 1): ∫ ln v = v·ln v − v, ∫ ln² v = v·ln² v − 2v·ln v + 2v.
  const ln = log(q);
  const weighted = q === 0 ? 0 : q * ln;
  const mean = -weighted / (1 - q) - 1;
  const square = (2 - (q === 0 ? 0 : weighted * ln) + 2 * weighted - 2 * q) / (1 - q);
  return { mean: log(max) + mean, std: Math.sqrt(square - mean * mean) };
}
