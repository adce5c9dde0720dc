import { type DType, dtypeInfo } from './dtype.js';
import { belowTo, ceilTo, floorTo, roundTo } from './dtype-grid.js';
import { IsometryError, showName } from './errors.js';
import type {
  ComputedInput,
  ComputedPrimitive,
  ElementPrimitive,
  OrthogonalPrimitive,
  Primitive,
  QrPrimitive,
} from './job.js';
import type { ComputedLaw, ElementLaw, LawPart, OrthogonalLaw, QrLaw } from './law.js';
import { cdf, NormalWindow } from './quantile/normal-law.js';
import { quantileTable } from './quantile/table.js';
import type { RecipeInput } from './recipe.js';
import { streamId } from './stream.js';

/** Largest |z| that the normal of a dtype can give, rounded up: one word reaches 6.34 σ, two reach 9.16 σ. */
const REACH = { float64: 9.2, float32: 6.4, float16: 6.4, bfloat16: 6.4 } as const;

/** A window with fewer words than this, a quarter of all, is drawn from a table in float64 instead. */
const FEWEST_WORDS = 2 ** 30;

type TruncatedLaw = Extract<ElementLaw, { kind: 'truncatedNormal' }>;

/**
 * The numbers of a law for a dtype: parameters rounded, bounds moved onto the dtype's grid from inside, and for a
 * truncated normal the way to draw it.
 *
 * @param name - of the tensor, for messages.
 * @throws IsometryError `INVALID_OPTION` when values would overflow the dtype, no value of the dtype lies within the
 * bounds, or the window is too narrow or too far out to be rescaled.
 */
export function lowerLaw(law: ElementLaw, dtype: DType, name: string): ElementPrimitive;
export function lowerLaw(law: QrLaw, dtype: DType, name: string): QrPrimitive;
export function lowerLaw(law: LawPart['law'] | QrLaw, dtype: DType, name: string): Primitive;
export function lowerLaw(law: LawPart['law'] | QrLaw, dtype: DType, name: string): Primitive {
  switch (law.kind) {
    case 'constant':
      return lowerConstant(law.value, dtype, name);
    case 'uniform':
      return lowerUniform(law.min, law.max, dtype, name);
    case 'normal':
      return lowerNormal(law.mean, law.std, dtype, name);
    case 'truncatedNormal':
      return lowerTruncatedNormal(law, dtype, name);
    case 'mask':
      return law;
    case 'orthogonal':
      return lowerOrthogonal(law, dtype, name);
    case 'qr':
      return lowerQr(law, dtype, name);
    case 'computed':
      return lowerComputed(law, dtype, name);
  }
}

/**
 * Standard deviation of the standard normal truncated to [lower, upper], in sigmas; 0.87962566103423978 for ±2.
 * Either bound may be infinite; lower < upper.
 */
export function truncatedStd(lower: number, upper: number): number {
  // Nearly every truncated law has the same bounds, and the quadrature takes as long as drawing 10^5 numbers.
  if (lastStd === undefined || lastStd.lower !== lower || lastStd.upper !== upper) {
    lastStd = { lower, upper, std: new NormalWindow(lower, upper).moments().std };
  }
  return lastStd.std;
}

let lastStd: { readonly lower: number; readonly upper: number; readonly std: number } | undefined;

function lowerOrthogonal(
  { rows, cols, gain }: OrthogonalLaw,
  dtype: DType,
  name: string,
): OrthogonalPrimitive | ElementPrimitive {
  // Some matrices have elements of ±gain.
  checkRange('an orthogonal matrix', 1, gain, dtype, name);
  const precision = dtype === 'float64' ? 'float64' : 'float32';
  const factor = roundTo(precision, gain);
  if (factor === 0) return lowerConstant(0, dtype, name);
  const normal = lowerNormal(0, 1, precision, name);
  return { kind: 'orthogonal', rows, cols, gain: factor, precision, normal };
}

