import { setImmediate } from 'node:timers/promises';
import { dtypeInfo } from '../dtype.js';
import { expected, showName } from '../errors.js';
import { parseSignal } from '../fill.js';
import { orthogonal, parseInitializer } from '../initializers/index.js';
import { checkKeys, numberOption, oneOf, withDefault } from '../options.js';
import { parseSeed } from '../seed.js';
import { type Activations, measureActivations } from './activations.js';
import {
  type CheckedLayer,
  checkDistinct,
  type LsuvInitialize,
  type LsuvLayer,
  parseLayer,
  type Start,
} from './layers.js';
import { type Goal, type LsuvReport, rescale } from './rescale.js';
import { ScaledWeights } from './scaled-weights.js';

/** Whose squares are numbers of full precision. */
const TARGETS = { min: 1e-150, max: 1e150 };

/** Told after each forward pass. */
export interface LsuvProgress {
  readonly name: string;
  /** Of the layer, from 0 on. */
  readonly index: number;
  /** How many layers. */
  readonly layers: number;
  /** How often this layer was rescaled before the pass. */
  readonly iterations: number;
  /** Of this pass' activations. */
  readonly std: number;
}

/** Options of {@link lsuv}. */
export interface LsuvOptions {
  /** Standard deviation that each layer's activations get, from 1e-150 to 1e150. Default 1. */
  readonly target?: number | undefined;
  /**
   * How far they may be off: |std − target| ≤ tolerance × target. Above 0, at most 0.5. Default 0.01; the paper's own is
   * about 0.05 (0.1 of the variance).
   */
  readonly tolerance?: number | undefined;
  /** How often a layer is rescaled at most, from 1 on. Default 10, as in the paper. */
  readonly maxIterations?: number | undefined;
  /** What a layer out of tolerance after that is: an error (the default), or left at the nearest that was reached. */
  readonly ifNotConverged?: 'throw' | 'keep' | undefined;
  /** Fills the weights of all layers before the first pass. Default: they are what you filled them with. */
  readonly initialize?: LsuvInitialize | undefined;
  /** Stops before the next pass or batch; `lsuv` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** What it throws, `lsuv` rejects with. */
  readonly onProgress?: ((progress: LsuvProgress) => void) | undefined;
}

/**
 * The forward pass, which is yours: runs the network, with the weights as they are now, as far as this layer.
 * @param name - the layer's.
 * @param index - its place among the layers.
 * @returns what the layer computes, before its activation function, for all samples: in any order, and in batches if
 * you like.
 */
export type LsuvForward = (name: string, index: number) => Activations | Promise<Activations>;

interface Settings extends Goal {
  readonly initialize: Start | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: LsuvOptions['onProgress'];
}

/**
 * Layer-sequential unit-variance initialization (Mishkin, Matas 2016, "All you need is a good init",
 * arXiv:1511.06422): goes through the layers in the order given, and multiplies the weights of each by a factor until
 * the standard deviation of what it computes, for real data, is `target`. For networks of which no theory says the
 * gain: with residual paths, pooling, unusual activations.
 *
 * The weights should be orthogonal before: fill them with `orthogonal()`, or let `initialize` do it. A layer without
 * bias needs one rescaling, W ← W·target/std. Where a bias, a skip connection or an activation function takes part,
 * more: the factor then comes from the line through the last two (factor², variance), which is exact for what is added
 * to the layer independently of it.
 *
 * Weights always are the initial ones times one factor, rounded once: tries leave no rounding behind. With
 * `initialize`, the initial ones of a 16-bit layer are those of float32. The factor is made with + − × ÷ and sqrt
 * alone: it is as reproducible as the forward pass.
 *
 * A layer is rescaled as a whole or not at all. If `lsuv` rejects, the layers before are done, and this one and those
 * behind it hold what they held before, or what `initialize` filled them with; calling again without `initialize`
 * goes on from there.
 *
 * ```ts
 * import { fillSync, lsuv, orthogonal } from 'isometry';
 *
 * const data = Float64Array.from({ length: 100 * 8 }, (_, i) => ((i * 37) % 101) / 10); // 100 samples of 8 numbers
 * const hidden = fillSync('hidden', [16, 8], orthogonal(), { seed: 1 });
 * const output = fillSync('output', [4, 16], orthogonal(), { seed: 1 });
 *
 * const dense = (x: Float64Array, { shape: [o, i], data: w }: typeof hidden) =>
 *   Float64Array.from({ length: (x.length / i!) * o! }, (_, at) => {
 *     let sum = 0;
 *     for (let k = 0; k < i!; k++) sum += w[(at % o!) * i! + k]! * x[Math.floor(at / o!) * i! + k]!;
 *     return sum;
 *   });
 *
 * const report = await lsuv([hidden, output], (name) => {
 *   const z = dense(data, hidden);
 *   return name === 'hidden' ? z : dense(z.map((v) => Math.max(v, 0)), output);
 * });
 * console.log(report.map(({ name, stdAfter }) => `${name} ${stdAfter.toFixed(2)}`)); // [ 'hidden 1.00', 'output 1.00' ]
 * ```
 *
 * @param layers - in the order in which data goes through them. Biases stay as they are; zeros are best.
 * @param forward - see {@link LsuvForward}. It must read the weights where they are: what holds a copy (a GPU, a graph)
 * has to be given them again in each pass. Other data in each pass is fine if it has more samples than the tolerance
 * needs.
 * @throws (rejects with) IsometryError `INVALID_*` or `UNKNOWN_OPTION` for a wrong argument or result of `forward`,
 * before anything is changed where it can be known then; `ACTIVATION_ERROR` for a layer that no factor helps: one that
 * computes the same for all samples, NaN or infinities, or does not come near the target; what `forward` and
 * `onProgress` throw; the signal's reason.
 */
