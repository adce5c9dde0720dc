// Where the statistical tests get their samples: the library, or the library with a planted defect.
import { selectBackend } from '../../src/backends/index.js';
import { type DType, dtypeInfo, type TensorArray } from '../../src/dtype.js';
import type { ElementPrimitive, FillRequest, Region } from '../../src/job.js';
import { philoxBlocks, philoxKeys } from '../../src/js/philox.js';
import type { ElementLaw } from '../../src/law.js';
import { lowerLaw } from '../../src/lower.js';
import { type Slice, sliceRegion, sliceShape } from '../../src/region.js';
import { elementCount } from '../../src/shape.js';
import { type HalfDType, nearestRank, truncatedRank } from './grid.js';

/** One fill. */
export interface Ask {
  readonly law: ElementLaw;
  readonly dtype: DType;
  readonly seed: bigint;
  readonly stream: bigint;
  readonly shape: readonly number[];
  readonly slice?: Slice;
  /** Element of the stream to begin with; 0 by default. */
  readonly offset?: number;
}

/** The places where a defect can be planted. */
export interface Hooks {
  readonly law?: (law: ElementLaw) => ElementLaw;
  readonly primitive?: (primitive: ElementPrimitive, law: ElementLaw) => ElementPrimitive;
  readonly slice?: (slice: Slice) => Slice;
  /** Seed and stream as they reach Philox, and a number of words to skip. */
  readonly key?: (seed: bigint, stream: bigint) => { seed: bigint; stream: bigint; skip?: number };
  /** Which word of the stream is taken for word i; at most i. */
  readonly word?: (i: number) => number;
  /** Instead of rounding to nearest even: the pattern of a float32 within the bounds. */
  readonly round?: (x: number, dtype: HalfDType) => number;
  /** Of an element; for 16-bit dtypes, of its pattern. */
  readonly value?: (x: number, dtype: DType) => number;
}

/** The library, but for what the hooks change. */
export class Generator {
  readonly #hooks: Hooks;

  constructor(hooks: Hooks = {}) {
    this.#hooks = hooks;
  }

  /** Elements of a fill, by the native backend where there is one: the bytes are the same. */
  fill(ask: Ask): TensorArray {
    const { law: changeLaw, round, value } = this.#hooks;
    const law = changeLaw === undefined ? ask.law : changeLaw(ask.law);
    if (round !== undefined && (ask.dtype === 'float16' || ask.dtype === 'bfloat16')) {
      return this.#roundedOtherwise({ ...ask, law }, ask.dtype, round);
    }
    const data = this.#permuted(this.#draw({ ...ask, law }));
    return value === undefined ? data : data.map((x) => value(x, ask.dtype));
  }

  /** Words 4n … 4n + 3 of a stream. */
  block(seed: bigint, stream: bigint, n: number): Int32Array {
    const { seed: s, stream: t, skip = 0 } = this.#hooks.key?.(seed, stream) ?? { seed, stream };
    const keys = philoxKeys(s);
    const out = new Int32Array(4);
    const word = this.#hooks.word;
    if (word === undefined) {
      philoxBlocks(keys, t, n + skip / 4, 1, out);
      return out;
    }
    const scratch = new Int32Array(4);
    for (let k = 0; k < 4; k++) {
      const index = word(4 * n + k) + skip;
      philoxBlocks(keys, t, Math.floor(index / 4), 1, scratch);
      out[k] = scratch[index % 4]!;
    }
    return out;
  }

  #draw({
    law,
    dtype,
    seed: askedSeed,
    stream: askedStream,
    shape,
    slice: askedSlice,
    offset = 0,
  }: Ask): TensorArray {
    const slice = askedSlice === undefined ? undefined : (this.#hooks.slice?.(askedSlice) ?? askedSlice);
    const {
      seed,
      stream,
      skip = 0,
    } = this.#hooks.key?.(askedSeed, askedStream) ?? {
      seed: askedSeed,
      stream: askedStream,
    };
    const length = elementCount(sliceShape(shape, slice));
    const lowered = lowerLaw(law, dtype, 'test');
    const primitive = this.#hooks.primitive?.(lowered, law) ?? lowered;
    const region = sliceRegion(shape, slice) as Region;
    const start = offset + skip / (dtype === 'float64' ? 2 : 1);
    const jobs = [{ primitive, stream, region: { ...region, sourceOffset: region.sourceOffset + start } }];
    return drawn({ seed, dtype, length, jobs }, law);
  }

  #permuted(data: TensorArray): TensorArray {
    const word = this.#hooks.word;
    return word === undefined ? data : data.map((_, i) => data[word(i)]!);
  }

  #roundedOtherwise(ask: Ask, dtype: HalfDType, round: (x: number, dtype: HalfDType) => number): Uint16Array {
    const primitive = lowerLaw(ask.law, dtype, 'test');
    const [min, max] =
      primitive.kind === 'constant' || primitive.kind === 'normal'
        ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
        : [primitive.min, primitive.max];
    const wide = this.#draw({ ...ask, dtype: 'float32' });
    return Uint16Array.from(wide, (x) => round(Math.min(max, Math.max(min, x)), dtype));
  }
}

/** Samples of at least this many elements are kept: most defects change few of a suite's fills. */
const KEPT_FROM = 2 ** 14;
const KEPT_MOST = 100; // the suite's own 88, at most 4 MiB each
const kept = new Map<string, TensorArray>();

/** What the library gives for a request of one job; not to be changed by the caller. */
function drawn(request: FillRequest, law: ElementLaw): TensorArray {
  const { primitive, stream, region } = request.jobs[0]!;
  // A table is known by its law.
  const parameters = Object.entries(primitive).filter(([name]) => name !== 'table');
  const { seed, dtype, length } = request;
  const key = JSON.stringify([law, parameters, `${seed} ${stream}`, region, dtype, length]);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const { array, bytes } = dtypeInfo(dtype);
  const target = new array(length);
  selectBackend('auto', length * bytes).backend.fillSync(request, target, 0);
  if (length >= KEPT_FROM) {
    if (kept.size >= KEPT_MOST) kept.delete(kept.keys().next().value!);
    kept.set(key, target);
  }
  return target;
}

/** Nearest even by search, as a defect's `round` that is none; shows that the hook itself changes nothing. */
export function roundNearest(x: number, dtype: HalfDType): number {
  const rank = nearestRank(dtype, x);
  return Object.is(x, -0) || rank < 0 || (rank === 0 && x < 0) ? 0x8000 | -rank : rank;
}

/** Towards zero: what `>>> 16`, or cutting off a fraction, does. */
export function roundToZero(x: number, dtype: HalfDType): number {
  const rank = truncatedRank(dtype, x);
  return x < 0 ? 0x8000 | -rank : rank;
}
