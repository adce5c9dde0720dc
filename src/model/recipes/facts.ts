import { numberOption, withDefault } from '../../options.js';
import type { ModelDescription, ModelTensor, Role } from '../presets/types.js';

/** What every recipe tells apart, before it looks at roles. */
export type TensorKind =
  /** A table of two axes, with a row for each token, position or type. */
  | 'embedding'
  /** The weight of a linear layer or of a convolution. */
  | 'matrix'
  /** The bias of one of those. */
  | 'bias'
  /** Norms, states, tokens and scales: what recipes leave as the preset has it. */
  | 'own';

const EMBEDDINGS: ReadonlySet<Role> = new Set<Role>(['tokenEmbedding', 'positionEmbedding', 'typeEmbedding']);

/** Roles whose tensors are parameters with a law of their own, whatever their rank. */
const OWN: ReadonlySet<Role> = new Set<Role>([
  'norm',
  'layerScale',
  'learnedToken',
  'relativePositionBias',
  'mixerState',
  'other',
]);

/** See {@link TensorKind}. Buffers are nobody's but the preset's. */
export function kindOf({ role, part, shape }: ModelTensor): TensorKind {
  if (part === 'buffer' || OWN.has(role)) return 'own';
  if (part === 'bias') return 'bias';
  // Positions with more axes, as ViT has them, are parameters by themselves and no layer of any framework.
  if (EMBEDDINGS.has(role)) return shape.length === 2 ? 'embedding' : 'own';
  return shape.length >= 2 ? 'matrix' : 'own';
}

/** Whether a weight is the last one of a residual branch of a transformer: what its output is added to the stream by. */
export function endsBranch({ role }: ModelTensor): boolean {
  return role === 'attentionOutput' || role === 'mlpDown';
}

/** Number of blocks of the stack that a tensor of a block is in. */
export function depthOf(model: ModelDescription, { stack = '' }: ModelTensor): number {
  // Every stack of a description is counted; NaN would be refused by the law that it gets into.
  return model.layers.get(stack) ?? Number.NaN;
}

/** Whether the MLPs have a gate, as `down(act(gate x) · up x)`. */
export function isGated(model: ModelDescription): boolean {
  return model.tensors.some(({ role }) => role === 'mlpGate');
}

/** A standard deviation among a recipe's options: > 0. */
export function stdOption(
  options: Readonly<Record<string, unknown>>,
  key: string,
  preset: number,
  recipe: string,
): number {
  return numberOption(withDefault(options[key], preset), `${key} of the recipe ${recipe}`, { above: 0 });
}
