import { dtypeInfo } from '../dtype.js';
import { IsometryError, showName } from '../errors.js';
import { toBFloat16, toFloat16 } from '../js/round.js';
import { checkAvailable } from '../memory.js';
import { checkTarget } from '../target.js';
import { toFloat32 } from '../tensor.js';
import type { CheckedLayer } from './layers.js';

/** Weights while they are rescaled: always the initial ones times one factor, rounded once. */
export class ScaledWeights {
  private readonly layer: CheckedLayer;
  /** Float32 for 16-bit dtypes. */
  private readonly initial: Float32Array | Float64Array;
  private readonly largest: number;

  /**
   * @param initial - the unrounded weights to start from; by default what the layer holds.
   * @throws IsometryError `ACTIVATION_ERROR` unless weights are finite and not all zero; `INVALID_TARGET` when their
   * buffer was detached.
   */
  constructor(layer: CheckedLayer, initial?: Float32Array | Float64Array) {
    const { length } = layer;
    this.layer = layer;
    this.initial = initial ?? copyOf(layer);
    let largest = 0;
    for (let index = 0; index < length; index++) {
      const value = this.initial[index]!;
      if (!Number.isFinite(value)) throw unusable(layer.name, `hold ${value} at ${index}`);
      largest = Math.max(largest, Math.abs(value));
    }
    if (largest === 0) throw unusable(layer.name, length === 0 ? 'are none' : 'are all zero');
    this.largest = largest;
  }

  /** Whether weights times `scale` would have an infinity among them. */
  overflows(scale: number): boolean {
    return !(this.largest * scale <= dtypeInfo(this.layer.dtype).max);
  }

  /**
   * Writes initial × `scale`.
   * @returns whether any weight is another than before: in 16 bits a factor near the last one may change none.
   * @throws IsometryError `INVALID_TARGET` when the buffer was detached.
   */
  write(scale: number): boolean {
    const { dtype, data, length } = this.layer;
    const target = checkTarget(data, dtype, length);
    const round = dtype === 'bfloat16' ? toBFloat16 : dtype === 'float16' ? toFloat16 : Number;
    let changed = false;
    for (let i = 0; i < length; i++) {
      const before = target[i];
      // Through float32, as every 16-bit weight: toBFloat16 and toFloat16 take a float32.
      target[i] = round(
        dtype === 'float64' ? this.initial[i]! * scale : Math.fround(this.initial[i]! * scale),
      );
      changed ||= target[i] !== before;
    }
    return changed;
  }
}

function copyOf({ name, dtype, data, length }: CheckedLayer): Float32Array | Float64Array {
  checkAvailable(length * (dtype === 'float64' ? 8 : 4), name);
  const current = checkTarget(data, dtype, length);
  if (dtypeInfo(dtype).bytes === 2) return toFloat32(current, dtype);
  return current.slice() as Float32Array | Float64Array;
}

function unusable(name: string, why: string): IsometryError {
  return new IsometryError(
    'ACTIVATION_ERROR',
    `the weights of layer ${showName(name)} ${why}, and no factor makes them useful; ` +
      'fill them before, best with orthogonal(), or let initialize do it',
  );
}
