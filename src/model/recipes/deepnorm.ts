import { IsometryError } from '../../errors.js';
import { xavierNormal, zeros } from '../../initializers/index.js';
import type { ModelDescription, ModelTensor, Role } from '../presets/types.js';
import { depthOf, kindOf } from './facts.js';
import { root } from './root.js';
import type { WeightRecipe } from './types.js';

/** Matrices whose gain is β. */
const SCALED: readonly Role[] = ['value', 'attentionOutput', 'mlpGate', 'mlpUp', 'mlpDown'];

/**
 * DeepNorm (Wang et al. 2022, "DeepNet: Scaling Transformers to 1,000 Layers", arXiv:2203.00555, figure 2): Xavier normal with
 * gain 1 for queries and keys, β for values, attention's output and the MLP; biases 0; the rest as the preset has it.
 *
 * | | α | β |
 * |---|---|---|
 * | encoder alone, N blocks | (2N)^(1/4) | (8N)^(−1/4) |
 * | decoder alone, M blocks | (2M)^(1/4) | (8M)^(−1/4) |
 * | encoder of N with a decoder of M | 0.81·(N⁴M)^(1/16) | 0.87·(N⁴M)^(−1/16) |
 * | that decoder | (3M)^(1/4) | (12M)^(−1/4) |
 *
 * α is the model's: x ← LayerNorm(α·x + f(x)). A model that computes x + f(LayerNorm(x)) is not DeepNorm with these weights.
 */
export const deepnorm: WeightRecipe = {
  id: 'deepnorm',
  title: 'DeepNorm: Xavier, with gain β by depth for values, outputs and MLPs',
  families: ['decoder', 'encoder', 'encoderDecoder', 'vision'],
  options: [],
  lawsOf(model) {
    const fused = model.tensors.find(({ role }) => role === 'queryKeyValue' || role === 'keyValue');
    if (fused !== undefined) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected a model whose values have a matrix of their own for the recipe deepnorm but received ${model.modelType}, which has them in ${fused.name} with others; values and keys have different gains, which one law cannot give`,
      );
    }
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'bias' && tensor.layer !== undefined) return zeros();
      if (kind !== 'matrix') return undefined;
      if (tensor.role === 'query' || tensor.role === 'key') return xavierNormal();
      return SCALED.includes(tensor.role) ? xavierNormal({ gain: beta(model, tensor) }) : undefined;
    };
  },
};

function beta(model: ModelDescription, tensor: ModelTensor): number {
  if (model.family !== 'encoderDecoder') return 1 / root(8 * depthOf(model, tensor), 4);
  const [encoder, decoder] = ['encoder', 'decoder'].map((stack) => model.layers.get(stack)!) as [
    number,
    number,
  ];
  if (tensor.stack === 'decoder') return 1 / root(12 * decoder, 4);
  return 0.87 / root(encoder * encoder * encoder * encoder * decoder, 16);
}
