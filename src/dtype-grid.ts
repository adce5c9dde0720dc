import type { DType } from './dtype.js';
import { F32, F32_BITS, F64, F64_HIGH, F64_LOW, F64_WORDS } from './js/fma.js';
import { fromBFloat16, fromFloat16, toBFloat16, toFloat16 } from './js/round.js';

/** The value of the dtype nearest to `x`, ties to even; 16-bit dtypes round through float32, as their tensors do. */
export function roundTo(dtype: DType, x: number): number {
  if (dtype === 'float64') return x;
  const single = Math.fround(x);
  if (dtype === 'float32') return single;
  return dtype === 'bfloat16' ? fromBFloat16(toBFloat16(single)) : fromFloat16(toFloat16(single));
}

/** The smallest value of the dtype that is not below `x`; −Infinity and Infinity stay. */
export function ceilTo(dtype: DType, x: number): number {
  const nearest = roundTo(dtype, x);
  return (nearest < x ? nextUp(dtype, nearest) : nearest) + 0; // + 0: no negative zero
}

/** The largest value of the dtype that is not above `x`. */
export function floorTo(dtype: DType, x: number): number {
  return -ceilTo(dtype, -x) + 0;
}

/** The largest value of the dtype below `x`. */
export function belowTo(dtype: DType, x: number): number {
  const floor = floorTo(dtype, x);
  return floor < x ? floor : -nextUp(dtype, -floor) + 0;
}

/** The next value of the dtype above `x`, a value of the dtype. */
function nextUp(dtype: DType, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return x;
  if (dtype === 'float64') return nextUp64(x);
  if (dtype === 'float32') {
    F32[0] = x + 0;
    F32_BITS[0]! += x < 0 ? -1 : 1; // sign and magnitude
    return F32[0]!;
  }
  const [pattern, value] = dtype === 'bfloat16' ? [toBFloat16, fromBFloat16] : [toFloat16, fromFloat16];
  return value(pattern(x + 0) + (x < 0 ? -1 : 1));
}

function nextUp64(x: number): number {
  F64[0] = x + 0;
  const low = F64_WORDS[F64_LOW]!;
  if (x < 0) {
    F64_WORDS[F64_LOW] = low - 1; // 0 wraps to 2^32 - 1
    if (low === 0) F64_WORDS[F64_HIGH]! -= 1;
  } else {
    F64_WORDS[F64_LOW] = low + 1;
    if (low === 0xffffffff) F64_WORDS[F64_HIGH]! += 1;
  }
  return F64[0]!;
}
