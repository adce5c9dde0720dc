// Defects to plant: mistakes that samplers have had, each with the tests that see it.
import type { ElementLaw } from '../../src/law.js';
import { type Hooks, roundToZero } from './generator.js';

export interface Defect {
  readonly name: string;
  readonly hooks: Hooks;
  /** The tests of suite.ts that reject it: exactly these, with their N and their seeds. */
  readonly seenBy: readonly string[];
}

const scaledStd = (law: ElementLaw): ElementLaw =>
  law.kind === 'normal' ? { ...law, std: law.std * 1.005 } : law;

// What no test here can see is another order of the words in a block, or another way to mix in the seed: such a
// generator is as random as this one, only not the same. Known answers and golden bytes are for that.
export const DEFECTS: readonly Defect[] = [
  { name: 'std × 1.005', hooks: { law: scaledStd }, seenBy: ['moments'] },
  {
    name: 'cut at ±2σ without the rescaling',
    hooks: { law: (law) => (law.kind === 'truncatedNormal' ? { ...law, rescale: false } : law) },
    seenBy: ['Kolmogorov-Smirnov', 'moments', 'exact cells', 'rounding'],
  },
  {
    name: 'dropped sign',
    hooks: { value: (x, dtype) => (dtype === 'float32' || dtype === 'float64' ? Math.abs(x) : x & 0x7fff) },
    seenBy: ['Kolmogorov-Smirnov', 'moments', 'exact cells', 'bounds'],
  },
  {
    name: 'the end of a uniform included',
    hooks: {
      primitive: (primitive, law) =>
        primitive.kind === 'uniform' && law.kind === 'uniform' ? { ...primitive, max: law.max } : primitive,
    },
    seenBy: ['exact cells', 'bounds', 'rounding'],
  },
  {
    name: 'no clamp where the bounds seem out of reach',
    hooks: {
      primitive: (primitive) =>
        primitive.kind === 'truncatedNormal' && primitive.count > 2 ** 32 - 2
          ? { kind: 'normal', mean: primitive.mean, std: primitive.std }
          : primitive,
    },
    seenBy: ['bounds'],
  },
  {
    name: 'truncation to 16 bits',
    hooks: { round: roundToZero },
    seenBy: ['exact cells', 'rounding'],
  },
  {
    name: 'every block used twice',
    hooks: { word: (i) => Math.floor(i / 8) * 4 + (i % 4) },
    seenBy: ['exact cells', 'serial pairs', 'seeds', 'streams', 'interleaved', 'shards', 'avalanche'],
  },
  {
    name: 'blocks three words apart',
    hooks: { word: (i) => Math.floor(i / 4) * 3 + (i % 4) },
    seenBy: ['exact cells', 'serial pairs', 'seeds', 'streams', 'interleaved', 'shards'],
  },
  {
    name: 'one word of each block for all',
    hooks: { word: (i) => i - (i % 4) },
    seenBy: [
      'exact cells',
      'serial pairs',
      'seeds',
      'streams',
      '64 names',
      'interleaved',
      'shards',
      'avalanche',
    ],
  },
  {
    name: 'stream ignored',
    hooks: { key: (seed) => ({ seed, stream: 0n }) },
    seenBy: ['streams', '64 names', 'interleaved', 'avalanche'],
  },
  {
    name: "seed's high word dropped",
    hooks: { key: (seed, stream) => ({ seed: seed & 0xffffffffn, stream }) },
    seenBy: ['seeds', 'avalanche'],
  },
  {
    name: 'seed added to the block number',
    hooks: { key: (seed, stream) => ({ seed: 0n, stream, skip: 4 * Number(seed & 0xffffn) }) },
    seenBy: ['seeds', 'avalanche'],
  },
  {
    name: 'seed and stream added up',
    hooks: { key: (seed, stream) => ({ seed: (seed + stream) & 0xffffffffffffffffn, stream: 0n }) },
    seenBy: ['streams'],
  },
  {
    name: 'slices start one element early',
    hooks: {
      slice: (slice) =>
        slice.map(
          (range) =>
            range && ([Math.max(0, range[0] - 1), Math.max(range[1] - range[0], range[1] - 1)] as const),
        ),
    },
    seenBy: ['shards'],
  },
];
