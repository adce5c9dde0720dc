import { normal, truncatedNormal, zeros } from '../../initializers/index.js';
import type { Role } from '../presets/types.js';
import { isGated, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * torchtitan (pytorch/torchtitan, torchtitan/models/common/param_init.py, `make_decoder_param_init`), as for its Llama 3: token
 * embeddings N(0, embeddingStd²); what ends a residual branch, `w3` (the second matrix into a gated MLP) and routers
 * T(std/√(2(i+1))) for block i from 0 on; the head T(1/√d) cut at ±3σ, and so are embeddings that the head is tied to, unless
 * `embeddingStd` says otherwise; all other matrices T(std); biases 0.
 *
 * T is `trunc_normal_` with its default bounds, which are values: ±2, a hundred standard deviations. An MLP without a gate
 * has no `w3`; what goes into it is T(std).
 *
 * Options: `std` [0.02], `embeddingStd` [1].
 */
export const torchtitan: WeightRecipe = {
  id: 'torchtitan',
  title: 'torchtitan, Llama 3: embeddings N(1), outputs scaled by their depth, head 1/√d',
  families: ['decoder'],
  options: ['std', 'embeddingStd'],
  lawsOf(model, options) {
    const std = stdOption(options, 'std', 0.02, 'torchtitan');
    const embeddingStd = stdOption(options, 'embeddingStd', 1, 'torchtitan');
    const scaled: readonly Role[] = [
      'attentionOutput',
      'mlpDown',
      'router',
      ...(isGated(model) ? ['mlpUp' as const] : []),
    ];
    const head = truncatedNormal({ std: 1 / Math.sqrt(model.hidden), sigmas: [-3, 3] });
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      if (tensor.role === 'head') return head;
      if (tensor.role === 'tokenEmbedding') {
        const tied = model.ties.some(({ to }) => to === tensor.name);
        return tied && options['embeddingStd'] === undefined ? head : normal({ std: embeddingStd });
      }
      const depth = scaled.includes(tensor.role) ? Math.sqrt(2 * (tensor.layer! + 1)) : 1;
      return truncatedNormal({ std: std / depth, absolute: [-2, 2] });
    };
  },
};
