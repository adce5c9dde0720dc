// LSUV on a real small network that no gain is known for: convolutions, average pooling, an activation that is none of
// the usual ones, biases, a skip connection around every second layer, a dense head.
import { beforeAll, describe, expect, it } from 'vitest';
import { fill, fillSync, type LsuvReport, lsuv, normal, orthogonal, type Tensor } from '../../src/index.js';
import { combine, gaussian, layer, type Signal } from './network.js';

const CHANNELS = 8;
const SPACE = [4, 4];
const POSITIONS = 16;
const CONVOLUTIONS = 9;
const CLASSES = 10;
/** Samples, in two batches. */
const BATCHES = [12, 8];

const initializer = orthogonal();
const makeWeights = (): Promise<Tensor[]> =>
  Promise.all([
    ...Array.from({ length: CONVOLUTIONS }, (_, index) =>
      fill(`conv${index}`, [CHANNELS, CHANNELS, 3, 3], initializer, { seed: 5 }),
    ),
    fill('head', [CLASSES, CHANNELS], initializer, { seed: 5 }),
  ]);

const biases = Array.from({ length: CONVOLUTIONS + 1 }, (_, index) => gaussian(`bias${index}`, CLASSES, 0.3));
const samples = Array.from(
  { length: 20 },
  (_, index) =>
    fillSync(`sample${index}`, [CHANNELS, ...SPACE], normal({ mean: 0.5, std: 3 }), { seed: 6 }).data,
).map((data) => Float64Array.from(data));

/** x² / (1 + |x|): no theory at hand. */
const bend = (z: Signal): Signal => z.map((value) => (value * value) / (1 + Math.abs(value)));

/** What layer `last` computes for one sample, before its activation function. */
function forward(weights: readonly Tensor[], sample: Signal, last: number): Signal {
  let x = sample;
  for (let index = 0; index < CONVOLUTIONS; index++) {
    const z = layer(weights[index]!, x, SPACE, biases[index]);
    if (index === last) return z;
    x = index % 2 === 0 ? bend(z) : combine(1, x, 1, bend(z));
  }
  const pooled = Float64Array.from({ length: CHANNELS }, (_, channel) => {
    const from = x.subarray(channel * POSITIONS, (channel + 1) * POSITIONS);
    return from.reduce((sum, value) => sum + value, 0) / POSITIONS;
  });
  return layer(weights[CONVOLUTIONS]!, pooled, [1], biases[CONVOLUTIONS]);
}

function* inBatches(weights: readonly Tensor[], last: number): Generator<number[]> {
  let first = 0;
  for (const size of BATCHES) {
    yield samples.slice(first, first + size).flatMap((sample) => [...forward(weights, sample, last)]);
    first += size;
  }
}

/** Standard deviation of what a layer computes for all samples: apart from the library's own sums. */
function stdOf(weights: readonly Tensor[], last: number): number {
  const values = samples.flatMap((sample) => [...forward(weights, sample, last)]);
  const mean = values.reduce((sum, value) => sum + value) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe('a small CNN', () => {
  const all = Array.from({ length: CONVOLUTIONS + 1 }, (_, index) => index);
  let before: number[];
  let weights: Tensor[];
  let reports: readonly LsuvReport[];
  beforeAll(async () => {
    weights = await makeWeights();
    before = all.map((index) => stdOf(weights, index));
    reports = await lsuv(weights, (_, index) => inBatches(weights, index), { tolerance: 0.001 });
  });

  it('with orthogonal weights alone has layers that are far from unit variance', () => {
    for (const std of before) expect(std).toBeGreaterThan(1.5);
    expect(before.at(-1)).toBeGreaterThan(5);
  });

  it('has unit variance in every layer after lsuv', () => {
    for (const index of all) expect(Math.abs(stdOf(weights, index) - 1)).toBeLessThan(0.0011);
    expect(reports.map(({ name }) => name)).toEqual(weights.map(({ name }) => name));
    for (const { iterations } of reports) expect(iterations).toBeLessThanOrEqual(4);
  });

  it('has weights that are the orthogonal ones times one factor', async () => {
    const initial = await makeWeights();
    for (const index of all) {
      const { scale } = reports[index]!;
      expect(weights[index]!.data).toEqual(initial[index]!.data.map((value) => value * scale));
    }
  });

  it('gets the same weights again', async () => {
    const again = await makeWeights();
    await lsuv(again, (_, index) => inBatches(again, index), { tolerance: 0.001 });
    expect(again.map(({ data }) => data)).toEqual(weights.map(({ data }) => data));
  });
});
