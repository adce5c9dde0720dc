// orthogonal() is Haar-distributed, by reflections and by QR, and every test that says so rejects matrices with mistakes
// that programs have had.
import { afterAll, describe, expect, it } from 'vitest';
import { fillSync } from '../../src/fill.js';
import { normal, orthogonal } from '../../src/initializers/index.js';
import { orthogonalize } from '../../src/js/qr.js';
import {
  determinant,
  eigenvalues,
  HAAR_TESTS,
  type Matrices,
  phaseLaw,
  sphereLaw,
} from './orthogonal-haar.js';
import { ALPHA, extremity } from './statistics.js';

/** Matrices of n rows. */
const countOf = (n: number): number => (n > 4 ? 5_000 : 20_000);
const SIZES = [2, 4, 9];
const NAMES = [...HAAR_TESTS.keys()];

const rejecting = (matrices: Matrices): string[] =>
  NAMES.filter((name) => extremity(HAAR_TESTS.get(name)!(matrices)) < ALPHA);

function haar(n: number, seed: number, method: 'qr' | 'reflections', dtype: 'float64' | 'float32'): Matrices {
  const options = { seed, dtype, layout: 'EOI' } as const;
  return { n, data: fillSync(`haar.${n}`, [countOf(n), n, n], orthogonal({ method }), options).data };
}

/** The normals that they are made of. */
function normals(n: number, seed: number): Float64Array {
  return fillSync(`haar.${n}`, [countOf(n), n, n], normal({ std: 1 }), { seed, dtype: 'float64' }).data;
}

/** Q of a factorization as it comes, without the signs of R. */
function unfixed(n: number, seed: number): Matrices {
  const data = normals(n, seed);
  for (let at = 0; at < data.length; at += n * n) {
    const work = orthogonalize(data.subarray(at, at + n * n), n, n);
    while (work.next().done !== true);
  }
  return { n, data };
}

interface Hooks {
  /** Instead of the sign of column c. */
  readonly sign?: (sign: number, c: number, n: number) => number;
  /** Whether reflection c < n − 1 is made. */
  readonly made?: (c: number, n: number) => boolean;
  /** The column of normals that reflection c takes. */
  readonly column?: (c: number) => number;
}

/** The product of reflections one vector at a time, with mistakes. */
function reflected(n: number, seed: number, { sign, made, column }: Hooks = {}): Matrices {
  const g = normals(n, seed);
  const data = new Float64Array(g.length);
  for (let at = 0; at < g.length; at += n * n) {
    const vectors: Float64Array[] = [];
    const squares: number[] = [];
    for (let c = 0; c < n; c++) {
      const from = at + (column?.(c) ?? c) * n;
      const v = g.slice(from, from + n).fill(0, 0, c);
      const own = v[c]! < 0 ? -1 : 1;
      const square = v.reduce((sum, x) => sum + x * x, 0);
      v[c]! += own * Math.sqrt(square);
      vectors.push(v);
      squares.push(v.reduce((sum, x) => sum + x * x, 0));
      const y = data.subarray(at + c * n, at + (c + 1) * n);
      y[c] = 1;
      for (let i = Math.min(c, n - 2); i >= 0; i--) {
        if (made?.(i, n) === false) continue;
        const w = vectors[i]!;
        let product = 0;
        for (let r = i; r < n; r++) product += w[r]! * y[r]!;
        for (let r = i; r < n; r++) y[r]! -= (2 * product * w[r]!) / squares[i]!;
      }
      const fixed = c === n - 1 ? own : -own;
      const factor = sign?.(fixed, c, n) ?? fixed;
      for (let r = 0; r < n; r++) y[r]! *= factor;
    }
  }
  return { n, data };
}

const all: number[] = [];
afterAll(() => expect(all.length).toBeGreaterThan(400));

describe.each(SIZES)('n = %d', (n) => {
  it.each([
    ['reflections', 'float32', 0],
    ['reflections', 'float64', 1],
    ['qr', 'float64', 0],
    ['qr', 'float32', 1],
  ] as const)('by %s is Haar-distributed, %s, seed %d', (method, dtype, seed) => {
    const matrices = haar(n, seed, method, dtype);
    for (const [name, test] of HAAR_TESTS) {
      const ps = test(matrices);
      all.push(...ps);
      expect(extremity(ps), `${name}: p = ${ps.join(', ')}`).toBeGreaterThan(ALPHA);
    }
  });

  it('is the textbook product of reflections of the same normals', () => {
    const [ours, textbook] = [haar(n, 1, 'reflections', 'float64').data, reflected(n, 1).data];
    expect(ours.every((q, i) => Math.abs(q - textbook[i]!) < 1e-9)).toBe(true);
  });
});

const TRACES = ['squared trace', 'trace of the square'];

