import { describe, expect, it } from 'vitest';
import { fromBFloat16, fromFloat16, toBFloat16, toFloat16 } from '../../../src/js/round.js';

describe.each([
  ['bfloat16', toBFloat16, fromBFloat16, 0x7f80],
  ['float16', toFloat16, fromFloat16, 0x7c00],
] as const)('%s', (_name, to, from, infinity) => {
  it('round-trips every finite pattern of both signs', () => {
    for (let bits = 0; bits <= infinity; bits++) {
      expect(to(from(bits))).toBe(bits);
      expect(to(from(bits | 0x8000))).toBe(bits | 0x8000);
    }
  });

  it('takes the nearer neighbour, and between two equally near ones the even one', () => {
    for (let bits = 0; bits < infinity - 1; bits++) {
      const [low, high] = [from(bits), from(bits + 1)];
      const middle = (low + high) / 2;
      expect(to(Math.fround(middle))).toBe(bits & 1 ? bits + 1 : bits);
      const hair = (high - low) * 2 ** -7;
      if (Math.fround(middle + hair) > middle) expect(to(Math.fround(middle + hair))).toBe(bits + 1);
      if (Math.fround(middle - hair) < middle) expect(to(Math.fround(middle - hair))).toBe(bits);
      expect(to(-Math.fround(middle))).toBe((bits & 1 ? bits + 1 : bits) | 0x8000);
    }
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
