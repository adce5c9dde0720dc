import { Frequencies, sineOfMultiple } from '../js/sinusoid.js';
import type { Law } from '../law.js';
import { expectedHint, numberOption, oneOf, withDefault } from '../options.js';
import { cos, sin } from '../theory/elementary.js';
import { type Definition, make, type TensorInfo } from './definition.js';
import { whereOf } from './kernel-view.js';
import { tableLaw } from './table.js';

/** How sines and cosines lie in a row; see {@link sinusoidal}. */
export type SinusoidalOrder = 'halves' | 'interleaved';

export interface SinusoidalInitializer {
  readonly kind: 'sinusoidal';
  readonly order: SinusoidalOrder;
  readonly maxTimescale: number;
}

/** Options of {@link sinusoidal}. */
export interface SinusoidalOptions {
  /** All sines and then all cosines, or in turns. */
  readonly order: SinusoidalOrder;
  /** The longest wavelength over 2π, in positions; from 1 to 1e30. Default 10000. */
  readonly maxTimescale?: number | undefined;
}

/** @internal */
export const sinusoidalDefinition: Definition<SinusoidalInitializer> = {
  kind: 'sinusoidal',
  options: ['order', 'maxTimescale'],
  parse: ({ order, maxTimescale }, where) => ({
    kind: 'sinusoidal',
    order: oneOf(order, ['halves', 'interleaved'], `${where}.order`),
    maxTimescale: numberOption(withDefault(maxTimescale, 10_000), `${where}.maxTimescale`, {
      min: 1,
      max: 1e30,
    }),
  }),
  law: (initializer, tensor) => sinusoidalLaw(initializer, tensor),
};

/**
 * Sines and cosines of the position, at wavelengths that grow from 2π on by a constant factor: a table of positions for a
 * model whose attention knows none. With K = width/2 and T = `maxTimescale`, row p has
 *
 * - `halves`: sin(p·w₀), …, sin(p·w_{K−1}), cos(p·w₀), …, cos(p·w_{K−1}) with w_k = T^(−k/(K−1)), so that the last is 1/T
 *   (Radford et al. 2023, "Robust speech recognition via large-scale weak supervision", the encoder of Whisper);
 * - `interleaved`: sin(p·w₀), cos(p·w₀), sin(p·w₁), cos(p·w₁), … with w_k = T^(−k/K) (Vaswani et al. 2017, "Attention is
 *   all you need", §3.5).
 *
 * Nothing is random. Exact to 4e-16 in float64, as angles are kept to 85 bits; other dtypes round that value. Where float32
 * is used for the angles, as frameworks do, rows far down differ from these by up to p·1e-7.
 *
 * Shapes: [positions, width], the width even.
 * @throws IsometryError `INVALID_OPTION` for another `order`, or unless `maxTimescale` is from 1 to 1e30; `INVALID_SHAPE` when
 * used on a tensor of another shape.
 */
export function sinusoidal(options: SinusoidalOptions): SinusoidalInitializer {
  return make(sinusoidalDefinition, options);
}

function sinusoidalLaw({ order, maxTimescale }: SinusoidalInitializer, tensor: TensorInfo): Law {
  const [positions, width, ...others] = tensor.shape;
  if (positions === undefined || width === undefined || others.length > 0 || width % 2 === 1) {
    const hint = 'a row has as many sines as cosines';
    throw expectedHint(
      'INVALID_SHAPE',
      '[positions, width] with an even width',
      whereOf(tensor, 'sinusoidal'),
      tensor.shape,
      hint,
    );
  }
  const count = width / 2;
  const steps = order === 'halves' ? Math.max(1, count - 1) : count;
  let kept: Frequencies | undefined;
  return tableLaw(tensor.shape, {
    what: 'a table of sinusoids',
    largest: 1,
    moments: () => {
      const mean = meanOf(new Frequencies(maxTimescale, steps, count), positions, count);
      return { mean, std: Math.sqrt(Math.max(0, 0.5 - mean * mean)) }; // sin² + cos² = 1
    },
    fill: (out, first) => {
      kept ??= new Frequencies(maxTimescale, steps, count);
      let column = first % width;
      let position = (first - column) / width;
      for (let i = 0; i < out.length; i++) {
        const isSine = order === 'halves' ? column < count : column % 2 === 0;
        kept.select(order === 'interleaved' ? Math.floor(column / 2) : isSine ? column : column - count);
        out[i] = sineOfMultiple(position, kept.high, kept.low, isSine ? 0 : 1);
        if (++column === width) {
          column = 0;
          position++;
        }
      }
    },
  });
}

/** So many frequencies stand for all. */
const MOST_FREQUENCIES = 4096;

/** Mean of all elements: by Lagrange's Σ sin pw = sin((P − 1)w/2)·sin(Pw/2)/sin(w/2), p = 0 … P − 1, and likewise Σ cos pw. */
function meanOf(frequencies: Frequencies, positions: number, count: number): number {
  const cells = Math.min(count, MOST_FREQUENCIES);
  let sum = 0;
  for (let cell = 0; cell < cells; cell++) {
    frequencies.select(Math.floor(((cell + 0.5) * count) / cells));
    const half = frequencies.high / 2;
    const middle = (positions - 1) * half;
    sum += ((sin(middle) + cos(middle)) * sin(positions * half)) / sin(half);
  }
  return sum / (2 * positions * cells);
}
