import { describe, expect, it } from 'vitest';
import { DTYPE_NAMES, type DType } from '../../../src/dtype.js';
import { type FillSyncOptions, fill, fillSync } from '../../../src/fill.js';
import {
  type ConvolutionOrthogonalOptions,
  convolutionOrthogonal,
  lawOf,
  normal,
  orthogonal,
} from '../../../src/initializers/index.js';
import { parsePlan } from '../../../src/model/plan/plan.js';
import { lawMoments } from '../../../src/moments.js';
import { type Tensor, toFloat32 } from '../../../src/tensor.js';

const invalid = (code: string, text: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(text) });

const SEED = 12;
const kernel = (
  shape: number[],
  options: Partial<FillSyncOptions<DType>> = {},
  gain = 1,
): ArrayLike<number> =>
  (fillSync('conv', shape, convolutionOrthogonal({ gain }), { seed: SEED, ...options }) as Tensor<DType>)
    .data;

/** Everything about a kernel O × I × k^d in the default layout. */
interface Kernel {
  readonly w: ArrayLike<number>;
  readonly outputs: number;
  readonly inputs: number;
  readonly size: number;
  readonly dims: number;
}

/** A circular convolution at stride 1, written out; signals are [channel, …places]. */
function convolve({ w, outputs, inputs, size, dims }: Kernel, x: Float64Array, length: number): Float64Array {
  const [places, taps] = [length ** dims, size ** dims];
  const y = new Float64Array(outputs * places);
  const digits = (n: number, base: number): number[] =>
    Array.from({ length: dims }, (_, k) => Math.floor(n / base ** (dims - 1 - k)) % base);
  for (let place = 0; place < places; place++) {
    const at = digits(place, length);
    for (let tap = 0; tap < taps; tap++) {
      const moved = digits(tap, size).map((t, k) => (at[k]! + t) % length);
      const from = moved.reduce((index, digit) => index * length + digit, 0);
      for (let o = 0; o < outputs; o++)
        for (let i = 0; i < inputs; i++)
          y[o * places + place]! += w[(o * inputs + i) * taps + tap]! * x[i * places + from]!;
    }
  }
  return y;
}

const norm = (x: Float64Array): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

function signal(length: number): Float64Array {
  return fillSync('x', [length], normal({ std: 1 }), { seed: 1, dtype: 'float64' }).data;
}

/** The largest deviation of Σ_t W_tᵀ W_{t+shift} from I (shift 0) or 0: what makes the convolution an isometry. */
function defect({ w, outputs, inputs, size, dims }: Kernel): number {
  const taps = size ** dims;
  let worst = 0;
  const shifts = (2 * size - 1) ** dims;
  for (let s = 0; s < shifts; s++) {
    const shift = Array.from(
      { length: dims },
      (_, k) => (Math.floor(s / (2 * size - 1) ** k) % (2 * size - 1)) - size + 1,
    );
    const zero = shift.every((step) => step === 0);
    for (let a = 0; a < inputs; a++) {
      for (let b = 0; b < inputs; b++) {
        let sum = 0;
        for (let tap = 0; tap < taps; tap++) {
          const other = Array.from(
            { length: dims },
            (_, k) => (Math.floor(tap / size ** k) % size) + shift[k]!,
          );
          if (other.some((t) => t < 0 || t >= size)) continue;
          const moved = other.reduce((index, t, k) => index + t * size ** k, 0);
          for (let o = 0; o < outputs; o++)
            sum += w[(o * inputs + a) * taps + tap]! * w[(o * inputs + b) * taps + moved]!;
        }
        worst = Math.max(worst, Math.abs(sum - (zero && a === b ? 1 : 0)));
      }
    }
  }
  return worst;
}

