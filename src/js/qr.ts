/**
 * The Q of a QR factorization by Householder reflections, in float64. Blocked: the reflections of a panel of columns
 * are applied to the others together, as I − V·T·Vᵀ (Schreiber and Van Loan 1989), so that the large matrix is read
 * once for every PANEL reflections. Only `+ − × ÷ sqrt` in a fixed order, so every engine gets the same bits.
 */

/** Reflections applied together; V of a panel then stays in a core's own cache up to some thousand rows. */
const PANEL = 32;

/** Columns that a block of reflections is applied to at a time. */
const GROUP = 4;

/**
 * Replaces the matrix `a`, `rows` ≥ `cols`, column-major, by the Q of its factorization Q·R, and returns R's diagonal.
 * Yields between pieces of work: of about 256·rows multiplications each.
 */
export function* orthogonalize(
  a: Float64Array,
  rows: number,
  cols: number,
): Generator<undefined, Float64Array> {
  const diagonal = new Float64Array(cols);
  const taus = new Float64Array(cols);
  const panels = Math.ceil(cols / PANEL);
  const block = new Block(rows, Math.min(cols, PANEL));
  for (let panel = 0; panel < panels; panel++) {
    const first = panel * PANEL;
    const end = Math.min(cols, first + PANEL);
    for (let column = first; column < end; column++) {
      taus[column] = reflect(a, rows, column);
      diagonal[column] = a[column * rows + column]!;
      for (let other = column + 1; other < end; other++) applyOne(a, rows, column, other, taus[column]!);
      yield;
    }
    if (end === cols) break;
    block.load(a, rows, first, end, taus);
    yield* block.apply(a, rows, end, cols, true);
  }
  // Q is the product of all reflections, applied to the first columns of the identity; the last panel comes first, as
  // it meets nothing but zeros and ones above its own rows.
  for (let panel = panels - 1; panel >= 0; panel--) {
    const first = panel * PANEL;
    const end = Math.min(cols, first + PANEL);
    block.load(a, rows, first, end, taus);
    for (let column = first; column < cols; column++) {
      a.fill(0, column * rows + first, column * rows + (column < end ? rows : end));
      if (column < end) a[column * rows + column] = 1;
    }
    yield* block.apply(a, rows, first, cols, false);
  }
  return diagonal;
}

/**
 * The reflection I − τ·v·vᵀ, v₀ = 1, that makes a column (from its diagonal element on) a multiple of the first unit
 * vector. Leaves that multiple, whose sign is not the element's own (so that nothing cancels), and the rest of v.
 */
function reflect(a: Float64Array, rows: number, column: number): number {
  const diagonal = column * rows + column;
  const end = (column + 1) * rows;
  const alpha = a[diagonal]!;
  const below = dot(a, diagonal + 1, a, diagonal + 1, end - diagonal - 1);
  if (below === 0) return 0;
  const length = Math.sqrt(alpha * alpha + below);
  const beta = alpha < 0 ? length : -length;
  const scale = 1 / (alpha - beta);
  for (let i = diagonal + 1; i < end; i++) a[i] = a[i]! * scale;
  a[diagonal] = beta;
  return (beta - alpha) / beta;
}

/** Applies the reflection of `column` to another one. */
function applyOne(a: Float64Array, rows: number, column: number, other: number, tau: number): void {
  const v = column * rows + column + 1;
  const c = other * rows + column + 1;
  const count = rows - column - 1;
  const factor = tau * (a[c - 1]! + dot(a, v, a, c, count));
  a[c - 1] = a[c - 1]! - factor;
  for (let i = 0; i < count; i++) a[c + i] = a[c + i]! - factor * a[v + i]!;
}

/** Four running sums, because one addition must wait for the one before it. */
function dot(a: Float64Array, i: number, b: Float64Array, j: number, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    s0 += a[i + k]! * b[j + k]!;
    s1 += a[i + k + 1]! * b[j + k + 1]!;
    s2 += a[i + k + 2]! * b[j + k + 2]!;
    s3 += a[i + k + 3]! * b[j + k + 3]!;
  }
  for (; k < count; k++) s0 += a[i + k]! * b[j + k]!;
  return s0 + s1 + (s2 + s3);
}

/** The reflections of one panel as I − V·T·Vᵀ: V with its ones and zeros written out, T upper triangular. */
class Block {
  private readonly v: Float64Array;
  private readonly t: Float64Array = new Float64Array(PANEL * PANEL);
  /** GROUP columns side by side. */
  private readonly c: Float64Array;
  private readonly w: Float64Array = new Float64Array(PANEL * GROUP);
  private readonly x: Float64Array = new Float64Array(PANEL * GROUP);
  private first = 0;
  private height = 0;
  private width = 0;