function lowerQr({ gain, matrices }: QrLaw, dtype: DType, name: string): QrPrimitive {
  checkRange('an orthogonal matrix', 1, gain, dtype, name);
  const precision = dtype === 'float64' ? 'float64' : 'float32';
  return { kind: 'qr', gain, matrices, precision, normal: lowerNormal(0, 1, precision, name) };
}

function lowerComputed({ recipe, gain }: ComputedLaw, dtype: DType, name: string): ComputedPrimitive {
  const { what, size, largest } = recipe;
  checkRange(what, largest, gain, dtype, name);
  const lowerInput = (input: RecipeInput): ComputedInput => {
    const { law, name: shared = name, role, dtype: precision, offset, length } = input;
    const primitive = lowerLaw(law, precision, name) as ElementPrimitive | OrthogonalPrimitive;
    return { primitive, stream: streamId(shared, role), dtype: precision, offset, length };
  };
  let last: { readonly inputs: unknown; readonly lowered: readonly ComputedInput[] } | undefined;
  return {
    kind: 'computed',
    what: `${what} of tensor ${showName(name)}`,
    size,
    gain,
    inputs: (unit) => {
      const inputs = recipe.inputs(unit);
      if (inputs !== last?.inputs) last = { inputs, lowered: inputs.map(lowerInput) };
      return last.lowered;
    },
    make: (inputs, out, unit, from, to) => recipe.make(inputs, out, unit, from, to),
  };
}

function checkRange(what: string, largest: number, gain: number, dtype: DType, name: string): void {
  if (largest * Math.abs(gain) > dtypeInfo(dtype).max) throw overflow(`${what} times ${gain}`, dtype, name);
}

function lowerConstant(value: number, dtype: DType, name: string): ElementPrimitive {
  const rounded = roundTo(dtype, value);
  if (Number.isFinite(value) && !Number.isFinite(rounded)) throw overflow(`the value ${value}`, dtype, name);
  return { kind: 'constant', value: rounded };
}

function lowerUniform(min: number, max: number, dtype: DType, name: string): ElementPrimitive {
  const { max: largest } = dtypeInfo(dtype);
  // 16-bit values are computed in float32, where the range must be finite too.
  const widest = dtype === 'float64' ? Number.MAX_VALUE : dtypeInfo('float32').max;
  if (Math.max(Math.abs(min), Math.abs(max)) > largest || max - min > widest) {
    throw overflow(`uniform on [${min}, ${max})`, dtype, name);
  }
  const bounds = { min: ceilTo(dtype, min), max: belowTo(dtype, max) };
  if (bounds.min > bounds.max) throw empty(`[${min}, ${max})`, dtype, name);
  if (dtype === 'float64') return { kind: 'uniform', low: min + 0, range: max - min, ...bounds };
  // Not below min: then float32 needs no clamp from below.
  return { kind: 'uniform', low: ceilTo('float32', min), range: Math.fround(max - min), ...bounds };
}

