import type { TensorArray } from './dtype.js';
import type { ElementLaw, OrthogonalLaw } from './law.js';

/**
 * How matrices that are not a primitive of the backends are made: in JavaScript, hence with the same bits on every
 * backend, out of random numbers that the backend draws. One unit is what has to be made at once: an orthogonal
 * convolution kernel, a pair of factors.
 */
export interface Recipe {
  /** For messages, as in "an orthogonal 3 × 3 kernel of 64 × 64 channels". */
  readonly what: string;
  /** Elements of one unit. */
  readonly size: number;
  /** Mean of all units' elements, before the gain; 0 if left out. */
  readonly mean?: number;
  /** Standard deviation of all units' elements, before the gain. */
  readonly std: number;
  /** No element is larger, before the gain. */
  readonly largest: number;
  /** Whether `make` takes as long as there are elements wanted, so that any window is as good as another. */
  readonly divisible?: boolean;
  /**
   * What unit number `unit` is made from. Where units that follow each other are given the same array, it is drawn once
   * for all of them, and `make` must leave the inputs as they are.
   */
  inputs(unit: number): readonly RecipeInput[];
  /**
   * Computes the elements of unit number `unit`: with `+ − × ÷ sqrt` alone, yielding between pieces of a few
   * milliseconds. `out` has `size` elements, all 0. The inputs' arrays are its own, too, unless other units are made
   * from them. Only elements [from, to) are wanted; the others may be left as they are.
   */
  make(
    inputs: readonly TensorArray[],
    out: Float64Array,
    unit: number,
    from: number,
    to: number,
  ): Generator<undefined, void>;
}

/** Elements [offset, offset + length) of a random stream. */
export interface RecipeInput {
  readonly law: ElementLaw | OrthogonalLaw;
  /** Instead of the tensor's name, where several tensors share their draws. */
  readonly name?: string;
  /** Names the stream, beside the tensor's name (see `streamId`): as many as there are independent draws. */
  readonly role: string;
  readonly dtype: 'float64' | 'float32';
  readonly offset: number;
  readonly length: number;
}