export async function lsuv(
  layers: readonly LsuvLayer[],
  forward: LsuvForward,
  options: LsuvOptions = {},
): Promise<readonly LsuvReport[]> {
  const settings = parseSettings(options);
  if (!Array.isArray(layers)) throw expected('INVALID_ARGUMENT', 'an array of layers', 'layers', layers);
  if (typeof forward !== 'function') throw expected('INVALID_ARGUMENT', 'a function', 'forward', forward);
  const checked = Array.from(layers, (layer, index) => parseLayer(layer, index, settings.initialize));
  checkDistinct(checked);

  const { signal, onProgress } = settings;
  for (const layer of checked) {
    signal?.throwIfAborted();
    if (layer.make !== undefined) (await unrounded(layer, signal)).write(1);
  }
  const reports: LsuvReport[] = [];
  for (const [index, layer] of checked.entries()) {
    signal?.throwIfAborted();
    // What the other dtypes were filled with is there to be copied.
    const weights =
      dtypeInfo(layer.dtype).bytes === 2 ? await unrounded(layer, signal) : new ScaledWeights(layer);
    const measure = async (iterations: number): Promise<number> => {
      await setImmediate(); // a signal can abort between passes that never wait
      signal?.throwIfAborted();
      const activations = await forward(layer.name, index);
      signal?.throwIfAborted();
      const { std } = await measureActivations(activations, showName(layer.name), layer.outputs, signal);
      onProgress?.({ name: layer.name, index, layers: checked.length, iterations, std });
      signal?.throwIfAborted();
      return std;
    };
    reports.push(await rescale(layer, weights, settings, measure));
  }
  return reports;
}

async function unrounded(layer: CheckedLayer, signal: AbortSignal | undefined): Promise<ScaledWeights> {
  return new ScaledWeights(layer, await layer.make?.(signal));
}

const KEYS = [
  'target',
  'tolerance',
  'maxIterations',
  'ifNotConverged',
  'initialize',
  'signal',
  'onProgress',
] as const;

function parseSettings(options: unknown): Settings {
  const given = checkKeys(options, KEYS, 'lsuv');
  const { onProgress } = given;
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw expected('INVALID_OPTION', 'a function', 'onProgress', onProgress);
  }
  const maxIterations = numberOption(withDefault(given['maxIterations'], 10), 'maxIterations', { min: 1 });
  if (!Number.isInteger(maxIterations)) {
    throw expected('INVALID_OPTION', 'a whole number', 'maxIterations', maxIterations);
  }
  const tolerance = numberOption(withDefault(given['tolerance'], 0.01), 'tolerance', { above: 0, max: 0.5 });
  const ifNotConverged = withDefault(given['ifNotConverged'], 'throw');
  return {
    target: numberOption(withDefault(given['target'], 1), 'target', TARGETS),
    tolerance,
    maxIterations,
    keep: oneOf(ifNotConverged, ['throw', 'keep'] as const, 'ifNotConverged') === 'keep',
    initialize: parseInitialize(given['initialize']),
    signal: parseSignal(given['signal']),
    onProgress: onProgress as LsuvOptions['onProgress'],
  };
}

function parseInitialize(initialize: unknown): Start | undefined {
  if (initialize === undefined) return undefined;
  const given = checkKeys(initialize, ['seed', 'initializer'], 'initialize');
  const initializer = withDefault(given['initializer'], orthogonal());
  return {
    seed: parseSeed(given['seed']),
    initializer: parseInitializer(initializer, 'initialize.initializer'),
  };
}
