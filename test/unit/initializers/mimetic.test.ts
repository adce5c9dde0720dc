import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES, type DType } from '../../../src/dtype.js';
import { fill, fillSync } from '../../../src/fill.js';
import { lawOf, type MimeticOptions, mimetic } from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { lawMoments } from '../../../src/moments.js';
import { type Tensor, toFloat32 } from '../../../src/tensor.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

const source = 'layers.0.attn';
const SEED = 4;
const weight = (
  options: Omit<MimeticOptions, 'source'>,
  d: number,
  dtype: DType = 'float32',
): Float64Array => {
  const tensor = fillSync(`${options.role}.weight`, [d, d], mimetic({ source, ...options }), {
    seed: SEED,
    dtype,
  });
  return Float64Array.from((tensor as Tensor<DType>).data);
};

/** Row-major product of rows [from, to) of a, transposed, and those of b: what a head's W_Q·W_Kᵀ is of PyTorch's tensors. */
function headProduct(a: Float64Array, b: Float64Array, d: number, from: number, to: number): Float64Array {
  const product = new Float64Array(d * d);
  for (let row = from; row < to; row++)
    for (let i = 0; i < d; i++)
      for (let j = 0; j < d; j++) product[i * d + j]! += a[row * d + i]! * b[row * d + j]!;
  return product;
}

/** ‖a‖ by power iteration on aᵀa, an algorithm that shares nothing with the one tested. */
function spectralNorm(a: Float64Array, d: number): number {
  let x = Float64Array.from({ length: d }, (_, k) => 1 + (k % 7) / 10);
  let norm = 0;
  for (let step = 0; step < 3000; step++) {
    const y = new Float64Array(d);
    const z = new Float64Array(d);
    for (let r = 0; r < d; r++) for (let c = 0; c < d; c++) y[r]! += a[r * d + c]! * x[c]!;
    for (let r = 0; r < d; r++) for (let c = 0; c < d; c++) z[c]! += a[r * d + c]! * y[r]!;
    const length = Math.hypot(...z);
    if (length === 0) return 0;
    x = z.map((value) => value / length);
    norm = Math.sqrt(length);
  }
  return norm;
}

/** A of each head (or the whole), from full-rank factors: with one head the product is A itself. */
const whole = (alpha: number, beta: number, d: number): Float64Array =>
  headProduct(
    weight({ role: 'query', heads: 1, alpha, beta }, d, 'float64'),
    weight({ role: 'key', heads: 1, alpha, beta }, d, 'float64'),
    d,
    0,
    d,
  );

