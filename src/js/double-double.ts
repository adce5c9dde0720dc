/*
 * Numbers as unevaluated sums of two float64, some 104 bits: for the few constants whose rounding a later step would
 * multiply. Everything here is + − × ÷ on float64, hence the same on every engine. Numbers must be far from both ends of
 * float64's range: products and their errors are between 1e-280 and 1e280, or 0.
 */

/** `high + low`, |low| ≤ half a unit in the last place of `high`. */
export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

const SPLITTER = 2 ** 27 + 1;
// biome-ignore lint/suspicious/noApproximativeNumericConstant: Math.LN2 need not have these bits everywhere
const LN2: DoubleDouble = { high: 0.6931471805599453, low: 2.3190468138462996e-17 };

/**
 * a·b − product, exactly, where `product` is a·b as float64 rounds it: Dekker 1971, "A floating-point technique for
 * extending the available precision", §5.
 */
export function productError(a: number, b: number, product: number): number {
  const aSplit = SPLITTER * a;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = SPLITTER * b;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** a + b − sum, exactly, where `sum` is a + b as float64 rounds it: Knuth, TAOCP 2, 4.2.2, theorem B. */
export function sumError(a: number, b: number, sum: number): number {
  const other = sum - a;
  return a - (sum - other) + (b - other);
}

/** a + b of float64. */
function sumOf(a: number, b: number): DoubleDouble {
  const high = a + b;
  return { high, low: sumError(a, b, high) };
}

/** x + y; error below 2^-103·(|x| + |y|). */
export function add(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
  const high = sumOf(x.high, y.high);
  return sumOf(high.high, high.low + x.low + y.low);
}

/** x·y; relative error below 2^-101. */
export function multiply(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
  const product = x.high * y.high;
  return sumOf(product, productError(x.high, y.high, product) + (x.high * y.low + x.low * y.high));
}

/** x/n; relative error below 2^-101. */
export function divide(x: DoubleDouble, n: number): DoubleDouble {
  const quotient = x.high / n;
  const product = quotient * n;
  const rest = x.high - product - productError(quotient, n, product) + x.low;
  return sumOf(quotient, rest / n);
}

/** e^x; relative error below 2^-92 for |x| ≤ 100. */
export function exp({ high, low }: DoubleDouble): DoubleDouble {
  const k = Math.floor(high / LN2.high + 0.5);
  const whole = multiply({ high: -k, low: 0 }, LN2);
  const reduced = add({ high, low }, whole);
  // e^r − 1 = 2m + m² of m = e^(r/2) − 1, eight times; |r|/256 < 0.0014, and its 11th power over 11! is below 2^-129.
  const r = { high: reduced.high / 256, low: reduced.low / 256 };
  const one = { high: 1, low: 0 };
  let sum = one;
  for (let n = 11; n >= 2; n--) sum = add(one, divide(multiply(r, sum), n));
  let m = multiply(r, sum);
  for (let i = 0; i < 8; i++) m = add({ high: 2 * m.high, low: 2 * m.low }, multiply(m, m));
  const result = add(one, m);
  // An integer power of two, exactly: by squaring.
  let [scale, base] = [1, k < 0 ? 0.5 : 2];
  for (let left = Math.abs(k); left > 0; left = Math.floor(left / 2), base *= base) {
    if (left % 2 === 1) scale *= base;
  }
  return { high: result.high * scale, low: result.low * scale };
}