  constructor(rows: number, cols: number) {
    this.v = new Float64Array(rows * (cols + 1));
    this.c = new Float64Array(rows * GROUP);
  }

  /** Takes columns [first, end) of `a`, where `reflect` left them. */
  load(a: Float64Array, rows: number, first: number, end: number, taus: Float64Array): void {
    const { v, t } = this;
    const height = rows - first;
    const width = end - first;
    this.first = first;
    this.height = height;
    this.width = width;
    for (let k = 0; k < width; k++) {
      const column = (first + k) * rows;
      v.fill(0, k * height, k * height + k);
      v[k * height + k] = 1;
      v.set(a.subarray(column + first + k + 1, column + rows), k * height + k + 1);
    }
    // Columns are taken two at a time; a missing one is 0.
    if (width % 2 === 1) v.fill(0, width * height, (width + 1) * height);
    for (let k = 0; k < width; k++) {
      const tau = taus[first + k]!;
      for (let j = 0; j < k; j++) {
        const at = j * height + k;
        this.w[j] = -tau * dot(v, at, v, k * height + k, height - k);
      }
      for (let i = 0; i < k; i++) {
        let sum = 0;
        for (let j = i; j < k; j++) sum += t[j * PANEL + i]! * this.w[j]!;
        t[k * PANEL + i] = sum;
      }
      t[k * PANEL + k] = tau;
    }
  }

  /** Applies it, or its transpose (the reflections in the order in which they were found), to columns [from, to). */
  *apply(
    a: Float64Array,
    rows: number,
    from: number,
    to: number,
    transposed: boolean,
  ): Generator<undefined, void> {
    const { c, first, height } = this;
    for (let column = from; column < to; column += GROUP) {
      const count = Math.min(GROUP, to - column);
      for (let k = 0; k < GROUP; k++) {
        const at = (column + Math.min(k, count - 1)) * rows + first;
        for (let i = 0; i < height; i++) c[i * GROUP + k] = a[at + i]!;
      }
      this.project();
      this.weigh(transposed);
      this.subtract();
      for (let k = 0; k < count; k++) {
        const at = (column + k) * rows + first;
        for (let i = 0; i < height; i++) a[at + i] = c[i * GROUP + k]!;
      }
      yield;
    }
  }

  /** W = Vᵀ·C. */
  private project(): void {
    const { v, c, w, height, width } = this;
    for (let k = 0; k < width; k += 2) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      // Above row k both columns of V are 0.
      for (let i = k, p = k * height + k, q = p + height, r = k * GROUP; i < height; i++, p++, q++, r += 4) {
        const x = v[p]!;
        const y = v[q]!;
        const c0 = c[r]!;
        const c1 = c[r + 1]!;
        const c2 = c[r + 2]!;
        const c3 = c[r + 3]!;
        s00 += x * c0;
        s01 += x * c1;
        s02 += x * c2;
        s03 += x * c3;
        s10 += y * c0;
        s11 += y * c1;
        s12 += y * c2;
        s13 += y * c3;
      }
      w.set([s00, s01, s02, s03], k * GROUP);
      if (k + 1 < width) w.set([s10, s11, s12, s13], (k + 1) * GROUP);
    }
  }

  /** X = T·W or Tᵀ·W. */
  private weigh(transposed: boolean): void {
    const { t, w, x, width } = this;
    for (let i = 0; i < width; i++) {
      for (let k = 0; k < GROUP; k++) {
        let sum = 0;
        if (transposed) for (let j = 0; j <= i; j++) sum += t[i * PANEL + j]! * w[j * GROUP + k]!;
        else for (let j = i; j < width; j++) sum += t[j * PANEL + i]! * w[j * GROUP + k]!;
        x[i * GROUP + k] = sum;
      }
    }
    if (width % 2 === 1) x.fill(0, width * GROUP, (width + 1) * GROUP);
  }

  /** C −= V·X. */
  private subtract(): void {
    const { v, c, x, height, width } = this;
    for (let k = 0; k < width; k += 2) {
      const [x00, x01, x02, x03, x10, x11, x12, x13] = x.subarray(k * GROUP, (k + 2) * GROUP) as unknown as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      for (let i = k, p = k * height + k, q = p + height, r = k * GROUP; i < height; i++, p++, q++, r += 4) {
        const y = v[p]!;
        const z = v[q]!;
        c[r] = c[r]! - (y * x00 + z * x10);
        c[r + 1] = c[r + 1]! - (y * x01 + z * x11);
        c[r + 2] = c[r + 2]! - (y * x02 + z * x12);
        c[r + 3] = c[r + 3]! - (y * x03 + z * x13);
      }
    }
  }
}
