// Tests of independence: between elements, between streams, between seeds, between bits. Samples are uniform on [0, 1).
import { chiSquare, chiSquareP, mergedChiSquareP, normalP } from './statistics.js';

/** Cells per axis of the two-dimensional chi-squares: with 2^20 pairs 256 are expected in each. */
const SIDE = 64;

type Samples = Float32Array | Float64Array;

/**
 * Chi-square of the pairs (a[i], b[i + lag]): uniform on the square when independent. Takes stretches of `length` i
 * from `start` on, one in `every`.
 */
function squareP(
  a: Samples,
  b: Samples,
  lag: number,
  start = Math.max(0, -lag),
  length = 1,
  every = 1,
): number {
  const counts = new Float64Array(SIDE * SIDE);
  const end = Math.min(a.length, b.length - lag);
  let pairs = 0;
  for (let from = start; from < end; from += length * every) {
    const to = Math.min(end, from + length);
    for (let i = from; i < to; i++) {
      counts[Math.floor(a[i]! * SIDE) * SIDE + Math.floor(b[i + lag]! * SIDE)]!++;
    }
    pairs += to - from;
  }
  return chiSquareP(
    chiSquare(counts, () => pairs / counts.length),
    counts.length - 1,
  );
}

/**
 * Serial pairs: elements i and i + lag of one sequence. The pairs of one chi-square share no element, so there are two
 * for a lag: those that begin in an even stretch of `lag` elements, and those in an odd one.
 */
export function serialPairs(samples: Samples, lags: readonly number[]): number[] {
  return lags.flatMap((lag) => [0, lag].map((start) => squareP(samples, samples, lag, start, lag, 2)));
}

/** Two sequences side by side and a little shifted: chi-squares of pairs, and their linear correlations. */
export function crossed(a: Samples, b: Samples, lags: readonly number[]): number[] {
  return lags.flatMap((lag) => [squareP(a, b, lag), correlationP(a, b, lag)]);
}

/** z = r·√n for uniforms, whose mean and variance are known: E = 1/4, var(ab) about the means 1/144. */
function correlationP(a: Samples, b: Samples, lag: number): number {
  let sum = 0;
  const [start, end] = [Math.max(0, -lag), Math.min(a.length, b.length - lag)];
  for (let i = start; i < end; i++) sum += (a[i]! - 0.5) * (b[i + lag]! - 0.5);
  return normalP((sum * 12) / Math.sqrt(end - start));
}

/** Linear correlation of every pair of sequences. */
export function pairwiseCorrelations(sequences: readonly Samples[]): number[] {
  const ps: number[] = [];
  for (let j = 0; j < sequences.length; j++) {
    for (let k = 0; k < j; k++) ps.push(correlationP(sequences[j]!, sequences[k]!, 0));
  }
  return ps;
}

/** `draws` elements of each stream in turn, over and over: as tensors that grow together would be filled. */
export function interleave(streams: readonly Samples[], draws: number): Float32Array {
  const rounds = Math.floor(streams[0]!.length / draws);
  const all = new Float32Array(rounds * streams.length * draws);
  let at = 0;
  for (let round = 0; round < rounds; round++) {
    for (const stream of streams) {
      for (let k = 0; k < draws; k++) all[at++] = stream[round * draws + k]!;
    }
  }
  return all;
}

/** Four words as a function of the 192 bits of (seed, stream, block number). */
export type BlockFunction = (seed: bigint, stream: bigint, n: number) => Int32Array;

const popCount = (x: number): number => {
  let bits = 0;
  for (let rest = x; rest !== 0; rest &= rest - 1) bits++;
  return bits;
};

/**
 * Avalanche: flips each bit of the input in turn; each of the 128 bits of the output should flip every other time.
 * Over all (input bit, output bit) a chi-square of how often, and over all (input bit, output word) the number of
 * flipped bits out of 32: its mean, its variance, its whole binomial law.
 */
export function avalanche(
  block: BlockFunction,
  inputs: readonly (readonly [bigint, bigint, number])[],
): number[] {
  const flips = Array.from({ length: 64 + 64 + BLOCK_BITS }, () => new Float64Array(128));
  const counts = new Float64Array(33);
  const count = (base: Int32Array, changed: Int32Array, cells: Float64Array): void => {
    for (let w = 0; w < 4; w++) {
      const difference = base[w]! ^ changed[w]!;
      counts[popCount(difference)]!++;
      for (let bit = 0; bit < 32; bit++) cells[32 * w + bit]! += (difference >>> bit) & 1;
    }
  };
  for (const [seed, stream, n] of inputs) {
    const base = block(seed, stream, n);
    for (let bit = 0; bit < 64; bit++) {
      const mask = 1n << BigInt(bit);
      count(base, block(seed ^ mask, stream, n), flips[bit]!);
      count(base, block(seed, stream ^ mask, n), flips[64 + bit]!);
    }
    for (let bit = 0; bit < BLOCK_BITS; bit++) {
      const set = Math.floor(n / 2 ** bit) % 2 === 1;
      count(base, block(seed, stream, set ? n - 2 ** bit : n + 2 ** bit), flips[128 + bit]!);
    }
  }
  const half = inputs.length / 2;
  let strict = 0; // each count is binomial with the variance half / 2
  for (const cells of flips) for (const cell of cells) strict += (cell - half) ** 2 / (half / 2);
  const words = inputs.length * flips.length * 4;
  let [mean, square] = [0, 0];
  counts.forEach((number, bits) => {
    mean += (number * (bits - 16)) / words;
    square += (number * (bits - 16) ** 2) / words;
  });
  return [
    chiSquareP(strict, flips.length * 128),
    normalP(mean / Math.sqrt(8 / words)),
    // Binomial(32, 1/2): variance 8, kurtosis 3 − 2/32.
    normalP((square - 8) / Math.sqrt((64 * (3 - 2 / 32) - 64) / words)),
    mergedChiSquareP(
      counts,
      binomial32.map((p) => p * words),
    ),
  ];
}

/** Block numbers have 51 bits: elements are counted below 2^53. */
const BLOCK_BITS = 51;

const binomial32: Float64Array = new Float64Array(33);
for (let k = 0, p = 2 ** -32; k <= 32; p = (p * (32 - k)) / (k + 1), k++) binomial32[k] = p;
