/**
 * The pure-JavaScript backend's fill: any window of an output. Twin of cpu/fill-inl.h.
 */
import type { DType, TensorArray } from '../dtype.js';
import { IsometryError } from '../errors.js';
import type { FillRequest, Job, Primitive } from '../job.js';
import { fma32, scale64 } from './fma.js';
import { Mask } from './mask.js';
import { standardNormals, truncateWord } from './normal.js';
import { philoxBlocks, philoxKeys } from './philox.js';
import { quantile32, quantile64 } from './quantile.js';
import { forEachRun } from './region.js';
import { toBFloat16, toFloat16 } from './round.js';
import { clamp, uniform32, uniform64, uniformStep32 } from './uniform.js';

/** Words per block of random bits: enough to forget the cost of a call, few enough to stay in the cache. */
const BLOCK_WORDS = 1024;

/**
 * Computes elements [start, end) of the output into `target`, whose first element is number `start`. Elements that
 * no job covers are left alone.
 */
export function fillRange(request: FillRequest, target: TensorArray, start: number, end: number): void {
  const keys = philoxKeys(request.seed);
  for (const job of request.jobs) {
    if (job.primitive.kind === 'constant')
      fillConstant(job, job.primitive.value, request.dtype, target, start, end);
    else if (job.primitive.kind === 'mask')
      fillMask(job, new Mask(job.primitive, keys, job.stream), target, start, end);
    else fillSampled(job, keys, request.dtype, target, start, end);
  }
}

function fillConstant(
  job: Job,
  value: number,
  dtype: DType,
  target: TensorArray,
  start: number,
  end: number,
): void {
  const pattern = toElement(dtype, value);
  forEachRun(job.region, start, end, (_source, first, count, _sourceStride, stride) => {
    if (stride === 1) target.fill(pattern, first - start, first - start + count);
    else for (let i = 0; i < count; i++) target[first - start + i * stride] = pattern;
  });
}

/** Zeros where the mask has them; the other elements stay as earlier jobs made them. */
function fillMask(job: Job, mask: Mask, target: TensorArray, start: number, end: number): void {
  forEachRun(job.region, start, end, (source, first, count, sourceStride, stride) => {
    for (let i = 0; i < count; i++) {
      if (mask.isZero(source + i * sourceStride)) target[first - start + i * stride] = 0;
    }
  });
}

/** What a typed array of that dtype stores for a float64 value; 16-bit dtypes go through float32. */
function toElement(dtype: DType, value: number): number {
  if (dtype === 'bfloat16') return toBFloat16(Math.fround(value));
  if (dtype === 'float16') return toFloat16(Math.fround(value));
  return value; // Float32Array and Float64Array round by themselves
}

function fillSampled(
  job: Job,
  keys: Int32Array,
  dtype: DType,
  target: TensorArray,
  start: number,
  end: number,
): void {
  const sample = sampler(job.primitive, dtype);
  const wordsPerElement = dtype === 'float64' ? 2 : 1;
  const perPhiloxBlock = 4 / wordsPerElement;
  const blockElements = BLOCK_WORDS / wordsPerElement;
  const words = new Int32Array(BLOCK_WORDS);
  forEachRun(job.region, start, end, (source, first, count, sourceStride, targetStride) => {
    let at = first - start;
    if (sourceStride !== 1) {
      for (let i = 0; i < count; i++, at += targetStride) {
        const index = source + i * sourceStride;
        philoxBlocks(keys, job.stream, Math.floor(index / perPhiloxBlock), 1, words);
        sample(words, (index % perPhiloxBlock) * wordsPerElement, target, at, 1, 1);
      }
      return;
    }
    for (let done = 0; done < count; ) {
      const index = source + done;
      const skip = index % perPhiloxBlock;
      const taken = Math.min(count - done, blockElements - skip);
      const blocks = Math.ceil((skip + taken) / perPhiloxBlock);
      philoxBlocks(keys, job.stream, Math.floor(index / perPhiloxBlock), blocks, words);
      sample(words, skip * wordsPerElement, target, at, taken, targetStride);
      done += taken;
      at += taken * targetStride;
    }
  });
}

