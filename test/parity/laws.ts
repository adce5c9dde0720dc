// The laws and dtypes over which the backends are compared: every primitive, every way to draw it.
import { DTYPE_NAMES, type DType } from '../../src/dtype.js';
import type { ElementPrimitive } from '../../src/job.js';
import type { ElementLaw } from '../../src/law.js';
import { lowerLaw } from '../../src/lower.js';

const INF = Number.POSITIVE_INFINITY;

const truncated = (mean: number, std: number, lower: number, upper: number, rescale = false): ElementLaw => ({
  kind: 'truncatedNormal',
  mean,
  std,
  bounds: { sigmas: [lower, upper] },
  rescale,
});

const LAWS: Record<string, ElementLaw> = {
  'constant 0': { kind: 'constant', value: 0 },
  'constant 0.1': { kind: 'constant', value: 0.1 },
  'uniform [-1, 1)': { kind: 'uniform', min: -1, max: 1 },
  'uniform [0.1, 0.7)': { kind: 'uniform', min: 0.1, max: 0.7 },
  'uniform, subnormal in 16 bits': { kind: 'uniform', min: -3e-6, max: 2e-6 },
  'normal(0, 1)': { kind: 'normal', mean: 0, std: 1 },
  'normal(0.3, 0.02)': { kind: 'normal', mean: 0.3, std: 0.02 },
  'normal(0, 1e-42), subnormal in float32': { kind: 'normal', mean: 0, std: 1e-42 },
  'truncated ±2σ, rescaled': truncated(0, 0.05, -2, 2, true),
  'truncated [-1σ, ∞)': truncated(1, 3, -1, INF),
  'truncated [-0.5σ, 3σ] about -7': truncated(-7, 0.25, -0.5, 3),
  'truncated [-2σ, 0], subnormal: -0 at a bound of 0': truncated(0, 1e-44, -2, 0),
  'far tail [8σ, 9σ]': truncated(0, 1, 8, 9),
  'far tail (-∞, -4σ]': truncated(2, 0.5, -INF, -4),
  'narrow [0.1σ, 0.3σ]': truncated(0, 1, 0.1, 0.3),
};

export interface Case {
  readonly name: string;
  readonly dtype: DType;
  readonly primitive: ElementPrimitive;
}

/** Every law in every dtype. */
export const CASES: readonly Case[] = Object.entries(LAWS).flatMap(([name, law]) =>
  DTYPE_NAMES.map((dtype) => ({ name: `${name}, ${dtype}`, dtype, primitive: lowerLaw(law, dtype, name) })),
);
