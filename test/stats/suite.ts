// The statistical tests, each as a function of the generator under test. power.test.ts runs every one of them on every
// planted defect; the other files run them, some with more cases, on the library as it is.
import type { ElementLaw } from '../../src/law.js';
import { streamId } from '../../src/stream.js';
import { AWKWARD_LAWS, boundsViolations } from './bounds.js';
import type { Generator } from './generator.js';
import { avalanche, crossed, interleave, pairwiseCorrelations, serialPairs } from './joint.js';
import { exactCells, kolmogorovSmirnov, moments } from './marginal.js';
import { roundingViolations } from './rounding.js';

/** Samples of one test. */
export const N: number = 2 ** 20;

/** Takes a generator to p-values; a test that finds an outright violation gives 0. */
export type StatisticalTest = (generator: Generator) => number[];

export const UNIT: ElementLaw = { kind: 'uniform', min: 0, max: 1 };
export const NORMAL: ElementLaw = { kind: 'normal', mean: 0, std: 0.02 };
export const TRUNCATED: ElementLaw = {
  kind: 'truncatedNormal',
  mean: 0,
  std: 0.05,
  bounds: { sigmas: [-2, 2] },
  rescale: true,
};

/** N uniforms on [0, 1) in float32. */
export function uniforms(generator: Generator, seed: bigint, stream: bigint, n: number = N): Float32Array {
  return generator.fill({ law: UNIT, dtype: 'float32', seed, stream, shape: [n] }) as Float32Array;
}

const exactly = (violations: readonly string[]): number[] => [violations.length === 0 ? 0.5 : 0];

/** Numbers that differ from `x` in one bit, high or low. */
const flipped = (x: bigint): bigint[] => [1n, 31n, 32n, 63n].map((bit) => x ^ (1n << bit));

/** Shifts, in elements, that two sequences are compared at: neighbours, and the same place in the next block. */
const SHIFTS = [-4, -1, 0, 1, 4];

export const TESTS: ReadonlyMap<string, StatisticalTest> = new Map<string, StatisticalTest>([
  [
    'Kolmogorov-Smirnov',
    (generator) =>
      [UNIT, NORMAL, TRUNCATED].flatMap((law, k) =>
        kolmogorovSmirnov(
          generator.fill({ law, dtype: 'float32', seed: BigInt(k), stream: streamId('ks'), shape: [N] }),
          law,
        ),
      ),
  ],
  [
    'moments',
    (generator) =>
      [UNIT, NORMAL, TRUNCATED].flatMap((law, k) =>
        moments(
          generator.fill({
            law,
            dtype: 'float32',
            seed: BigInt(k + 3),
            stream: streamId('moments'),
            shape: [N],
          }),
          law,
        ),
      ),
  ],
  [
    'exact cells',
    (generator) =>
      [UNIT, NORMAL, TRUNCATED].flatMap((law, k) => {
        const dtype = k === 1 ? 'float16' : 'bfloat16';
        const ask = { law, dtype, seed: BigInt(k + 6), stream: streamId('cells'), shape: [N] } as const;
        return exactCells(generator.fill(ask) as Uint16Array, law, dtype);
      }),
  ],
  [
    'serial pairs',
    (generator) => serialPairs(uniforms(generator, 9n, streamId('pairs')), [1, 2, 3, 4, 5, 8]),
  ],
  [
    'seeds',
    (generator) => {
      const base = uniforms(generator, 10n, streamId('seeds'));
      const next = uniforms(generator, 11n, streamId('seeds'));
      const others = flipped(10n).map((seed) => uniforms(generator, seed, streamId('seeds')));
      return [...crossed(base, next, SHIFTS), ...others.flatMap((other) => crossed(base, other, [0]))];
    },
  ],
  [
    'streams',
    (generator) => {
      const base = uniforms(generator, 12n, 14n);
      const next = uniforms(generator, 12n, 15n);
      // The last has the same two numbers the other way round.
      const others = [...flipped(14n).map((stream) => [12n, stream] as const), [14n, 12n] as const].map(
        ([seed, stream]) => uniforms(generator, seed, stream),
      );
      return [...crossed(base, next, SHIFTS), ...others.flatMap((other) => crossed(base, other, [0]))];
    },
  ],
  [
    '64 names',
    (generator) =>
      pairwiseCorrelations(
        Array.from({ length: 64 }, (_, k) =>
          uniforms(generator, 13n, streamId(`layers.${k}.weight`), 2 ** 15),
        ),
      ),
  ],
  [
    'interleaved',
    (generator) => {
      const streams = Array.from({ length: 100 }, (_, k) =>
        uniforms(generator, 14n, streamId(`h.${k}.bias`), 10_486),
      );
      return serialPairs(interleave(streams, 3), [1, 2, 3, 4, 300]);
    },
  ],
  [
    'shards',
    (generator) => {
      // A matrix put together from its first three columns and the other five.
      const [rows, columns, cut] = [N / 8, 8, 3] as const;
      const whole = new Float32Array(N);
      for (const [from, to] of [
        [0, cut],
        [cut, columns],
      ] as const) {
        const slice = [null, [from, to]] as const;
        const ask = { law: UNIT, dtype: 'float32', seed: 15n, stream: streamId('shards') } as const;
        const part = generator.fill({ ...ask, shape: [rows, columns], slice });
        const width = to - from;
        for (let i = 0; i < part.length; i++) {
          whole[Math.floor(i / width) * columns + from + (i % width)] = part[i]!;
        }
      }
      return serialPairs(whole, [1, 2, 3, 8]);
    },
  ],
  [
    'avalanche',
    (generator) => {
      // Inputs as random as the outputs of a seed that no other test has.
      const inputs = Array.from({ length: 256 }, (_, k) => {
        const [a, b, c, d] = generator.block(16n, streamId('avalanche'), 2 * k) as unknown as number[];
        const [e, f] = generator.block(16n, streamId('avalanche'), 2 * k + 1) as unknown as number[];
        const join = (high: number, low: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
        return [join(a!, b!), join(c!, d!), (e! >>> 13) * 2 ** 32 + (f! >>> 0)] as const;
      });
      return avalanche((seed, stream, n) => generator.block(seed, stream, n), inputs);
    },
  ],
  ['bounds', (generator) => exactly(boundsViolations(generator, AWKWARD_LAWS).violations)],
  [
    'rounding',
    (generator) => exactly(roundingViolations(generator, [UNIT, NORMAL, TRUNCATED], 4096).violations),
  ],
]);
