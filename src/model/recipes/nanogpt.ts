import { normal, zeros } from '../../initializers/index.js';
import { depthOf, endsBranch, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * nanoGPT (karpathy/nanoGPT, model.py, `GPT._init_weights`), after GPT-2 (Radford et al. 2019, section 2.3): linear layers
 * and embeddings N(0, 0.02²), both `c_proj` N(0, (0.02/√(2L))²) with L blocks, biases 0.
 *
 * Options: `std` [0.02].
 */
export const nanogpt: WeightRecipe = {
  id: 'nanogpt',
  title: 'nanoGPT: N(0.02), 0.02/√(2L) where a residual branch ends',
  families: ['decoder'],
  options: ['std'],
  lawsOf(model, options) {
    const std = stdOption(options, 'std', 0.02, 'nanogpt');
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'own') return undefined;
      if (kind === 'bias') return zeros();
      return normal({ std: endsBranch(tensor) ? std / Math.sqrt(2 * depthOf(model, tensor)) : std });
    };
  },
};