function lowerNormal(mean: number, std: number, dtype: DType, name: string): ElementPrimitive {
  if (Math.abs(mean) + REACH[dtype] * std > dtypeInfo(dtype).max) {
    throw overflow(`a normal of mean ${mean} and std ${std}`, dtype, name);
  }
  if (std === 0) return lowerConstant(mean, dtype, name);
  if (dtype === 'float64') return tabulated(mean, std, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  return { kind: 'normal', mean: Math.fround(mean) + 0, std: Math.fround(std) };
}

function lowerTruncatedNormal(law: TruncatedLaw, dtype: DType, name: string): ElementPrimitive {
  const { mean } = law;
  const { scale, lower, upper, absolute } = standardize(law);
  const [a, b] = absolute;
  if (!(scale > 0 && scale < Number.POSITIVE_INFINITY)) throw degenerate(law.std, lower, upper, name);
  // Not beyond the other bound either: with a mean far outside, lower·scale and mean cancel to noise.
  const highest = Math.max(a, Math.min(b, mean + (REACH[dtype] + Math.max(0, lower)) * scale));
  const lowest = Math.min(b, Math.max(a, mean - (REACH[dtype] + Math.max(0, -upper)) * scale));
  if (Math.max(highest, -lowest) > dtypeInfo(dtype).max) {
    throw overflow(`a normal of mean ${mean} and std ${scale} within [${a}, ${b}]`, dtype, name);
  }
  const bounds = { min: ceilTo(dtype, a), max: floorTo(dtype, b) };
  if (bounds.min > bounds.max) throw empty(`[${a}, ${b}]`, dtype, name);
  // So small a std that in sigmas the bounds coincide: all mass is at the point nearest to the mean.
  if (!(lower < upper) || lower === Number.POSITIVE_INFINITY || upper === Number.NEGATIVE_INFINITY) {
    return lowerConstant(Math.min(Math.max(mean, bounds.min), bounds.max), dtype, name);
  }
  if (dtype !== 'float64') {
    const parameters = { mean: Math.fround(mean) + 0, std: Math.fround(scale) };
    if (outOfReach(mean, scale, a, b)) return { kind: 'normal', ...parameters };
    // Word w stands for the probabilities from w to w + 1, in 2^-32, and gives the z of their middle.
    const base = Math.max(0, Math.ceil(cdf(lower) * 4294967296 - 0.5));
    const end = Math.min(4294967295, Math.floor(cdf(upper) * 4294967296 - 0.5)) + 1;
    const count = Math.min(4294967295, end - base);
    if (count >= FEWEST_WORDS) return { kind: 'truncatedNormal', ...parameters, base, count, ...bounds };
  }
  return { ...tabulated(mean, scale, lower, upper), ...bounds };
}

/**
 * Whether no sample can leave [a, b] even after rounding to the coarser of the dtypes. The same for 16 as for 32 bits:
 * a 16-bit weight must come from the same z as the 32-bit one.
 */
function outOfReach(mean: number, scale: number, a: number, b: number): boolean {
  const reach = REACH.float32 * scale;
  // Twice the worst rounding: half a step is at most 2^-8 of a bfloat16, or 2^-25 among float16's subnormals.
  const margin = (Math.abs(mean) + reach) * 2 ** -7 + 2 ** -24;
  return a <= mean - reach - margin && b >= mean + reach + margin;
}

function tabulated(
  mean: number,
  std: number,
  lower: number,
  upper: number,
): Extract<ElementPrimitive, { kind: 'quantile' }> {
  const [min, max] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return { kind: 'quantile', mean: mean + 0, std, table: quantileTable(lower, upper), min, max };
}

/**
 * `mean + scale·z`, lower ≤ z ≤ upper, and where the values then lie.
 * @internal
 */
export function standardize(law: TruncatedLaw): {
  scale: number;
  lower: number;
  upper: number;
  absolute: readonly [number, number];
} {
  const { mean, std } = law;
  if ('absolute' in law.bounds) {
    const [a, b] = law.bounds.absolute;
    return { scale: std, lower: (a - mean) / std, upper: (b - mean) / std, absolute: law.bounds.absolute };
  }
  const [lower, upper] = law.bounds.sigmas;
  const scale = law.rescale ? std / truncatedStd(lower, upper) : std;
  return { scale, lower, upper, absolute: [mean + scale * lower, mean + scale * upper] };
}

function overflow(what: string, dtype: DType, name: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `${what} overflows ${dtype}, whose largest value is ${dtypeInfo(dtype).max}, in tensor ${showName(name)}; ` +
      'use a smaller scale or a wider dtype',
  );
}

function degenerate(std: number, lower: number, upper: number, name: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `a normal within [${lower}, ${upper}] sigmas has too small a standard deviation to be rescaled to ${std}, ` +
      `in tensor ${showName(name)}; use wider bounds or rescale: false`,
  );
}

function empty(bounds: string, dtype: DType, name: string): IsometryError {
  return new IsometryError(
    'INVALID_OPTION',
    `no ${dtype} value lies in ${bounds}, in tensor ${showName(name)}; use wider bounds or a wider dtype`,
  );
}
