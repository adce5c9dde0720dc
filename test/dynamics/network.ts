// Forward passes of small networks, in float64 whatever the weights' dtype: what is tested is the weights.
import { fillSync, normal, type Tensor } from '../../src/index.js';

/** Channels × positions; the positions of a dense layer are samples. */
export type Signal = Float64Array;

/**
 * One layer's linear map: y(o, p) = Σ W(o, i, t) · x(i, p + t − centre) + bias(o).
 *
 * @param weight - O × I × kernel, with odd kernel sizes; O × I for a dense layer.
 * @param space - sizes of the spatial axes. Padding is circular: positions are taken modulo them.
 */
export function layer(weight: Tensor, x: Signal, space: readonly number[], bias?: ArrayLike<number>): Signal {
  const [outputs, inputs, ...kernel] = weight.shape as [number, number, ...number[]];
  const positions = product(space);
  if (x.length !== inputs * positions)
    throw new RangeError(`${x.length} values for ${inputs} × ${positions}`);
  const values = weight.dtype === 'float64' ? weight.data : weight.toFloat32();
  const sources = tapSources(kernel, space);
  const y = new Float64Array(outputs * positions);
  if (bias !== undefined)
    for (let o = 0; o < outputs; o++) y.fill(bias[o]!, o * positions, (o + 1) * positions);
  for (const [t, source] of sources.entries()) {
    for (let pair = 0; pair < outputs * inputs; pair++) {
      const w = values[pair * sources.length + t]!;
      if (w === 0) continue; // nearly all weights of a delta-orthogonal kernel
      const to = Math.floor(pair / inputs) * positions;
      const from = (pair % inputs) * positions;
      for (let p = 0; p < positions; p++) y[to + p]! += w * x[from + source[p]!]!;
    }
  }
  return y;
}

/** For each tap of the kernel, where each position reads. */
function tapSources(kernel: readonly number[], space: readonly number[]): Int32Array[] {
  return Array.from({ length: product(kernel) }, (_, tap) =>
    Int32Array.from({ length: product(space) }, (_, position) => {
      let [source, stride, t, p] = [0, 1, tap, position];
      for (let axis = space.length - 1; axis >= 0; axis--) {
        const [extent, size] = [kernel[axis] ?? 1, space[axis]!];
        const shift = (t % extent) - (extent - 1) / 2;
        source += stride * ((((p % size) + shift) % size) + ((p % size) + shift < 0 ? size : 0));
        [t, p, stride] = [Math.floor(t / extent), Math.floor(p / size), stride * size];
      }
      return source;
    }),
  );
}

/** max(z, 0). */
export const relu = (z: Signal): Signal => z.map((value) => Math.max(value, 0));
export const tanh = (z: Signal): Signal => z.map(Math.tanh);
/** Concatenated ReLU: max(z, 0) of all channels, then max(−z, 0). */
export function crelu(z: Signal): Signal {
  const y = new Float64Array(2 * z.length);
  y.set(relu(z));
  y.set(relu(z.map((value) => -value)), z.length);
  return y;
}

export const norm = (x: ArrayLike<number>): number => Math.sqrt(dot(x, x));

export function dot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}

/** a·x + b·y. */
export const combine = (a: number, x: Signal, b: number, y: Signal): Signal =>
  x.map((value, i) => a * value + b * y[i]!);

/** Independent normals: an input, or biases. */
export const gaussian = (name: string, length: number, std = 1): Signal =>
  fillSync(name, [length], normal({ std }), { seed: 2, dtype: 'float64' }).data;

export const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
