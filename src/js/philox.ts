/**
 * Philox4x32-10 (Salmon et al., SC'11). Twin of core/philox.h.
 */

const ROUNDS = 10;
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** The keys of all rounds, `k0` and `k1` in turn; they depend on the seed alone. */
export function philoxKeys(seed: bigint): Int32Array {
  const keys = new Int32Array(2 * ROUNDS);
  const low = Number(seed & 0xffffffffn);
  const high = Number((seed >> 32n) & 0xffffffffn);
  for (let r = 0; r < ROUNDS; r++) {
    keys[2 * r] = (low + r * W0) | 0;
    keys[2 * r + 1] = (high + r * W1) | 0;
  }
  return keys;
}

/**
 * Upper half of a·m, both unsigned, m given as its lower and upper 16 bits. No intermediate exceeds 32 bits.
 */
export function multiplyHigh(a: number, mLow: number, mHigh: number): number {
  const middle = Math.imul(a >>> 16, mLow) + (Math.imul(a & 0xffff, mLow) >>> 16);
  const cross = Math.imul(a & 0xffff, mHigh) + (middle & 0xffff);
  return (Math.imul(a >>> 16, mHigh) + (middle >>> 16) + (cross >>> 16)) | 0;
}

/**
 * Writes the words of blocks `n … n + count - 1` of a stream to `out[0 … 4·count - 1]`.
 *
 * @param n first block, a whole number below 2^53
 */
export function philoxBlocks(
  keys: Int32Array,
  stream: bigint,
  n: number,
  count: number,
  out: Int32Array,
): void {
  const streamLow = Number(stream & 0xffffffffn) | 0;
  const streamHigh = Number((stream >> 32n) & 0xffffffffn) | 0;
  let block = 0;
  for (; block + 2 <= count; block += 2) philoxPair(keys, n + block, streamLow, streamHigh, out, 4 * block);
  if (block < count) {
    const counter = n + block;
    philox(keys, counter | 0, (counter / 4294967296) | 0, streamLow, streamHigh, out, 4 * block);
  }
}

/**
 * Blocks n and n + 1 in lockstep: the lines of `philox` twice, because one block's rounds each wait for the round
 * before. Three quarters of the time.
 */
function philoxPair(
  keys: Int32Array,
  n: number,
  streamLow: number,
  streamHigh: number,
  out: Int32Array,
  at: number,
): void {
  let [a0, a1, a2, a3] = [n | 0, (n / 4294967296) | 0, streamLow, streamHigh];
  let [b0, b1, b2, b3] = [(n + 1) | 0, ((n + 1) / 4294967296) | 0, streamLow, streamHigh];
  for (let r = 0; r < 2 * ROUNDS; r += 2) {
    const k0 = keys[r]!;
    const k1 = keys[r + 1]!;
    const a0Product = Math.imul(a0, M0);
    const a2Product = Math.imul(a2, M1);
    const b0Product = Math.imul(b0, M0);
    const b2Product = Math.imul(b2, M1);
    const a0High = multiplyHigh(a0, 0x1f53, 0xd251);
    const a2High = multiplyHigh(a2, 0x8d57, 0xcd9e);
    const b0High = multiplyHigh(b0, 0x1f53, 0xd251);
    const b2High = multiplyHigh(b2, 0x8d57, 0xcd9e);
    a0 = a2High ^ a1 ^ k0;
    a1 = a2Product;
    a2 = a0High ^ a3 ^ k1;
    a3 = a0Product;
    b0 = b2High ^ b1 ^ k0;
    b1 = b2Product;
    b2 = b0High ^ b3 ^ k1;
    b3 = b0Product;
  }
  out[at] = a0;
  out[at + 1] = a1;
  out[at + 2] = a2;
  out[at + 3] = a3;
  out[at + 4] = b0;
  out[at + 5] = b1;
  out[at + 6] = b2;
  out[at + 7] = b3;
}

/** One block: writes the four words of the counter (c0, c1, c2, c3) to `out[at … at + 3]`. */
export function philox(
  keys: Int32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  out: Int32Array,
  at: number,
): void {
  for (let r = 0; r < 2 * ROUNDS; r += 2) {
    const product0 = Math.imul(c0, M0);
    const product2 = Math.imul(c2, M1);
    const high0 = multiplyHigh(c0, 0x1f53, 0xd251);
    const high2 = multiplyHigh(c2, 0x8d57, 0xcd9e);
    c0 = high2 ^ c1 ^ keys[r]!;
    c1 = product2;
    c2 = high0 ^ c3 ^ keys[r + 1]!;
    c3 = product0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}
