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
 * `philox` has the same lines in place: calls in it would halve its speed.
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
  for (let block = 0; block < count; block++) {
    const counter = n + block;
    philox(keys, counter | 0, (counter / 4294967296) | 0, streamLow, streamHigh, out, 4 * block);
  }
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
    const [low0, high0] = [c0 & 0xffff, c0 >>> 16];
    const [low2, high2] = [c2 & 0xffff, c2 >>> 16];
    const middle0 = (Math.imul(high0, 0x1f53) + (Math.imul(low0, 0x1f53) >>> 16)) | 0;
    const cross0 = (Math.imul(low0, 0xd251) + (middle0 & 0xffff)) | 0;
    const middle2 = (Math.imul(high2, 0x8d57) + (Math.imul(low2, 0x8d57) >>> 16)) | 0;
    const cross2 = (Math.imul(low2, 0xcd9e) + (middle2 & 0xffff)) | 0;
    const product0 = Math.imul(c0, M0);
    c0 = (Math.imul(high2, 0xcd9e) + (middle2 >>> 16) + (cross2 >>> 16)) ^ c1 ^ keys[r]!;
    c1 = Math.imul(c2, M1);
    c2 = (Math.imul(high0, 0xd251) + (middle0 >>> 16) + (cross0 >>> 16)) ^ c3 ^ keys[r + 1]!;
    c3 = product0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}
