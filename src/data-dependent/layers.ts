import { type DType, dtypeInfo, type TensorArray } from '../dtype.js';
import { expected, showName } from '../errors.js';
import { fill, prepareFill } from '../fill.js';
import type { Initializer } from '../initializers/index.js';
import { checkKeys, expectedHint, withDefault } from '../options.js';
import { elementCount, parseShape } from '../shape.js';
import { parseName } from '../stream.js';
import { checkTarget } from '../target.js';
import { isArrayOf, Tensor } from '../tensor.js';

/** A layer whose weights are to be rescaled: a `Tensor`, or an array that is yours with its name. */
export type LsuvLayer =
  | Tensor
  | {
      /** Unique among the layers. Default: the tensor's. */
      readonly name?: string | undefined;
      /** Changed in place. A bias is left alone, so it is not named here. */
      readonly weight: Tensor | Float32Array | Float64Array | Uint16Array;
      /** `float16` or `bfloat16` for a `Uint16Array`; other arrays and tensors know their own. */
      readonly dtype?: DType | undefined;
      /** Of an array, with `initialize`. */
      readonly shape?: readonly number[] | undefined;
      /** With `initialize`: as for `fill`. */
      readonly layout?: string | undefined;
      /** With `initialize`: as for `fill`. */
      readonly groups?: number | undefined;
      /** Units of the layer: every forward pass must then return a multiple of so many values. */
      readonly outputs?: number | undefined;
    };

/** Weights to start from. */
export interface LsuvInitialize {
  /** As for `fill`. */
  readonly seed: number | bigint;
  /** Default `orthogonal()`, as in the paper. */
  readonly initializer?: Initializer | undefined;
}

/** {@link LsuvInitialize}, checked. */
export type Start = Required<{ [K in keyof LsuvInitialize]: NonNullable<LsuvInitialize[K]> }>;

/** A layer, checked. */
export interface CheckedLayer {
  readonly name: string;
  readonly dtype: DType;
  readonly data: TensorArray;
  readonly length: number;
  readonly outputs: number;
  /** Makes the weights to start from, in float32 or, for float64, in float64; writes nothing. */
  readonly make?: (signal: AbortSignal | undefined) => Promise<Float32Array | Float64Array>;
}

const KEYS = ['name', 'weight', 'dtype', 'shape', 'layout', 'groups', 'outputs'];

/**
 * Checks a layer; changes nothing.
 * @throws IsometryError `INVALID_*`, `UNKNOWN_OPTION`, as `lsuv` rejects.
 */
export function parseLayer(layer: unknown, index: number, start?: Start): CheckedLayer {
  const where = `layers[${index}]`;
  const given = checkKeys(layer instanceof Tensor ? { weight: layer } : layer, KEYS, where);
  const { weight } = given;
  const tensor = weight instanceof Tensor ? weight : undefined;
  const name = parseName(withDefault(given['name'], tensor?.name), `${where}.name`);
  const { data, dtype } = parseWeight(tensor ?? weight, given['dtype'], where);
  const shape = withDefault(given['shape'], tensor?.shape);
  const length = shape === undefined ? data.length : elementCount(parseShape(shape, `${where}.shape`));
  checkTarget(data, dtype, length);
  const checked = { name, dtype, data, length, outputs: parseOutputs(given['outputs'], `${where}.outputs`) };
  if (start === undefined) return checked;

  if (shape === undefined) {
    const hint = 'initialize needs the shape of an array of your own';
    throw expectedHint('INVALID_SHAPE', 'an array of dimensions', `${where}.shape`, shape, hint);
  }
  const { layout, groups } = given;
  const how = {
    seed: start.seed,
    ...(layout === undefined ? {} : { layout: layout as string }),
    ...(groups === undefined ? {} : { groups: groups as number }),
  };
  const dims = prepareFill(name, shape, start.initializer, { ...how, dtype }).shape;
  const wide = { ...how, dtype: dtype === 'float64' ? 'float64' : 'float32' } as const;
  const make = async (signal: AbortSignal | undefined): Promise<Float32Array | Float64Array> => {
    const options = { ...wide, keep: 'host' as const, ...(signal === undefined ? {} : { signal }) };
    return (await fill(name, dims, start.initializer, options)).data;
  };
  return { ...checked, make };
}

function parseWeight(
  weight: unknown,
  givenDType: unknown,
  where: string,
): { readonly data: TensorArray; readonly dtype: DType } {
  if (weight instanceof Tensor) {
    if (givenDType !== undefined && givenDType !== weight.dtype) {
      throw expected('INVALID_DTYPE', `${weight.dtype}, the tensor's own,`, `${where}.dtype`, givenDType);
    }
    return { data: weight.data, dtype: weight.dtype };
  }
  const inferred = isArrayOf('Float64Array', weight) ? 'float64' : 'float32';
  const { name: dtype, array } = dtypeInfo(withDefault(givenDType, inferred));
  if (isArrayOf(array.name, weight)) return { data: weight, dtype };
  const hint = isArrayOf('Uint16Array', weight)
    ? 'a Uint16Array needs dtype "float16" or "bfloat16" in its layer'
    : 'weights must be in memory of this process, as a tensor or a typed array';
  const what = `a Tensor or a ${array.name} (${dtype})`;
  throw expectedHint('INVALID_TARGET', what, `${where}.weight`, weight, hint);
}

function parseOutputs(outputs: unknown, where: string): number {
  if (outputs === undefined) return 1;
  if (typeof outputs === 'number' && Number.isSafeInteger(outputs) && outputs > 0) return outputs;
  throw expected('INVALID_OPTION', 'a whole number above 0', where, outputs);
}

/**
 * That no two layers have a name or memory in common: what one does to its weights would undo what the other did.
 * @throws IsometryError `INVALID_NAME`, `INVALID_TARGET`.
 */
export function checkDistinct(layers: readonly CheckedLayer[]): void {
  for (const [index, layer] of layers.entries()) {
    for (const other of layers.slice(0, index)) {
      if (layer.name === other.name) {
        throw expected('INVALID_NAME', 'a name that no other layer has', `layers[${index}].name`, layer.name);
      }
      if (overlap(layer.data, other.data)) {
        const hint = 'of layers that share their weights name one only';
        const what = `memory that layer ${showName(other.name)} does not use`;
        throw expectedHint('INVALID_TARGET', what, `layers[${index}].weight`, layer.data, hint);
      }
    }
  }
}

function overlap(a: TensorArray, b: TensorArray): boolean {
  const [endOfA, endOfB] = [a.byteOffset + a.byteLength, b.byteOffset + b.byteLength];
  return a.buffer === b.buffer && a.byteOffset < endOfB && b.byteOffset < endOfA;
}
