import { describe, expect, it } from 'vitest';
import { fromBFloat16, fromFloat16, toBFloat16, toFloat16 } from '../../../src/js/round.js';

describe.each([
  ['bfloat16', toBFloat16, fromBFloat16, 0x7f80],
  ['float16', toFloat16, fromFloat16, 0x7c00],
] as const)('%s', (_name, to, from, infinity) => {
  it('round-trips every finite pattern of both signs', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits <= infinity; bits++) {
      if (to(from(bits)) !== bits || to(from(bits | 0x8000)) !== (bits | 0x8000)) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('takes the nearer neighbour, and between two equally near ones the even one', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [from(bits), from(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits & 1 ? bits + 1 : bits;
      const [above, below] = [1, -1].map((side) => Math.fround(middle + side * (high - low) * 2 ** -7));
      const right =
        to(Math.fround(middle)) === even &&
        to(-Math.fround(middle)) === (even | 0x8000) &&
        (above === middle || to(above!) === bits + 1) &&
        (below === middle || to(below!) === bits);
      if (!right) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  it('overflows to infinity at half a unit beyond the largest value', () => {
    const largest = from(infinity - 1);
    const unit = largest - from(infinity - 2);
    expect(to(Math.fround(largest + unit * 0.49))).toBe(infinity - 1);
    expect(to(Math.fround(largest + unit / 2))).toBe(infinity);
    expect(to(Number.POSITIVE_INFINITY)).toBe(infinity);
    expect(Number.isNaN(from(to(Number.NaN)))).toBe(true);
  });
});
