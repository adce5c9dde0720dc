// Laws and tensors whose distribution is tested, one for each of the seeds 0 to 31.
import {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  lecunNormal,
  lecunUniform,
  normal,
  truncatedNormal,
  uniform,
  varianceScaling,
  xavierNormal,
  xavierUniform,
} from '../../src/initializers/index.js';
import type { CompositeKind } from '../../src/initializers/registry.js';

/** Of independent elements. */
type ElementInitializer = Exclude<Initializer, { kind: CompositeKind }>;

export interface DistributionCase {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: ElementInitializer;
  readonly layout?: string;
  readonly groups?: number;
}

/** Shape of a case that has no fans; 2^20 elements, like the smallest of the others. */
const FLAT = [1024, 1024];

const flat = (name: string, initializer: ElementInitializer): DistributionCase => ({
  name,
  shape: FLAT,
  initializer,
});

export const CASES: readonly DistributionCase[] = [
  flat('uniform [0, 1)', uniform({ min: 0, max: 1 })),
  flat('uniform [-0.1, 0.3)', uniform({ min: -0.1, max: 0.3 })),
  flat('normal', normal({ std: 1 })),
  flat('normal, mean 0.5, std 0.02', normal({ mean: 0.5, std: 0.02 })),
  flat('truncated ±2σ', truncatedNormal()),
  flat('truncated ±2σ, rescaled', truncatedNormal({ std: 0.02, rescale: true })),
  flat('truncated at [-2, 2], ±100σ', truncatedNormal({ std: 0.02, absolute: [-2, 2] })),
  flat('one-sided, [-1σ, ∞)', truncatedNormal({ mean: 1, std: 3, sigmas: [-1, null] })),
  flat('half-normal', truncatedNormal({ absolute: [0, null] })),
  flat('[-0.5σ, 3σ], rescaled', truncatedNormal({ std: 0.1, sigmas: [-0.5, 3], rescale: true })),
  flat('far tail [8σ, 9σ]', truncatedNormal({ sigmas: [8, 9] })),
  flat('far tail (-∞, -4σ]', truncatedNormal({ mean: 2, std: 0.5, sigmas: [null, -4] })),
  flat('narrow, [0.1σ, 0.3σ]', truncatedNormal({ sigmas: [0.1, 0.3] })),
  flat('narrow, ±0.001σ', truncatedNormal({ sigmas: [-0.001, 0.001] })),
  // A quarter of the mass, 2^30 words, is where a table takes over: one window on each side.
  flat('26 % of the mass', truncatedNormal({ sigmas: [-0.332, 0.332] })),
  flat('24 % of the mass', truncatedNormal({ sigmas: [-0.305, 0.305] })),
  { name: 'glorotUniform, dense', shape: [1024, 4096], initializer: glorotUniform() },
  { name: 'glorotNormal, IO', shape: [768, 3072], initializer: glorotNormal(), layout: 'IO' },
  { name: 'heUniform, conv OIHW', shape: [512, 256, 3, 3], initializer: heUniform() },
  { name: 'heNormal, conv HWIO', shape: [3, 3, 512, 512], initializer: heNormal(), layout: 'HWIO' },
  { name: 'lecunUniform, OHWI', shape: [512, 3, 3, 256], initializer: lecunUniform(), layout: 'OHWI' },
  { name: 'lecunNormal, dense', shape: [2048, 1024], initializer: lecunNormal() },
  { name: 'xavierUniform, gain 5/3', shape: [2048, 512], initializer: xavierUniform({ gain: 5 / 3 }) },
  { name: 'xavierNormal', shape: [512, 2048], initializer: xavierNormal() },
  { name: 'kaimingUniform, a = √5', shape: [4096, 256], initializer: kaimingUniform({ a: Math.sqrt(5) }) },
  {
    name: 'kaimingNormal, fan out, relu',
    shape: [256, 128, 7, 7],
    initializer: kaimingNormal({ mode: 'fanOut', nonlinearity: 'relu' }),
  },
  {
    name: 'varianceScaling, uniform, fanAvg',
    shape: [4096, 512],
    initializer: varianceScaling({ scale: 0.5, mode: 'fanAvg', distribution: 'uniform' }),
  },
  {
    name: 'varianceScaling, normal, fanGeoAvg',
    shape: [4096, 512],
    initializer: varianceScaling({ scale: 2, mode: 'fanGeoAvg', distribution: 'normal' }),
  },
  {
    name: 'varianceScaling, truncated, fanOut',
    shape: [4096, 512],
    initializer: varianceScaling({ scale: 0.1, mode: 'fanOut' }),
  },
  {
    name: 'heNormal, depthwise conv',
    shape: [65536, 1, 4, 4],
    initializer: heNormal(),
    groups: 65536,
  },
  {
    name: 'glorotNormal, stacked experts EIO',
    shape: [8, 512, 512],
    initializer: glorotNormal(),
    layout: 'EIO',
  },
  {
    name: 'lecunNormal, transposed conv IOHW',
    shape: [256, 512, 4, 4],
    initializer: lecunNormal(),
    layout: 'IOHW',
  },
];