describe('mimetic', () => {
  it('writes its defaults out, which depend on the role', () => {
    expect(mimetic({ role: 'query', heads: 3, source })).toEqual({
      kind: 'mimetic',
      role: 'query',
      source,
      heads: 3,
      alpha: 0.7,
      beta: 0.7,
    });
    expect(mimetic({ role: 'output', source })).toEqual({
      kind: 'mimetic',
      role: 'output',
      source,
      alpha: 0.4,
      beta: 0.4,
    });
  });

  it.each([
    [{ role: 'q', source }, 'INVALID_OPTION', 'mimetic.role'],
    [{ role: 'value' }, 'INVALID_OPTION', 'one source'],
    [{ role: 'value', source: '' }, 'INVALID_OPTION', 'one source'],
    [{ role: 'value', source: 'a\0b' }, 'INVALID_NAME', 'NUL'],
    [{ role: 'query', source }, 'INVALID_OPTION', 'mimetic.heads'],
    [{ role: 'query', source, heads: 1.5 }, 'INVALID_OPTION', 'mimetic.heads'],
    [{ role: 'value', source, heads: 2 }, 'INVALID_OPTION', 'leave it out'],
    [{ role: 'value', source, alpha: Number.NaN }, 'INVALID_OPTION', 'mimetic.alpha'],
    [{ role: 'value', source, beta: '1' }, 'INVALID_OPTION', 'mimetic.beta'],
  ])('rejects %j', (options, code, text) => {
    expect(() => mimetic(options as MimeticOptions)).toThrow(invalid(code, text));
  });

  it('query and key multiply to alpha·Z/√d + beta·I, value and output to alpha·Z/√d − beta·I', () => {
    const d = 48;
    for (const dtype of ['float32', 'float64'] as const) {
      const product = headProduct(
        weight({ role: 'query', heads: 1 }, d, dtype),
        weight({ role: 'key', heads: 1 }, d, dtype),
        d,
        0,
        d,
      );
      const value = weight({ role: 'value' }, d, dtype);
      const output = weight({ role: 'output' }, d, dtype);
      // x·W_V·W_O, of tensors that hold the transposes: (i, j) ↦ Σ_r value[r][i]·output[j][r].
      const mixed = new Float64Array(d * d);
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++)
          for (let r = 0; r < d; r++) mixed[i * d + j]! += value[r * d + i]! * output[j * d + r]!;
      for (const [matrix, alpha, beta] of [
        [product, 0.7, 0.7],
        [mixed, 0.4, -0.4],
      ] as const) {
        const z = matrix.map((x, at) => ((x - (at % (d + 1) === 0 ? beta : 0)) * Math.sqrt(d)) / alpha);
        const mean = z.reduce((sum, x) => sum + x, 0) / z.length;
        const square = z.reduce((sum, x) => sum + x * x, 0) / z.length;
        expect(Math.abs(mean) * d).toBeLessThan(5);
        expect(Math.abs(square - 1) * (d / Math.SQRT2)).toBeLessThan(5);
        const diagonal = z.filter((_, at) => at % (d + 1) === 0);
        expect(Math.abs(diagonal.reduce((sum, x) => sum + x, 0)) / Math.sqrt(d)).toBeLessThan(5);
      }
      // The same Z, whatever alpha and beta are.
      const other = whole(1, 0, d);
      const z = product.map((x, at) => (x - (at % (d + 1) === 0 ? 0.7 : 0)) / 0.7);
      expect(Math.max(...z.map((x, at) => Math.abs(x - other[at]!)))).toBeLessThan(
        dtype === 'float32' ? 1e-5 : 1e-12,
      );
    }
  });

  it('each head has the best approximation of its rank (Eckart and Young)', () => {
    const [d, heads] = [24, 4];
    const rank = d / heads;
    const query = weight({ role: 'query', heads }, d);
    const key = weight({ role: 'key', heads }, d);
    // With one head, head 0 of unit 0 has the same Z: its A is the product of full-rank factors.
    const a = whole(0.7, 0.7, d);
    const near = headProduct(query, key, d, 0, rank);
    const rest = a.map((x, at) => x - near[at]!);
    const energy = (x: Float64Array): number => x.reduce((sum, v) => sum + v * v, 0);
    // The rest is orthogonal to the approximation from both sides, and its norm is the next singular value at most.
    const next = spectralNorm(rest, d);
    let smallest = Number.POSITIVE_INFINITY;
    let cross = 0;
    for (let j = 0; j < rank; j++) {
      const [u, v] = [query.subarray(j * d, (j + 1) * d), key.subarray(j * d, (j + 1) * d)];
      smallest = Math.min(smallest, Math.sqrt(energy(u) * energy(v)));
      for (let r = 0; r < d; r++) {
        let [left, right] = [0, 0];
        for (let c = 0; c < d; c++) {
          left += rest[c * d + r]! * u[c]!;
          right += rest[r * d + c]! * v[c]!;
        }
        cross = Math.max(cross, Math.abs(left), Math.abs(right));
      }
    }
    expect(cross).toBeLessThan(1e-5);
    expect(next).toBeLessThan(smallest + 1e-5);
    expect(Math.abs(energy(a) - energy(near) - energy(rest))).toBeLessThan(1e-4);
    // Both factors share the singular values evenly, and heads differ.
    for (let row = 0; row < d; row++) {
      const [u, v] = [query.subarray(row * d, (row + 1) * d), key.subarray(row * d, (row + 1) * d)];
      expect(Math.abs(energy(u) / energy(v) - 1)).toBeLessThan(1e-5);
    }
    expect([...query.subarray(0, d)]).not.toEqual([...query.subarray(rank * d, rank * d + d)]);
  });

  it('gives slices, layouts, stacks and 16-bit dtypes of the same weights', async () => {
    const shape = [2, 12, 12];
    for (const role of ['query', 'key', 'value', 'output'] as const) {
      const init = mimetic({ role, source, ...(role === 'query' || role === 'key' ? { heads: 3 } : {}) });
      const all = await fill('w', shape, init, { seed: 9, layout: 'EOI', device: 'js' });
      const turned = fillSync('w', shape, init, { seed: 9, layout: 'EIO' });
      for (let e = 0; e < 2; e++)
        for (let o = 0; o < 12; o++)
          for (let i = 0; i < 12; i++)
            expect(turned.data[(e * 12 + i) * 12 + o]).toBe(all.data[(e * 12 + o) * 12 + i]);
      const part = fillSync('w', shape, init, {
        seed: 9,
        layout: 'EOI',
        slice: [
          [1, 2],
          [3, 9],
          [2, 11],
        ],
      });
      let at = 0;
      for (let o = 3; o < 9; o++)
        for (let i = 2; i < 11; i++) expect(part.data[at++]).toBe(all.data[(12 + o) * 12 + i]);
      expect(at).toBe(part.data.length);
      for (const dtype of DTYPE_NAMES) {
        const { data } = fillSync('w', shape, init, { seed: 9, layout: 'EOI', dtype }) as Tensor<DType>;
        const values = dtype.endsWith('16') ? toFloat32(data as Uint16Array, dtype as 'float16') : data;
        for (let k = 0; k < all.data.length; k++)
          expect(Math.abs(values[k]! - all.data[k]!)).toBeLessThan(0.01);
      }
    }
  });

  it('is another draw for another source, and the same for another name', () => {
    const at = (name: string, of: string) =>
      [...fillSync(name, [8, 8], mimetic({ role: 'value', source: of }), { seed: 1 }).data].join();
    expect(at('a', 'x')).toBe(at('b', 'x'));
    expect(at('a', 'x')).not.toBe(at('a', 'y'));
  });

  it.each([
    [{ role: 'query', heads: 1 }, 96],
    [{ role: 'key', heads: 3 }, 96],
    [{ role: 'query', heads: 6, alpha: 3, beta: 1 }, 96],
    [{ role: 'value', alpha: 0, beta: 2 }, 40],
    [{ role: 'output', alpha: 1, beta: 0 }, 96],
  ] as const)('knows the moments of %j', (options, d) => {
    const data = weight(options, d);
    const { mean, std } = lawMoments(
      lawOf(mimetic({ source, ...options }), { name: 'w', shape: [d, d] }),
      d * d,
    );
    const square = data.reduce((sum, x) => sum + x * x, 0) / data.length;
    expect(mean).toBe(0);
    expect(Math.abs(Math.sqrt(square) / std - 1)).toBeLessThan(0.02);
    expect(Math.abs(data.reduce((sum, x) => sum + x, 0) / data.length) / std).toBeLessThan(5 / d);
  });

  it('takes any numbers', () => {
    const law = lawOf(mimetic({ role: 'value', source, alpha: 0, beta: 0 }), { name: 'w', shape: [3, 3] });
    expect(law).toEqual({ kind: 'constant', value: 0 });
    expect(weight({ role: 'value' }, 0).length).toBe(0);
    const huge = weight({ role: 'value', alpha: 1e250, beta: -1e249 }, 6, 'float64');
    expect(huge.every(Number.isFinite)).toBe(true);
    expect(() => weight({ role: 'value', alpha: 1e30, beta: 1 }, 6, 'float16' as DType)).toThrow(
      invalid('INVALID_OPTION', 'overflows float16'),
    );
    const one = weight({ role: 'output', alpha: 0, beta: 4 }, 1);
    expect(Math.abs(one[0]!)).toBe(2);
  });

  it.each([
    [[4, 6], undefined, 'INVALID_SHAPE', 'a square matrix'],
    [[12, 4], undefined, 'INVALID_SHAPE', 'a square matrix'],
    [[5, 5], undefined, 'INVALID_OPTION', 'a divisor of 5'],
    [[4], undefined, 'INVALID_SHAPE', 'rank 2'],
    [[2, 4, 4], undefined, 'INVALID_SHAPE', 'rank 2'],
    [[4, 4, 1], 'OIH', 'INVALID_LAYOUT', 'one O, one I'],
    [[4, 4], 'OH', 'INVALID_LAYOUT', 'one O, one I'],
  ])('refuses %j as %s', (shape, layout, code, text) => {
    const init = mimetic({ role: 'query', heads: 2, source });
    expect(() =>
      fillSync('w', shape, init, { seed: 1, ...(layout === undefined ? {} : { layout }) }),
    ).toThrow(invalid(code, text));
  });

  it('lets the event loop run, can be aborted, and stands in a plan', async () => {
    const controller = new AbortController();
    const init = mimetic({ role: 'value', source });
    const promise = fill('w', [512, 512], init, { seed: 1, signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
    const json = { kind: 'mimetic', role: 'query', source, heads: 2 };
    const plan = parsePlan({ tensors: [{ name: 'w', shape: [8, 8], init: json }] });
    expect(plan.tensors[0]!.init).toEqual(mimetic({ role: 'query', source, heads: 2 }));
  });
});
