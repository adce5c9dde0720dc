import { type IntegerArray, integerArray } from '../../dtype.js';
import { expected, showName } from '../../errors.js';
import type { PlanTensor } from './plan.js';
import type { IntegerInfo } from './plan-dtype.js';
import type { TensorSource } from './tensor-source.js';

/** Whole numbers along the last axis, the same under every index of the others: start, start + step, … */
interface Series {
  /** At most 2^53 − 1 in size, as is each number of the series. */
  readonly start: number;
  /** 0 for a constant. */
  readonly step: number;
  /** How many until it begins anew, at least 1. */
  readonly count: number;
}

type Described = Pick<PlanTensor, 'name' | 'shape' | 'init'>;

/**
 * Whether a tensor can be of integers.
 * @throws IsometryError as `integerSource`.
 */
export function checkIntegers(tensor: Described, info: IntegerInfo): void {
  seriesOf(tensor, info);
}

/**
 * The bytes of a tensor of integers, little-endian: zeros, ones, a constant or a ramp.
 * @throws IsometryError `INVALID_DTYPE` for any other initializer; `INVALID_OPTION` for numbers that the dtype cannot hold, or
 * that are not whole.
 */
export function integerSource(tensor: Described, info: IntegerInfo): TensorSource {
  const series = seriesOf(tensor, info);
  const array = integerArray(info.name)!;
  return {
    kind: 'bytes',
    read(target, begin) {
      const first = Math.floor(begin / info.bytes);
      const skip = begin - first * info.bytes;
      if (skip === 0 && target.length % info.bytes === 0 && target.byteOffset % info.bytes === 0) {
        fill(
          new array(target.buffer as ArrayBuffer, target.byteOffset, target.length / info.bytes),
          first,
          series,
        );
        return;
      }
      // A piece that begins or ends within an element, or where a typed array cannot: never one of a file's writer.
      const whole = new array(Math.ceil((skip + target.length) / info.bytes));
      fill(whole, first, series);
      target.set(new Uint8Array(whole.buffer, skip, target.length));
    },
  };
}

function fill(target: IntegerArray, first: number, { start, step, count }: Series): void {
  const big = target instanceof BigInt64Array;
  if (step === 0) {
    if (big) target.fill(BigInt(start));
    else target.fill(start);
    return;
  }
  let index = first % count;
  for (let i = 0; i < target.length; i++) {
    const value = start + step * index;
    if (big) target[i] = BigInt(value);
    else target[i] = value;
    index = index + 1 === count ? 0 : index + 1;
  }
}

function seriesOf({ name, shape, init }: Described, info: IntegerInfo): Series {
  const where = `${info.name} tensor ${showName(name)}`;
  switch (init.kind) {
    case 'zeros':
      return constantSeries(0);
    case 'ones':
      return constantSeries(1);
    case 'constant':
      checkWhole(init.value, where, info);
      return constantSeries(init.value);
    case 'ramp': {
      const { start, step } = init;
      // An empty axis has no last number, and needs none.
      const count = Math.max(1, shape.at(-1) ?? 1);
      checkWhole(start, `the start of ${where}`, info);
      if (!Number.isSafeInteger(step))
        throw expected('INVALID_OPTION', 'a whole number', `the step of ${where}`, step);
      checkWhole(start + step * (count - 1), `the last number of ${where}`, info);
      return { start, step, count };
    }
    default:
      throw expected('INVALID_DTYPE', 'zeros, ones, constant or ramp as initializer', where, init);
  }
}

function constantSeries(start: number): Series {
  return { start, step: 0, count: 1 };
}

function checkWhole(value: number, where: string, { min, max }: IntegerInfo): void {
  if (Number.isSafeInteger(value) && BigInt(value) >= min && BigInt(value) <= max) return;
  // Numbers beyond are not exact in JavaScript, nor in JSON.
  const [low, high] = [min, max].map((bound) =>
    BigInt.asIntN(54, bound) === bound ? `${bound}` : undefined,
  );
  const range = low === undefined || high === undefined ? 'below 2^53 in size' : `from ${low} to ${high}`;
  throw expected('INVALID_OPTION', `a whole number ${range}`, where, value);
}
