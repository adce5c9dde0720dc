/**
 * float32 to the 16-bit formats, to nearest even, and back. Twin of core/round.h.
 */
import { F32, F32_BITS } from './fma.js';

/** Bit pattern of the bfloat16 nearest to a float32. Overflow rounds to infinity. */
export function toBFloat16(x: number): number {
  F32[0] = x;
  const bits = F32_BITS[0]!;
  if (Number.isNaN(x)) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) / 65536) & 0xffff;
}

/** Bit pattern of the float16 nearest to a float32. Overflow rounds to infinity, small values to subnormals. */
export function toFloat16(x: number): number {
  F32[0] = x;
  const bits = F32_BITS[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >>> 13) & 0x3ff);
  if (magnitude >= 0x47800000) return sign | 0x7c00; // 2^16 and more
  if (magnitude >= 0x38800000) {
    // Normal: 2^-14 and more.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  // Subnormal: adding 1/2 puts the wanted last place, 2^-24, at float32's own last place, and the addition rounds.
  F32[0] = Math.abs(F32[0]!) + 0.5;
  return sign | (F32_BITS[0]! - 0x3f000000);
}

/** The float32 value of a bfloat16 bit pattern; exact. */
export function fromBFloat16(bits: number): number {
  F32_BITS[0] = bits << 16;
  return F32[0]!;
}

/** The float32 value of a float16 bit pattern; exact. */
export function fromFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * POWERS[exponent]!;
}

const POWERS: Float64Array = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 15));
