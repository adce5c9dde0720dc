import { normal, zeros } from '../../initializers/index.js';
import { depthOf, isGated, kindOf } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * LitGPT (Lightning-AI/litgpt, litgpt/pretrain.py, `initialize_weights`; from TinyLlama): linear layers and embeddings
 * N(0, 2/(5h)); the output of attention, and of a gated MLP, N(0, 1/(h·L²)); biases 0. Only `LLaMAMLP` is named there, so
 * that an MLP without a gate ends with N(0, 2/(5h)).
 */
export const litgpt: WeightRecipe = {
  id: 'litgpt',
  title: 'LitGPT: N(√(2/(5h))), 1/(√h·L) where a residual branch ends',
  families: ['decoder'],
  options: [],
  lawsOf(model) {
    const { hidden } = model;
    const gated = isGated(model);
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      const ends = tensor.role === 'attentionOutput' || (gated && tensor.role === 'mlpDown');
      const std = ends ? 1 / Math.sqrt(hidden) / depthOf(model, tensor) : Math.sqrt(2 / 5 / hidden);
      return normal({ std });
    };
  },
};