/** Turns words from `word` on into `count` elements of `target` from `at` on. */
type Sampler = (
  words: Int32Array,
  word: number,
  target: TensorArray,
  at: number,
  count: number,
  stride: number,
) => void;

function sampler(primitive: Primitive, dtype: DType): Sampler {
  if (dtype === 'float64') {
    const draw = draw64(primitive);
    return (words, word, target, at, count, stride) => {
      for (let i = 0; i < count; i++)
        target[at + i * stride] = draw(words[word + 2 * i]!, words[word + 2 * i + 1]!);
    };
  }
  const values = new Float32Array(BLOCK_WORDS);
  const draw = draw32(primitive);
  if (dtype === 'float32') {
    return (words, word, target, at, count, stride) => {
      draw(words, word, count, values);
      if (stride === 1) (target as Float32Array).set(values.subarray(0, count), at);
      else for (let i = 0; i < count; i++) target[at + i * stride] = values[i]!;
    };
  }
  const round = dtype === 'bfloat16' ? toBFloat16 : toFloat16;
  return (words, word, target, at, count, stride) => {
    draw(words, word, count, values);
    for (let i = 0; i < count; i++) target[at + i * stride] = round(values[i]!);
  };
}

/** float32 values of `count` words from `words[word]` on, to `values[0 … count - 1]`. May overwrite the words. */
type Draw32 = (words: Int32Array, word: number, count: number, values: Float32Array) => void;

function draw32(primitive: Primitive): Draw32 {
  switch (primitive.kind) {
    case 'uniform': {
      const { low, min, max } = primitive;
      const step = uniformStep32(primitive.range);
      return (words, word, count, values) => {
        for (let i = 0; i < count; i++) values[i] = clamp(uniform32(words[word + i]!, low, step), min, max);
      };
    }
    case 'normal': {
      const { mean, std } = primitive;
      return (words, word, count, values) => {
        standardNormals(words, word, count, values);
        scale32(values, count, mean, std);
      };
    }
    case 'truncatedNormal': {
      const { mean, std, base, count: window, min, max } = primitive;
      return (words, word, count, values) => {
        for (let i = word; i < word + count; i++) words[i] = truncateWord(words[i]!, base, window);
        standardNormals(words, word, count, values);
        scale32(values, count, mean, std);
        for (let i = 0; i < count; i++) values[i] = clamp(values[i]!, min, max);
      };
    }
    case 'quantile': {
      const { mean, std, table, min, max } = primitive;
      return (words, word, count, values) => {
        for (let i = 0; i < count; i++) {
          values[i] = clamp(scale64(quantile32(words[word + i]!, table), mean, std), min, max);
        }
      };
    }
    default:
      throw unsupported(primitive, 'float32');
  }
}

/** `mean + std·z` in place, one rounding. */
function scale32(values: Float32Array, count: number, mean: number, std: number): void {
  if (mean === 0) {
    // The product is exact in float64, so storing it is the only rounding. Adding 0 makes a 0 of −0, as an FMA does.
    for (let i = 0; i < count; i++) values[i] = values[i]! * std + 0;
  } else {
    for (let i = 0; i < count; i++) values[i] = fma32(values[i]!, std, mean);
  }
}

/** A float64 value from its two words. */
type Draw64 = (word0: number, word1: number) => number;

function draw64(primitive: Primitive): Draw64 {
  switch (primitive.kind) {
    case 'uniform': {
      const { low, range, min, max } = primitive;
      return (word0, word1) => clamp(uniform64(word0, word1, low, range), min, max);
    }
    case 'quantile': {
      const { mean, std, table, min, max } = primitive;
      return (word0, word1) => clamp(scale64(quantile64(word1, word0, table), mean, std), min, max);
    }
    default:
      throw unsupported(primitive, 'float64');
  }
}

function unsupported(primitive: Primitive, dtype: DType): IsometryError {
  return new IsometryError('INTERNAL', `no ${dtype} sampler for the primitive "${primitive.kind}"`);
}
