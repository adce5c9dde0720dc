import { expected } from '../errors.js';
import { log } from '../js/log.js';
import type { Law } from '../law.js';
import { numberOption, withDefault } from '../options.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { whereOf } from './kernel-view.js';
import { lastAxis } from './ramp.js';
import { momentsOf, tableLaw } from './table.js';

export interface LogRampInitializer {
  readonly kind: 'logRamp';
  readonly start: number;
  readonly step: number;
}

/** Options of {@link logRamp}. */
export interface LogRampOptions {
  /** The number whose logarithm is the first value, > 0. Default 1. */
  readonly start?: number | undefined;
  /** From one number to the next, any finite number that keeps them > 0. Default 1. */
  readonly step?: number | undefined;
}

/** @internal */
export const logRampDefinition: Definition<LogRampInitializer> = {
  kind: 'logRamp',
  options: ['start', 'step'],
  parse: ({ start, step }, where) => ({
    kind: 'logRamp',
    start: numberOption(withDefault(start, 1), `${where}.start`, { above: 0 }),
    step: numberOption(withDefault(step, 1), `${where}.step`),
  }),
  law: ({ start, step }, tensor) => logRampLaw(start, step, tensor),
};

/**
 * ln start, ln(start + step), ln(start + 2·step), … along the last axis, the same under every index of the others. Nothing
 * is random; relative error below 4e-16 in float64, and other dtypes round that value. With its defaults ln 1, ln 2, …, which
 * is `A_log` of a state-space model: the real part of S4D's A, row for row (Mamba) or over the heads (Mamba-2).
 *
 * Shapes: any of at least one axis.
 *
 * Gu, Gupta, Goel, Ré 2022, "On the parameterization and initialization of diagonal state space models", §4.2 (S4D-Real,
 * A_n = −(n + 1)).
 * @throws IsometryError `INVALID_OPTION` unless `start` is a finite number > 0 and `step` a finite one, and when used on a
 * tensor whose last axis is so long that numbers ≤ 0 or infinite ones were reached; `INVALID_SHAPE` for a scalar.
 */
export function logRamp(options: LogRampOptions = {}): LogRampInitializer {
  return make(logRampDefinition, options);
}

function logRampLaw(start: number, step: number, tensor: TensorInfo): Law {
  const count = lastAxis(tensor, 'logRamp');
  if (step === 0 || count <= 1) return { kind: 'constant', value: log(start) };
  const last = start + step * (count - 1);
  if (!(last > 0 && last < Number.POSITIVE_INFINITY)) {
    const what = `a step that keeps all ${count} numbers from ${start} on above 0 and finite`;
    throw expected('INVALID_OPTION', what, `step of ${whereOf(tensor, 'logRamp')}`, step);
  }
  return tableLaw(tensor.shape, {
    what: `logarithms of numbers from ${start} to ${last}`,
    largest: Math.max(Math.abs(log(start)), Math.abs(log(last))),
    // From the end where logarithms grow fastest.
    moments: () => momentsOf((index) => log(Math.min(start, last) + Math.abs(step) * index), count),
    fill: (out, first) => {
      let index = first % count;
      for (let i = 0; i < out.length; i++) {
        out[i] = log(start + step * index);
        index = index + 1 === count ? 0 : index + 1;
      }
    },
  });
}
