import { kaimingUniform, normal, uniform, xavierUniform, zeros } from '../../initializers/index.js';
import { kindOf } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * What PyTorch's layers do when they are made (torch/nn/modules, `reset_parameters`):
 *
 * - `Linear` and `Conv*d`: weight and bias uniform within ±1/√fanIn (`kaiming_uniform_(a=√5)` for the weight)
 * - `Embedding`: N(0, 1); rows of padding tokens stay 0
 * - `MultiheadAttention`, where queries, keys and values are one matrix: `xavier_uniform_` of that matrix, whose fans are
 *   those of all three; the output's weight as a `Linear`, both biases 0. Matrices of their own are `Linear` layers.
 *
 * Norms, and parameters that are no layer of torch's, stay as the preset has them.
 */
export const torch: WeightRecipe = {
  id: 'torch',
  title: "PyTorch's own defaults, layer by layer",
  families: ['decoder', 'encoder', 'encoderDecoder', 'vision', 'stateSpace', 'convolutional'],
  options: [],
  lawsOf(model) {
    const fused = model.tensors.some(({ role }) => role === 'queryKeyValue');
    return (tensor) => {
      const { role, fanIn } = tensor;
      switch (kindOf(tensor)) {
        case 'own':
          return undefined;
        case 'embedding':
          return normal({ std: 1 });
        case 'matrix':
          return role === 'queryKeyValue' ? xavierUniform() : kaimingUniform({ a: Math.sqrt(5) });
        case 'bias': {
          if (fused && (role === 'queryKeyValue' || role === 'attentionOutput')) return zeros();
          // Of no layer that is known.
          if (fanIn === undefined) return undefined;
          const bound = 1 / Math.sqrt(fanIn);
          return uniform({ min: -bound, max: bound });
        }
      }
    };
  },
};
