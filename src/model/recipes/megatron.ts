import { normal, zeros } from '../../initializers/index.js';
import { checkBaseType } from './base.js';
import { depthOf, endsBranch, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * Megatron-LM (NVIDIA/Megatron-LM, megatron/core/transformer/transformer_config.py and megatron/core/utils.py): matrices
 * N(0, std²), what ends a residual branch N(0, std²/(2L)), embeddings N(0, embeddingStd²), biases 0.
 *
 * With a `base` as with its `--use-mup`: m = hidden / hidden of the base, matrices N(0, std²/m), ends of branches
 * N(0, std²/(2L·m)); embeddings stay, and an output layer of its own gets the embeddings' law
 * (megatron/core/models/gpt/gpt_model.py).
 *
 * Options: `std` [0.02], `embeddingStd` [std].
 */
export const megatron: WeightRecipe = {
  id: 'megatron',
  title: 'Megatron-LM: N(0.02), divided by √(2L) where a residual branch ends; muP with a base',
  families: ['decoder', 'encoder'],
  options: ['std', 'embeddingStd'],
  base: 'optional',
  lawsOf(model, options, base) {
    const std = stdOption(options, 'std', 0.02, 'megatron');
    const embeddingStd = stdOption(options, 'embeddingStd', std, 'megatron');
    if (base !== undefined) checkBaseType(model, base);
    const width = base === undefined ? 1 : model.hidden / base.hidden;
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      if (kind === 'embedding') return normal({ std: embeddingStd });
      if (tensor.role === 'head' && base !== undefined) return normal({ std: embeddingStd });
      const scaled = std / Math.sqrt(width);
      return normal({ std: endsBranch(tensor) ? scaled / Math.sqrt(2 * depthOf(model, tensor)) : scaled });
    };
  },
};
