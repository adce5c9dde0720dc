/**
 * The n-th root of `x` > 0, in + − × ÷ sqrt alone, so that every engine gets the same bits (`Math.pow` may differ in the
 * last place). Relative error below 1e-15 for n ≤ 64 and x up to 1e9.
 * @param n - a whole number ≥ 1.
 */
export function root(x: number, n: number): number {
  if (n === 1) return x;
  if (n % 2 === 0) return root(Math.sqrt(x), n / 2);
  // Newton's method for y^n = x. From above it decreases until rounding stops it; it converges from any start ≥ the root.
  let y = Math.max(x, 1);
  for (;;) {
    let power = 1;
    for (let factor = 1; factor < n; factor++) power *= y;
    const next = y - (y - x / power) / n;
    if (!(next < y)) return y;
    y = next;
  }
}
