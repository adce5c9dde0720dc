import { type DType, dtypeInfo, type TensorArray } from '../../dtype.js';
import type { TensorEntry } from '../../safetensors/read.js';
import { toFloat32 } from '../../tensor.js';

/** What the elements of a tensor are like. Moments are of the finite elements, in float64. */
export interface Measurement {
  readonly count: number;
  /** NaNs and infinities. */
  readonly nonFinite: number;
  readonly mean: number;
  /** Population standard deviation. */
  readonly std: number;
  /** Fourth central moment over the squared variance: 3 for a normal; NaN when all elements are equal. */
  readonly kurtosis: number;
  readonly min: number;
  readonly max: number;
}

const BUFFER_BYTES = 4 * 2 ** 20;

/**
 * Reads a tensor once, in pieces.
 * @param near about where the mean is expected; keeps the rounding errors of the moments small.
 * @returns `undefined` for a dtype that is not one of the library's own.
 */
export async function measureTensor<T extends TensorEntry>(
  reader: { chunks(tensor: T, buffer: Uint8Array): AsyncGenerator<Uint8Array> },
  tensor: T,
  near?: number,
  signal?: AbortSignal,
): Promise<Measurement | undefined> {
  const { dtype } = tensor.dtype;
  if (dtype === undefined) return undefined;
  const { array, bytes } = dtypeInfo(dtype);
  const buffer = new Uint8Array(Math.min(BUFFER_BYTES, Math.ceil((tensor.end - tensor.begin) / 8) * 8));
  const sums = new Sums(dtype, near);
  for await (const piece of reader.chunks(tensor, buffer)) {
    signal?.throwIfAborted();
    sums.add(new array(buffer.buffer, 0, piece.length / bytes));
  }
  return sums.measurement();
}

/** Running sums of powers of the distance to a fixed value. */
class Sums {
  private readonly decode: Float32Array | undefined;
  private near: number | undefined;
  private count = 0;
  private nonFinite = 0;
  private min = Number.POSITIVE_INFINITY;
  private max = Number.NEGATIVE_INFINITY;
  private readonly totals: [number, number, number, number] = [0, 0, 0, 0];

  constructor(dtype: DType, near: number | undefined) {
    this.decode = dtypeInfo(dtype).bytes === 2 ? valuesOf16Bits(dtype) : undefined;
    this.near = near;
  }

  add(data: TensorArray): void {
    const values = this.decode === undefined ? data : lookUp(this.decode, data);
    this.near ??= Number.isFinite(values[0]) ? values[0]! : 0;
    const { near } = this;
    let { min, max, nonFinite } = this;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let s4 = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const distance = value - near;
      if (!Number.isFinite(value)) {
        nonFinite++;
        continue;
      }
      if (value < min) min = value;
      if (value > max) max = value;
      const square = distance * distance;
      s1 += distance;
      s2 += square;
      s3 += square * distance;
      s4 += square * square;
    }
    this.count += values.length;
    this.min = min;
    this.max = max;
    this.nonFinite = nonFinite;
    for (const [power, sum] of [s1, s2, s3, s4].entries()) this.totals[power]! += sum;
  }

  measurement(): Measurement {
    const { count, nonFinite, min, max } = this;
    const n = count - nonFinite;
    if (n === 0) {
      return { count, nonFinite, mean: NaN, std: NaN, kurtosis: NaN, min: NaN, max: NaN };
    }
    const [m1, m2, m3, m4] = this.totals.map((total) => total / n) as [number, number, number, number];
    const variance = min === max ? 0 : Math.max(0, m2 - m1 * m1);
    const fourth = m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4;
    return {
      count,
      nonFinite,
      mean: min === max ? min : (this.near ?? 0) + m1,
      std: Math.sqrt(variance),
      kurtosis: fourth / variance ** 2,
      min,
      max,
    };
  }
}

function lookUp(table: Float32Array, patterns: TensorArray): Float32Array {
  const values = new Float32Array(patterns.length);
  for (let i = 0; i < values.length; i++) values[i] = table[patterns[i]!]!;
  return values;
}

const tables = new Map<DType, Float32Array>();

/** The value of every 16-bit pattern. */
function valuesOf16Bits(dtype: DType): Float32Array {
  let table = tables.get(dtype);
  if (table === undefined) {
    table = toFloat32(
      Uint16Array.from({ length: 65_536 }, (_, bits) => bits),
      dtype,
    );
    tables.set(dtype, table);
  }
  return table;
}
