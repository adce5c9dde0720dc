import { createHash } from 'node:crypto';

/** Bytes [begin, end) of a tensor. */
export interface Window {
  readonly begin: number;
  readonly end: number;
}

/** What a choice of windows needs to know of a tensor. */
export interface Sampled {
  readonly name: string;
  readonly bytes: number;
  /** A window begins and ends with whole elements of so many bytes. */
  readonly elementBytes: number;
}

/** Of one window; a multiple of every dtype's size. */
export const WINDOW_BYTES = 65_536;

/** Of one window where all is taken: fewer calls. */
const LARGE_WINDOW_BYTES = 4 * 2 ** 20;

/**
 * Chooses about `samples` windows of the tensors: of each as many as of the others, or of every k-th tensor one where
 * there are more tensors than samples. They look random, but depend on nothing but `key`, the names and the sizes:
 * who asks again gets the same answer. A tensor that so many windows would cover is taken whole.
 *
 * @param key - says which of all possible choices.
 * @param samples - `Infinity` for everything.
 */
export function* chooseWindows<T extends Sampled>(
  tensors: readonly T[],
  samples: number,
  key: string,
): Generator<{ readonly tensor: T; readonly windows: readonly Window[] }> {
  const filled = tensors.filter(({ bytes }) => bytes > 0);
  const step = Math.max(1, Math.ceil(filled.length / samples));
  const each = Math.max(1, Math.floor(samples / filled.length));
  const first = Math.floor(fraction(key, 'first') * step);
  for (let index = first; index < filled.length; index += step) {
    const tensor = filled[index]!;
    yield { tensor, windows: windowsOf(tensor, each, key) };
  }
}

/** `count` windows of a tensor, or all of it, in the order of their bytes. */
function windowsOf({ name, bytes, elementBytes }: Sampled, count: number, key: string): Window[] {
  if (count * WINDOW_BYTES >= bytes)
    return tile(bytes, count === Number.POSITIVE_INFINITY ? LARGE_WINDOW_BYTES : WINDOW_BYTES);
  const places = (bytes - WINDOW_BYTES) / elementBytes + 1;
  const begins = Array.from(
    { length: count },
    (_, index) => Math.floor(fraction(key, name, String(index)) * places) * elementBytes,
  );
  return begins.sort((a, b) => a - b).map((begin) => ({ begin, end: begin + WINDOW_BYTES }));
}

function tile(bytes: number, size: number): Window[] {
  return Array.from({ length: Math.ceil(bytes / size) }, (_, index) => ({
    begin: index * size,
    end: Math.min(bytes, (index + 1) * size),
  }));
}

/** From 0 on and below 1, the same for the same words. */
export function fraction(...words: readonly string[]): number {
  const hash = createHash('sha256');
  for (const word of words) hash.update(word).update('\0');
  // 53 bits: a float64 holds them all.
  return Number(hash.digest().readBigUInt64LE(0) >> 11n) / 2 ** 53;
}
