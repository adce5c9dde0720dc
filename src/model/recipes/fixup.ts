import { IsometryError } from '../../errors.js';
import { varianceScaling, zeros } from '../../initializers/index.js';
import type { ModelDescription, ModelTensor } from '../presets/types.js';
import { kindOf } from './facts.js';
import { root } from './root.js';
import type { WeightRecipe } from './types.js';

/**
 * Fixup (Zhang, Dauphin, Ma 2019, "Fixup Initialization: Residual Learning Without Normalization", arXiv:1901.09321, section
 * 3), for L residual branches of m weights each: the last weight of a branch and the head are 0, the others of a branch
 * are He's normal times L^(−1/(2m−2)), weights outside of branches He's normal; biases 0; embeddings as the preset has them.
 * He's fan is that of the outputs, as in the authors' code (hongyi-zhang/Fixup, imagenet/models/fixup_resnet_imagenet.py).
 *
 * Fixup takes the place of normalization, so it says nothing of norms. Files must have what their model loads, so norms stay
 * as the preset has them: where they are 1, 0 and statistics not yet measured, they change nothing of a branch that is 0. To
 * train as the paper does, leave them out of the model and put its scalar multipliers (1) and biases (0) there.
 */
export const fixup: WeightRecipe = {
  id: 'fixup',
  title: 'Fixup: He, scaled by the number of residual branches; their last weights and the head 0',
  families: ['decoder', 'encoder', 'encoderDecoder', 'vision', 'convolutional'],
  options: [],
  lawsOf(model) {
    const branches = countBranches(model);
    if (branches === 0) {
      throw new IsometryError(
        'INVALID_OPTION',
        `expected a model with residual branches for the recipe fixup but received ${model.modelType}, none of whose are known`,
      );
    }
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind === 'bias') return zeros();
      if (kind !== 'matrix') return undefined;
      const { role, branch } = tensor;
      if (role === 'head') return zeros();
      if (branch === undefined) return varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'normal' });
      if (branch.position === branch.length - 1) return zeros();
      // The square of L^(−1/(2m−2)), as variances are scaled.
      const scale = 2 / root(branches, branch.length - 1);
      return varianceScaling({ scale, mode: 'fanOut', distribution: 'normal' });
    };
  },
};

/** Branches end in one weight each; the experts of a block are one branch. */
function countBranches(model: ModelDescription): number {
  const ends = model.tensors.filter(isEnd);
  const mlps = ends.filter(({ role }) => role === 'mlpDown');
  const blocks = new Set(mlps.map(({ stack, layer }) => `${stack ?? ''}/${layer}`));
  return ends.length - mlps.length + blocks.size;
}

function isEnd({ part, branch }: ModelTensor): boolean {
  return part === 'weight' && branch !== undefined && branch.position === branch.length - 1;
}
