import { type Initializer, truncatedNormal, zeros } from '../../initializers/index.js';
import { booleanOption, numberOption, oneOf, withDefault } from '../../options.js';
import type { ModelDescription, ModelTensor } from '../presets/types.js';
import { depthOf, endsBranch, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

type Variant = 'normal' | 'mitchell' | 'full_megatron';
const VARIANTS: readonly Variant[] = ['normal', 'mitchell', 'full_megatron'];

interface Settings {
  readonly std: number;
  readonly scaleEmbedding: boolean;
}

/**
 * OLMo (allenai/OLMo, olmo/model.py, `reset_parameters`), all of them normals cut at ±cutoff·σ and not rescaled; d is the
 * width, i the block from 0 on, L their number:
 *
 * | variant | embeddings | into attention and MLP | attention's output | MLP's output | head |
 * |---|---|---|---|---|---|
 * | `normal` (OLMo 2) | std | std | std | std | std |
 * | `mitchell` (OLMo 1) | 1/√d | 1/√d | 1/√(2d(i+1)) | 1/√(2·inputs·(i+1)) | 1/√d |
 * | `full_megatron` | std, with `scaleEmbedding` std·√d | std | std/√(2L) | std/√(2L) | 1/√d |
 *
 * Position embeddings are never scaled; biases are 0.
 *
 * Options: `variant` [`normal`], `std` [0.02], `cutoff` [3], `scaleEmbedding` [false] (`full_megatron` only).
 */
export const olmo: WeightRecipe = {
  id: 'olmo',
  title: 'OLMo: truncated normals; variants normal, mitchell, full_megatron',
  families: ['decoder'],
  options: ['variant', 'std', 'cutoff', 'scaleEmbedding'],
  lawsOf(model, options) {
    const variant = oneOf(withDefault(options['variant'], 'normal'), VARIANTS, 'variant of the recipe olmo');
    const cutoff = numberOption(withDefault(options['cutoff'], 3), 'cutoff of the recipe olmo', { above: 0 });
    const settings: Settings = {
      std: stdOption(options, 'std', 0.02, 'olmo'),
      scaleEmbedding: booleanOption(
        withDefault(options['scaleEmbedding'], false),
        'scaleEmbedding of the recipe olmo',
      ),
    };
    const stdOf = { normal: () => settings.std, mitchell, full_megatron: fullMegatron }[variant];
    return (tensor): Initializer | undefined => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      return truncatedNormal({ std: stdOf(model, tensor, settings), sigmas: [-cutoff, cutoff] });
    };
  },
};

function mitchell(model: ModelDescription, tensor: ModelTensor): number {
  if (!endsBranch(tensor)) return 1 / Math.sqrt(model.hidden);
  // The width, also where attention's output has other inputs: olmo/model.py has d_model there.
  const inputs = tensor.role === 'mlpDown' ? tensor.fanIn! : model.hidden;
  return 1 / Math.sqrt(2 * inputs * (tensor.layer! + 1));
}

function fullMegatron(
  model: ModelDescription,
  tensor: ModelTensor,
  { std, scaleEmbedding }: Settings,
): number {
  if (tensor.role === 'head') return 1 / Math.sqrt(model.hidden);
  if (tensor.role === 'tokenEmbedding' && scaleEmbedding) return std * Math.sqrt(model.hidden);
  return endsBranch(tensor) ? std / Math.sqrt(2 * depthOf(model, tensor)) : std;
}