describe('convolutionOrthogonal', () => {
  it('writes its default out', () => {
    expect(convolutionOrthogonal()).toEqual({ kind: 'convolutionOrthogonal', gain: 1 });
    expect(() => convolutionOrthogonal({ gain: Number.NaN } as ConvolutionOrthogonalOptions)).toThrow(
      invalid('INVALID_OPTION', 'convolutionOrthogonal.gain'),
    );
  });

  it.each([
    [16, 16, 3, 1],
    [7, 5, 4, 1],
    [12, 12, 3, 2],
    [9, 4, 2, 2],
    [6, 6, 5, 2],
    [8, 5, 3, 3],
    [1, 1, 3, 2],
    [3, 3, 1, 2],
  ])(
    '%d × %d channels, length %d, %d-D: keeps the norm under circular padding',
    (outputs, inputs, size, dims) => {
      const shape = [outputs, inputs, ...new Array<number>(dims).fill(size)];
      const length = Math.max(size, 5);
      const x = signal(inputs * length ** dims);
      const single = { w: kernel(shape), outputs, inputs, size, dims };
      expect(Math.abs(norm(convolve(single, x, length)) / norm(x) - 1)).toBeLessThan(1e-5);
      const double = { ...single, w: kernel(shape, { dtype: 'float64' }) };
      expect(Math.abs(norm(convolve(double, x, length)) / norm(x) - 1)).toBeLessThan(1e-13);
      expect(defect(double)).toBeLessThan(1e-13);
      // Rounded once: float32 is the rounded float64.
      expect(Array.from(single.w)).toEqual(Array.from(double.w, Math.fround));
    },
  );

  it('uses all its taps, unlike a delta kernel', () => {
    const w = kernel([32, 32, 3, 3]);
    const energy = new Float64Array(9);
    for (let at = 0; at < w.length; at++) energy[at % 9]! += w[at]! ** 2 / 32;
    // With r = 16 on each of four projections, tap (a, b) has about C(2, a)·C(2, b)/16 of the whole.
    const binomial = [1, 2, 1];
    for (let tap = 0; tap < 9; tap++) {
      const expected = (binomial[Math.floor(tap / 3)]! * binomial[tap % 3]!) / 16;
      expect(Math.abs(energy[tap]! - expected)).toBeLessThan(0.1);
    }
  });

  it('has every layout, group and stack as its own kernel', () => {
    const plain = kernel([8, 6, 3, 3]);
    const last = kernel([3, 3, 6, 8], { layout: 'HWIO' });
    for (let o = 0; o < 8; o++)
      for (let i = 0; i < 6; i++)
        for (let t = 0; t < 9; t++) expect(last[(t * 6 + i) * 8 + o]).toBe(plain[(o * 6 + i) * 9 + t]);
    const stacked = kernel([2, 8, 6, 3, 3], { layout: 'EOIHW' });
    expect(Array.from(stacked).slice(0, plain.length)).toEqual(Array.from(plain));
    const second = Array.from(stacked).slice(plain.length);
    expect(second).not.toEqual(Array.from(plain));
    expect(defect({ w: second, outputs: 8, inputs: 6, size: 3, dims: 2 })).toBeLessThan(1e-6);
    for (const groups of [2, 8]) {
      const shape = [16, 2, 3, 3];
      const grouped = Array.from(kernel(shape, { groups }));
      const part = grouped.length / groups;
      for (let g = 0; g < groups; g++) {
        const own = {
          w: grouped.slice(g * part, (g + 1) * part),
          outputs: 16 / groups,
          inputs: 2,
          size: 3,
          dims: 2,
        };
        expect(defect(own)).toBeLessThan(1e-6);
      }
      const fewer = { w: grouped.slice(0, part), outputs: 16 / groups, inputs: 2, size: 3, dims: 2 };
      expect(Array.from(fewer.w)).toEqual(Array.from(kernel([16 / groups, 2, 3, 3])));
    }
    const transposed = Array.from(kernel([16, 4, 3, 3], { layout: 'IOHW', groups: 8 }));
    for (let g = 0; g < 8; g++) {
      // Group g has inputs 2g and 2g + 1, and 4 outputs.
      const w = new Float64Array(4 * 2 * 9);
      for (let i = 0; i < 2; i++)
        for (let o = 0; o < 4; o++)
          for (let t = 0; t < 9; t++) w[(o * 2 + i) * 9 + t] = transposed[((2 * g + i) * 4 + o) * 9 + t]!;
      expect(defect({ w, outputs: 4, inputs: 2, size: 3, dims: 2 })).toBeLessThan(1e-6);
    }
  });

  it('gives every slice as that part of the whole, in every dtype, synchronously or not', async () => {
    const shape = [2, 6, 5, 3, 3];
    const slice = [[1, 2], [2, 5], null, [1, 3], [0, 2]] as const;
    for (const dtype of DTYPE_NAMES) {
      const options = { seed: SEED, layout: 'EOIHW', dtype } as const;
      const whole = fillSync('conv', shape, convolutionOrthogonal({ gain: -1.5 }), options).data;
      const part = await fill('conv', shape, convolutionOrthogonal({ gain: -1.5 }), { ...options, slice });
      let at = 0;
      for (let o = 2; o < 5; o++)
        for (let i = 0; i < 5; i++)
          for (let h = 1; h < 3; h++)
            for (let v = 0; v < 2; v++)
              expect(part.data[at++]).toBe(whole[(((6 + o) * 5 + i) * 3 + h) * 3 + v]);
      expect(at).toBe(part.data.length);
      const js = await fill('conv', shape, convolutionOrthogonal({ gain: -1.5 }), {
        ...options,
        device: 'js',
      });
      expect(js.data).toEqual(whole);
      if (dtype.endsWith('16')) {
        const single = fillSync('conv', shape, convolutionOrthogonal({ gain: -1.5 }), {
          ...options,
          dtype: 'float32',
        });
        const error = toFloat32(whole as Uint16Array, dtype as 'float16').map((v, k) =>
          Math.abs(v - single.data[k]!),
        );
        expect(Math.max(...error)).toBeLessThan(2 ** -8);
      }
    }
  });

  it('is orthogonal for one tap, with a gain', () => {
    const w = Array.from(kernel([5, 5, 1, 1], { dtype: 'float64' }, 2));
    for (let a = 0; a < 5; a++)
      for (let b = 0; b < 5; b++) {
        let sum = 0;
        for (let o = 0; o < 5; o++) sum += w[o * 5 + a]! * w[o * 5 + b]!;
        expect(sum).toBeCloseTo(a === b ? 4 : 0, 12);
      }
    expect(w).not.toEqual(
      Array.from(fillSync('conv', [5, 5], orthogonal({ gain: 2 }), { seed: SEED, dtype: 'float64' }).data),
    );
  });

  it('knows its moments, 0 and emptiness', () => {
    const shape = [16, 12, 3, 3];
    const w = kernel(shape, { dtype: 'float64' });
    const square = Array.from(w).reduce((sum, x) => sum + x * x, 0) / w.length;
    const { mean, std } = lawMoments(
      lawOf(convolutionOrthogonal({ gain: 3 }), { name: 'w', shape }),
      w.length,
    );
    expect(mean).toBe(0);
    expect(std).toBeCloseTo(3 * Math.sqrt(square), 12);
    expect(lawOf(convolutionOrthogonal({ gain: 0 }), { name: 'w', shape })).toEqual({
      kind: 'constant',
      value: 0,
    });
    expect(kernel([4, 0, 3, 3]).length).toBe(0);
    expect(kernel([4, 4, 0, 0]).length).toBe(0);
  });

  it.each([
    [[4, 5, 3, 3], undefined, 'INVALID_SHAPE', 'at least as many outputs as inputs'],
    [[5, 4, 3, 2], undefined, 'INVALID_SHAPE', 'spatial axes of equal length'],
    [[5, 4], undefined, 'INVALID_SHAPE', 'use orthogonal()'],
    [[5], undefined, 'INVALID_SHAPE', 'rank 2 to 5'],
    [[5, 4, 3], 'OIE', 'INVALID_LAYOUT', 'spatial axes'],
    [[4, 3, 3], 'IHW', 'INVALID_LAYOUT', 'an axis O'],
  ])('refuses %j as %s', (shape, layout, code, text) => {
    expect(() => kernel(shape, layout === undefined ? {} : { layout })).toThrow(invalid(code, text));
  });

  it('can be aborted, and stands in a plan', async () => {
    const controller = new AbortController();
    const promise = fill('conv', [256, 256, 3, 3], convolutionOrthogonal(), {
      seed: 1,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 30);
    const from = performance.now();
    await expect(promise).rejects.toMatchObject({ name: 'AbortError' });
    expect(performance.now() - from).toBeLessThan(1500);
    const init = { kind: 'convolutionOrthogonal' };
    expect(parsePlan({ tensors: [{ name: 'w', shape: [8, 4, 3], init }] }).tensors[0]!.init).toEqual(
      convolutionOrthogonal(),
    );
  });

  it('refuses a kernel that does not fit into memory before any work', () => {
    expect(() => kernel([2 ** 20, 2 ** 15, 3, 3], { slice: [[0, 1], [0, 1], null, null] })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/OUT_OF_MEMORY|TOO_LARGE/) }),
    );
  });
});
