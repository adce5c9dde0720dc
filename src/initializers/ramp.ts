import { expectedHint, numberOption, withDefault } from '../options.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { whereOf } from './kernel-view.js';
import { tableLaw } from './table.js';

export interface RampInitializer {
  readonly kind: 'ramp';
  readonly start: number;
  readonly step: number;
}

/** Options of {@link ramp}. */
export interface RampOptions {
  /** The first value, any finite number. Default 0. */
  readonly start?: number | undefined;
  /** From one value to the next, any finite number. Default 1. */
  readonly step?: number | undefined;
}

/** @internal */
export const rampDefinition: Definition<RampInitializer> = {
  kind: 'ramp',
  options: ['start', 'step'],
  parse: ({ start, step }, where) => ({
    kind: 'ramp',
    start: numberOption(withDefault(start, 0), `${where}.start`),
    step: numberOption(withDefault(step, 1), `${where}.step`),
  }),
  law: ({ start, step }, tensor) => {
    const count = lastAxis(tensor, 'ramp');
    if (step === 0 || count <= 1) return { kind: 'constant', value: start };
    const last = start + step * (count - 1);
    return tableLaw(tensor.shape, {
      what: `a ramp from ${start} to ${last}`,
      largest: Math.max(Math.abs(start), Math.abs(last)),
      moments: () => ({
        mean: start / 2 + last / 2,
        std: Math.abs(step) * Math.sqrt((count - 1) / 12) * Math.sqrt(count + 1),
      }),
      fill: (out, first) => {
        let index = first % count;
        for (let i = 0; i < out.length; i++) {
          out[i] = start + step * index;
          index = index + 1 === count ? 0 : index + 1;
        }
      },
    });
  },
};

/**
 * start, start + step, start + 2·step, … along the last axis, the same under every index of the others: position numbers,
 * for example. Nothing is random; `start + step·k` is computed in float64 and then rounded to the dtype, so that whole
 * numbers up to what the dtype can hold are exact.
 *
 * Shapes: any of at least one axis.
 * @throws IsometryError `INVALID_OPTION` unless `start` and `step` are finite numbers, and when used on a tensor whose dtype
 * cannot hold the last value; `INVALID_SHAPE` for a scalar.
 */
export function ramp(options: RampOptions = {}): RampInitializer {
  return make(rampDefinition, options);
}

/**
 * How long the last axis is.
 * @throws IsometryError `INVALID_SHAPE` where there is none.
 */
export function lastAxis(tensor: TensorInfo, kind: string): number {
  const length = tensor.shape.at(-1);
  if (length !== undefined) return length;
  throw expectedHint(
    'INVALID_SHAPE',
    'at least one axis',
    whereOf(tensor, kind),
    tensor.shape,
    'a scalar takes constant({ value })',
  );
}
