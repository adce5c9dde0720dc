/**
 * Uniform numbers in [0, 1) from random words, times a range, plus a low end. Twin of core/uniform.h.
 */
import { fma32, scale64 } from './fma.js';

/** Into [min, max], bounds that are not −0. So −0 counts as less than 0, as for Math.min and Math.max. */
export function clamp(x: number, min: number, max: number): number {
  // Not by Math.max and min, which are slower.
  // biome-ignore lint/complexity/useMathMinMax: see above
  const raised = x > min ? x : min;
  // biome-ignore lint/complexity/useMathMinMax: see above
  return max < raised ? max : raised;
}

/** `low + range·u`, u the top 24 bits of a word; step = range·2^-24, one rounding. All float32. */
export function uniform32(word: number, low: number, step: number): number {
  return fma32(word >>> 8, step, low);
}

/** The float32 step of a range. */
export function uniformStep32(range: number): number {
  return Math.fround(Math.fround(range) * 2 ** -24);
}

/** `low + range·u`, u the top 53 bits of the word pair; two roundings, float64. */
export function uniform64(word0: number, word1: number, low: number, range: number): number {
  const u = (word1 >>> 0) * 2 ** -32 + (word0 >>> 11) * 2 ** -53;
  return scale64(u, low, range);
}
