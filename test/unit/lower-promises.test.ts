import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { jsBackend } from '../../src/backends/js.js';
import { DTYPE_NAMES, type DType, dtypeInfo } from '../../src/dtype.js';
import { ceilTo, floorTo, roundTo } from '../../src/dtype-grid.js';
import { IsometryError } from '../../src/errors.js';
import { fillSync, prepareFill } from '../../src/fill.js';
import { toFloat32 } from '../../src/tensor.js';

const COUNT = 67;

/** The elements of a tensor as numbers, by the JavaScript backend; null when the law does not fit the dtype. */
function valuesOf(init: object, dtype: DType, seed: bigint): ArrayLike<number> | null {
  try {
    const { request } = prepareFill('w', [COUNT], init, { seed, dtype });
    const data = new (dtypeInfo(dtype).array)(COUNT);
    jsBackend.fillSync(request, data, 0);
    return dtype === 'float64' ? data : toFloat32(data, dtype);
  } catch (error) {
    expect(error).toBeInstanceOf(IsometryError);
    return null;
  }
}

// Where formats end, begin, or round; also a little off.
const EDGES = [
  0, 5e-324, 1e-300, 1.4e-45, 1e-40, 1.2e-38, 3e-8, 6e-8, 6.1e-5, 0.02, 0.5, 1, 1.0039, 2, 3.14, 100, 65504,
  65519, 65520, 1e5, 1e30, 1.7e38, 3.4e38, 1e100, 8e307, 1.7e308,
];
const magnitude = fc
  .tuple(fc.constantFrom(...EDGES), fc.constantFrom(0, 1e-15, 1e-7, 1e-3, 0.7))
  .map(([edge, off]) => edge * (1 + off))
  .filter(Number.isFinite);
const number = fc.tuple(magnitude, fc.boolean()).map(([x, negative]) => (negative ? -x : x));
const open = fc.option(number, { freq: 4 });
const init = fc.oneof(
  fc.record({ kind: fc.constant('uniform'), min: number, max: number }),
  fc.tuple(number, magnitude).map(([min, width]) => ({ kind: 'uniform', min, max: min + width })),
  fc.record({ kind: fc.constant('normal'), mean: number, std: magnitude }),
  fc.record({
    kind: fc.constant('truncatedNormal'),
    mean: fc.oneof(fc.constant(0), number),
    std: magnitude,
    absolute: fc.tuple(open, open),
  }),
  fc
    .tuple(number, magnitude, fc.constantFrom(0.1, 1, 2, 6.4, 7), fc.constantFrom(0.1, 1, 2, 6.4, 7))
    .map(([mean, std, below, above]) => ({
      kind: 'truncatedNormal',
      mean,
      std,
      absolute: [mean - below * std, mean + above * std],
    })),
);

interface Bounds {
  readonly lower: number;
  readonly upper: number;
  /** Whether `upper` itself may appear. */
  readonly closed: boolean;
}

function boundsOf(law: { kind: string; min?: number; max?: number; absolute?: readonly unknown[] }): Bounds {
  if (law.kind === 'uniform') return { lower: law.min!, upper: law.max!, closed: false };
  const [a, b] = (law.absolute ?? [null, null]) as [number | null, number | null];
  return { lower: a ?? Number.NEGATIVE_INFINITY, upper: b ?? Number.POSITIVE_INFINITY, closed: true };
}

describe('whatever the law', () => {
  it('values are finite and within its bounds in every dtype, or it is refused', () => {
    fc.assert(
      fc.property(init, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (law, seed) => {
        const { lower, upper, closed } = boundsOf(law);
        for (const dtype of DTYPE_NAMES) {
          for (const value of Array.from(valuesOf(law, dtype, seed) ?? [])) {
            const inside = value >= lower && (closed ? value <= upper : value < upper);
            if (!inside || !Number.isFinite(value)) throw new Error(`${value} in ${dtype}`);
          }
        }
      }),
      { seed: 3, numRuns: 400 },
    );
  });

  it('a 16-bit weight is the 32-bit one, rounded to nearest even and then into the bounds', () => {
    fc.assert(
      fc.property(init, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (law, seed) => {
        const single = valuesOf(law, 'float32', seed);
        const { lower, upper, closed } = boundsOf(law);
        for (const dtype of ['float16', 'bfloat16'] as const) {
          const half = valuesOf(law, dtype, seed);
          if (half === null) continue;
          if (single === null) throw new Error(`${dtype} takes what float32 refuses`);
          const min = ceilTo(dtype, lower);
          for (let i = 0; i < COUNT; i++) {
            const rounded = Math.max(roundTo(dtype, single[i]!), min);
            const below = closed ? Math.min(rounded, floorTo(dtype, upper)) : rounded;
            // At an open upper end the value just below, whatever that is.
            const right = below < upper || closed ? half[i] === below : half[i]! < upper;
            if (!right) throw new Error(`${dtype}: ${single[i]} became ${half[i]}`);
          }
        }
      }),
      { seed: 4, numRuns: 800 },
    );
  });
});

test.each([
  [-8e307, 65519, [1.7e38, null]],
  [8e307, 65519, [null, -1.7e38]],
  [-1e300, 100, [1e5, null]],
])('mean %d, std %d, all mass at a bound %j beyond the dtype', (mean, std, absolute) => {
  const law = { kind: 'truncatedNormal', mean, std, absolute } as const;
  expect(() => fillSync('w', [4], law as never, { seed: 1, dtype: 'float16' })).toThrow(/overflows float16/);
});
