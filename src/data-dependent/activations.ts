import { expected, IsometryError } from '../errors.js';
import { expectedHint } from '../options.js';
import { isArrayOf } from '../tensor.js';

/** Numbers that a layer computes, in any order. */
export type ActivationValues = Float32Array | Float64Array | readonly number[];

/** What a layer computes for all of the data: at once, or batch after batch. */
export type Activations = ActivationValues | Iterable<ActivationValues> | AsyncIterable<ActivationValues>;

/** Moments of what a layer computes. */
export interface ActivationMoments {
  /** How many values. */
  readonly count: number;
  readonly mean: number;
  /** Population standard deviation of all values together. */
  readonly std: number;
}

const WHAT = 'a Float32Array, a Float64Array, an array of numbers, or batches of those';
const BITS_HINT = 'bit patterns of 16-bit numbers are no values: convert them with toFloat32';

/**
 * Mean and standard deviation of everything in `activations`, in float64. Batches may differ in length; the variance
 * is that of all values together, not the mean of the batches' variances. + − × ÷ and sqrt alone, batch after batch:
 * the same values give the same bits everywhere.
 *
 * @param layer - how messages name the layer.
 * @param outputs - the count must be a multiple of it.
 * @throws (rejects with) IsometryError `INVALID_ARGUMENT` for anything but numbers, and for less than 2 of them or no
 * multiple of `outputs`; `ACTIVATION_ERROR` for a NaN or an infinity; or with the signal's reason.
 */
export async function measureActivations(
  activations: unknown,
  layer: string,
  outputs = 1,
  signal?: AbortSignal,
): Promise<ActivationMoments> {
  const where = `the activations of layer ${layer}`;
  const sums = new Sums(where);
  if (isValues(activations)) sums.add(activations);
  else if (!isBatches(activations)) throw wrongKind(activations, where);
  else {
    let batch = 0;
    for await (const values of activations) {
      signal?.throwIfAborted();
      if (!isValues(values)) throw wrongKind(values, `batch ${batch} of ${where}`);
      sums.add(values);
      batch++;
    }
  }
  if (sums.count < 2 || sums.count % outputs !== 0) {
    const what = outputs === 1 ? '2 or more values' : `a multiple of ${outputs} values, and 2 or more,`;
    const hint = 'return what the layer computes for every unit and every sample';
    throw expectedHint('INVALID_ARGUMENT', what, where, sums.count, hint);
  }
  return { count: sums.count, mean: sums.mean, std: Math.sqrt(sums.squares / sums.count) };
}

function isValues(value: unknown): value is ActivationValues {
  if (isArrayOf('Float32Array', value) || isArrayOf('Float64Array', value)) return true;
  return Array.isArray(value) && (value.length === 0 || typeof value[0] === 'number');
}

function isBatches(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return false;
  const { [Symbol.iterator]: iterator, [Symbol.asyncIterator]: asyncIterator } = value as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  return typeof iterator === 'function' || typeof asyncIterator === 'function';
}

function wrongKind(value: unknown, where: string): IsometryError {
  const hint = isArrayOf('Uint16Array', value)
    ? BITS_HINT
    : 'return what the layer computes, before its activation function, from the forward pass';
  return expectedHint('INVALID_ARGUMENT', WHAT, where, value, hint);
}

/** Count, mean and sum of squared distances to the mean, of one batch after another (Chan, Golub, LeVeque 1979). */
class Sums {
  count = 0;
  mean = 0;
  squares = 0;
  private readonly where: string;

  constructor(where: string) {
    this.where = where;
  }

  add(values: ArrayLike<unknown>): void {
    const { length } = values;
    if (length === 0) return;
    const first = this.finite(values, 0);
    let sum = 0;
    for (let i = 1; i < length; i++) sum += this.finite(values, i) - first;
    const shift = sum / length;
    let squares = 0;
    let rest = 0; // of rounding in the mean: 0, were it exact
    for (let i = 0; i < length; i++) {
      const distance = (values[i] as number) - first - shift;
      squares += distance * distance;
      rest += distance;
    }
    this.merge(length, first + shift, squares - (rest * rest) / length);
  }

  private merge(count: number, mean: number, squares: number): void {
    const total = this.count + count;
    const share = count / total; // 1 in the first batch: equal values have variance 0, and exactly
    const distance = mean - this.mean;
    this.squares += squares + distance * distance * this.count * share;
    this.mean += distance * share;
    this.count = total;
  }

  private finite(values: ArrayLike<unknown>, index: number): number {
    const value = values[index];
    if (typeof value !== 'number') throw expected('INVALID_ARGUMENT', 'numbers', this.where, value);
    if (Number.isFinite(value)) return value;
    throw new IsometryError(
      'ACTIVATION_ERROR',
      `expected finite values for ${this.where} but received ${value} at ${this.count + index}; ` +
        'look for it in the data, and in the weights of this layer and the layers before it',
    );
  }
}