/** Mistakes, and which tests reject matrices of 2, 4 and 9 rows: exactly these, with this seed. */
const DEFECTS: readonly (Hooks & { readonly name: string; readonly seenBy: Record<number, string[]> })[] = [
  {
    name: 'the signs dropped',
    sign: () => 1,
    seenBy: every(['trace', ...TRACES, 'determinant', 'sign of the first element', 'eigenvalue phases']),
  },
  {
    name: 'the last sign, a reflection of one dimension, forgotten',
    sign: (sign, c, n) => (c === n - 1 ? 1 : sign),
    seenBy: { ...every(['trace', 'eigenvalue phases']), 9: ['trace'] },
  },
  {
    name: 'the last reflection forgotten',
    made: (c, n) => c < n - 2,
    seenBy: {
      ...every([...TRACES, 'squared elements', 'bilinear form', 'eigenvalue phases']),
      9: [...TRACES, 'squared elements'],
    },
  },
  {
    name: 'a vector used twice',
    column: (c) => c - (c % 2),
    seenBy: { ...every(['squared elements', 'bilinear form']), 2: ['bilinear form'] },
  },
];

function every(names: string[]): Record<number, string[]> {
  return { 2: names, 4: names, 9: names };
}

describe('planted defects', () => {
  it.each([2, 4, 9])('are seen, and nothing without one: n = %d', (n) => {
    expect(rejecting(reflected(n, 0))).toEqual([]);
    for (const { name, seenBy, ...hooks } of DEFECTS)
      expect(rejecting(reflected(n, 0, hooks)), name).toEqual(seenBy[n]);
  });

  it('each test sees one', () => {
    const seen = DEFECTS.flatMap(({ seenBy }) => Object.values(seenBy).flat());
    expect(NAMES.filter((name) => !seen.includes(name))).toEqual([]);
  });

  it.each([2, 4])('QR without the signs of R is seen: n = %d', (n) => {
    expect(rejecting(unfixed(n, 0))).toEqual(DEFECTS[0]!.seenBy[n]);
  });
});

it.each(['reflections', 'qr'] as const)(
  'of one row and one column is ±1, each as likely, by %s',
  (method) => {
    const { data } = haar(1, 0, method, 'float32');
    expect(data.every((q) => Math.abs(q) === 1)).toBe(true);
    expect(extremity(HAAR_TESTS.get('determinant')!({ n: 1, data }))).toBeGreaterThan(ALPHA);
  },
);

describe('what the tests stand on', () => {
  it("knows the law of a sphere's coordinate", () => {
    // On the circle t = sin φ, φ uniform; in three dimensions t is uniform (Archimedes).
    for (const t of [0, 0.1, 0.5, 0.99, 1]) {
      expect(sphereLaw(2)(t)).toBeCloseTo((2 / Math.PI) * Math.asin(t), 14);
      expect(sphereLaw(3)(t)).toBeCloseTo(t, 14);
      // (1 − t²)³ and 16/35 for its integral.
      expect(sphereLaw(9)(t)).toBeCloseTo((35 / 16) * (t - t ** 3 + 0.6 * t ** 5 - t ** 7 / 7), 14);
    }
    expect(sphereLaw(4)(0.5)).toBeCloseTo((2 / Math.PI) * (0.5 * Math.sqrt(0.75) + Math.PI / 6), 14);
  });

  it('knows the law of the phases', () => {
    for (const theta of [0, 0.3, 1, 2, 3, Math.PI]) {
      // A rotation of the plane has one, uniform; one of space has density (1 − cos θ)/π.
      expect(phaseLaw(2, 1)(theta)).toBeCloseTo(theta / Math.PI, 14);
      expect(phaseLaw(3, 1)(theta)).toBeCloseTo((theta - Math.sin(theta)) / Math.PI, 14);
      // Of −Q they are π − θ, and its determinant is the other if n is odd.
      expect(phaseLaw(9, -1)(theta)).toBeCloseTo(1 - phaseLaw(9, 1)(Math.PI - theta), 14);
      // Of a determinant of −1 in four dimensions one pair is left, beside 1 and −1.
      expect(phaseLaw(4, -1)(theta)).toBeCloseTo((theta - Math.sin(2 * theta) / 2) / Math.PI, 14);
    }
  });

  it('finds determinants and eigenvalues', () => {
    expect(determinant([0, 1, 0, 0, 0, 1, 1, 0, 0], 3)).toBe(1);
    expect(determinant([0, 1, 1, 0], 2)).toBe(-1);
    const found = eigenvalues(Float64Array.of(2, 1, 0, 1, 2, 1, 0, 1, 2), 3);
    for (const [i, value] of [2 - Math.SQRT2, 2, 2 + Math.SQRT2].entries()) {
      expect(found[i]).toBeCloseTo(value, 12);
    }
  });
});
