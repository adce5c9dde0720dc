import { IsometryError, showName } from '../errors.js';
import type { CheckedLayer } from './layers.js';
import type { ScaledWeights } from './scaled-weights.js';

/** What `lsuv` did to a layer. */
export interface LsuvReport {
  readonly name: string;
  /** How many factors were tried. */
  readonly iterations: number;
  /** Standard deviation of what the layer computes, with the weights that it had before and those it has now. */
  readonly stdBefore: number;
  readonly stdAfter: number;
  /** The weights now are those before times this, rounded once. */
  readonly scale: number;
  /** Whether `stdAfter` is within the tolerance; always, unless `ifNotConverged` is `keep`. */
  readonly converged: boolean;
}

/** Where a layer is to get, and how long it may take. */
export interface Goal {
  readonly target: number;
  /** Relative to `target`. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Whether to be content with the nearest. */
  readonly keep: boolean;
}

/** A factor on the weights, squared, and the variance that it leads to. */
interface Trial {
  readonly factor: number;
  readonly variance: number;
}

/** Most that a step along a line changes the squared factor by: a line is trusted near its two points only. */
const LONGEST_STEP = 64;

/**
 * Multiplies a layer's weights by a factor so that what it computes has the standard deviation wanted.
 *
 * @param measure - a forward pass: the standard deviation with the weights as they are.
 * @throws (rejects with) IsometryError `ACTIVATION_ERROR` where no factor leads there, or with what `measure` does;
 * the weights are then as before.
 */
export async function rescale(
  layer: CheckedLayer,
  weights: ScaledWeights,
  goal: Goal,
  measure: (iterations: number) => Promise<number>,
): Promise<LsuvReport> {
  try {
    return await search(layer, weights, goal, measure);
  } catch (error) {
    try {
      weights.write(1);
    } catch {
      // Their memory went elsewhere; the first error is the one to know.
    }
    throw error;
  }
}

async function search(
  { name, dtype }: CheckedLayer,
  weights: ScaledWeights,
  goal: Goal,
  measure: (iterations: number) => Promise<number>,
): Promise<LsuvReport> {
  const { target, tolerance, maxIterations } = goal;
  const layer = `layer ${showName(name)}`;
  const stdBefore = await measure(0);
  let now: Trial = { factor: 1, variance: stdBefore * stdBefore };
  let before: Trial | undefined;
  let best = { scale: 1, std: stdBefore };
  let [scale, std, iterations, responsive] = [1, stdBefore, 0, false];
  const converged = (): boolean => Math.abs(best.std - target) <= tolerance * target;
  while (!converged() && iterations < maxIterations) {
    if (!(now.variance > 0)) throw deadLayer(layer, std);
    const factor = nextFactor(now, before, target * target);
    scale = Math.sqrt(factor);
    if (!(scale > 0) || weights.overflows(scale)) throw overflow(layer, std, scale, dtype);
    if (!weights.write(scale)) break; // the dtype has nothing nearer
    iterations++;
    std = await measure(iterations);
    responsive ||= std !== stdBefore;
    [before, now] = [now, { factor, variance: std * std }];
    if (Math.abs(std - target) < Math.abs(best.std - target)) best = { scale, std };
  }
  if (!converged() && iterations > 0 && !responsive) throw unresponsive(layer, std, iterations);
  if (!converged() && !goal.keep) throw notConverged(layer, best.std, iterations, goal);
  if (best.scale !== scale) weights.write(best.scale);
  return Object.freeze({
    name,
    iterations,
    stdBefore,
    stdAfter: best.std,
    scale: best.scale,
    converged: converged(),
  });
}

/**
 * The squared factor to try next. Of a linear layer the variance is proportional to it. Something added to the layer that
 * does not depend on its weights makes that a line, not through 0, which two points give.
 */
function nextFactor(now: Trial, before: Trial | undefined, wanted: number): number {
  const slope = before === undefined ? 0 : (now.variance - before.variance) / (now.factor - before.factor);
  if (!(slope > 0)) return now.factor * (wanted / now.variance);
  const factor = now.factor + (wanted - now.variance) / slope;
  return Math.min(Math.max(factor, now.factor / LONGEST_STEP), now.factor * LONGEST_STEP);
}

function failure(message: string): IsometryError {
  return new IsometryError('ACTIVATION_ERROR', message);
}

function deadLayer(layer: string, std: number): IsometryError {
  return failure(
    `expected activations that differ for ${layer} but their standard deviation is ${std}: the layer is dead. ` +
      'Its inputs are all the same or zero: pass real data of several samples, ' +
      'and see that the ReLU before it lets some through (biases, or a shift of the data)',
  );
}

function unresponsive(layer: string, std: number, iterations: number): IsometryError {
  return failure(
    `expected other activations of ${layer} after each of ${iterations} changes of its weights but their standard ` +
      `deviation stays ${std}: forward must read the weights where they are (what holds a copy needs them anew in ` +
      'each pass) and return what this layer computes, before any normalization; or all that the layer gets is 0, ' +
      'and what it computes is its bias',
  );
}

function overflow(layer: string, std: number, scale: number, dtype: string): IsometryError {
  return failure(
    `expected weights of ${layer} that ${dtype} can hold but they would have to be multiplied by ${scale}, because ` +
      `its activations have standard deviation ${std}: normalize the data, or look at what the layer gets`,
  );
}

function notConverged(layer: string, std: number, iterations: number, goal: Goal): IsometryError {
  const reason =
    std > goal.target
      ? 'What does not depend on its weights (a bias, a skip connection) may be larger than that: '
      : 'An activation function with a bound, such as tanh, may never let it get there: ';
  return failure(
    `expected standard deviation ${goal.target} ± ${goal.tolerance * goal.target} for the activations of ${layer} but ` +
      `the nearest after ${iterations} of at most ${goal.maxIterations} iterations is ${std}. ${reason}` +
      'return what the layer alone computes. Else use more samples, a larger tolerance or maxIterations, ' +
      "or ifNotConverged: 'keep'",
  );
}
