// Bounds hold in the output dtype: a uniform never gives its end, a truncated normal never leaves [a, b].
import { DTYPE_NAMES, type DType } from '../../src/dtype.js';
import { philoxBlocks, philoxKeys } from '../../src/js/philox.js';
import type { ElementLaw } from '../../src/law.js';
import { toFloat32 } from '../../src/tensor.js';
import { EXTREME_PLACES } from './extreme-words.js';
import type { Generator as Sampler } from './generator.js';
import { type Violations, violationsOver } from './violations.js';

export type BoundedLaw = Exclude<ElementLaw, { kind: 'constant' | 'normal' }>;

const INF = Number.POSITIVE_INFINITY;

const absolute = (mean: number, std: number, a: number, b: number): BoundedLaw => ({
  kind: 'truncatedNormal',
  mean,
  std,
  bounds: { absolute: [a, b] },
  rescale: false,
});
const sigmas = (mean: number, std: number, lower: number, upper: number): BoundedLaw => ({
  kind: 'truncatedNormal',
  mean,
  std,
  bounds: { sigmas: [lower, upper] },
  rescale: false,
});
const uniform = (min: number, max: number): BoundedLaw => ({ kind: 'uniform', min, max });

/** Laws that have led to a value out of bounds somewhere, here or in other libraries, and ends of the number formats. */
export const AWKWARD_LAWS: readonly BoundedLaw[] = [
  uniform(0, 1),
  uniform(-1, 1),
  uniform(0.1, 0.7),
  uniform(1, 1 + 2 ** -7),
  uniform(1 + 2 ** -9, 1 + 2 ** -6),
  uniform(0.1, 0.10000001),
  uniform(-1e-3, 0),
  uniform(-3e-6, 1e-9),
  uniform(0, 1e-40),
  uniform(-1e-60, 1e-60),
  uniform(5e-324, 1e-323),
  uniform(-65504, 65504),
  uniform(65000, 65472.5),
  uniform(-1.5e38, 1.5e38),
  uniform(3e38, 3.3e38),
  uniform(1e300, 1.7e308),
  sigmas(0, 1, -2, 2),
  sigmas(0, 0.02, -2, 2),
  sigmas(0.3, 0.1, -2.1, INF),
  sigmas(0, 1, -INF, -8.9),
  sigmas(0, 1, -0.3187, 0.3187), // just above and just below a quarter of the mass
  sigmas(0, 1, -0.3185, 0.3185),
  sigmas(5, 1e-3, -6.39, 6.41),
  absolute(0, 0.02, -2, 2), // the default of torch.nn.init.trunc_normal_ at a transformer's std
  absolute(0, 1, -1e300, 1e300),
  absolute(100, 1, 93.6, INF), // 93.66 is drawn, and its bfloat16 is 93.5
  absolute(-100, 1, -INF, -93.6),
  absolute(1.003, 1e-4, 1.001, 1.0078125), // the mean's bfloat16, 1, is out of bounds
  absolute(0.4, 1e-6, 0.3, 1),
  absolute(2049.2, 0.01, 2049.1, 2051), // the same in float16: 2048 and 2050
  absolute(1 + 2 ** -25, 2 ** -40, 1 + 2 ** -26, 1 + 2 ** -23), // the same in float32
  absolute(1e-8, 1e-11, 9e-9, 6e-8), // the same among float16's subnormals
  absolute(-1e-8, 1e-11, -6e-8, -9e-9),
  absolute(0, 1e-310, 1, 2), // not even in float64 are the bounds so many sigmas
  absolute(1.5, 1e-310, 1, 2),
  absolute(7, 1, 1e5, 2e5),
  absolute(0, 1e-5, 1e-3, 2e-3),
];

/** Random numbers for making laws: of a seed that no test draws from. */
function* fractions(): Generator<number, never> {
  const keys = philoxKeys(0x1505n);
  const words = new Int32Array(4);
  for (let n = 0; ; n++) {
    philoxBlocks(keys, 0n, n, 1, words);
    for (const word of words) yield (word >>> 0) / 2 ** 32;
  }
}

/** `count` laws with bounds of all magnitudes and distances, most of them between the values of a dtype. */
export function* randomLaws(count: number): Generator<BoundedLaw> {
  const source = fractions();
  const next = (): number => source.next().value;
  const power = (from: number, to: number): number => 10 ** (from + (to - from) * next());
  for (let k = 0; k < count; k++) {
    const a = (next() < 0.5 ? -1 : 1) * power(-9, 4.7);
    const width = next() < 0.5 ? Math.abs(a) * power(-4, 1) : power(-8, 4.5);
    const b = a + width;
    if (k % 2 === 0) yield uniform(a, b);
    else {
      const mean = a + width * (3 * next() - 1);
      const open = next();
      yield absolute(mean, width * power(-3, 1), open < 0.2 ? -INF : a, open > 0.8 ? INF : b);
    }
  }
}

/** The ends of a law that is not rescaled. */
export function limits(law: BoundedLaw): readonly [number, number] {
  if (law.kind === 'uniform') return [law.min, law.max];
  if ('absolute' in law.bounds) return law.bounds.absolute;
  const [lower, upper] = law.bounds.sigmas;
  return [law.mean + law.std * lower, law.mean + law.std * upper];
}

function violation(generator: Sampler, law: BoundedLaw, dtype: DType): string | null {
  const [min, max] = limits(law);
  const perBlock = dtype === 'float64' ? 2 : 4;
  const fills = [
    { seed: 18n, stream: 0n, shape: [64], offset: 0 },
    ...EXTREME_PLACES.map(({ seed, stream, block }) => ({
      seed,
      stream,
      shape: [perBlock],
      offset: perBlock * block,
    })),
  ];
  for (const fill of fills) {
    const data = generator.fill({ law, dtype, ...fill });
    const values = dtype === 'float64' ? data : toFloat32(data, dtype);
    const out = values.findIndex((x) => !(x >= min && (law.kind === 'uniform' ? x < max : x <= max)));
    if (out >= 0) return `${values[out]} of ${JSON.stringify(law)} in ${dtype}`;
  }
  return null;
}

/** Every law in every dtype that has a value within its bounds: what left them, and how many combinations were tried. */
export function boundsViolations(generator: Sampler, laws: Iterable<BoundedLaw>): Violations {
  return violationsOver(laws, DTYPE_NAMES, (law, dtype) => violation(generator, law, dtype));
}
