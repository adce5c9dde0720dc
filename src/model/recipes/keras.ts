import { glorotUniform, type Initializer, uniform, zeros } from '../../initializers/index.js';
import type { ModelTensor } from '../presets/types.js';
import { kindOf } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * What Keras's layers do by default (keras/src/layers): `Dense` and `Conv*D` `glorot_uniform` with biases 0, `Embedding`
 * uniform within ±0.05. Queries, keys and values are `Dense` layers here. Norms, and parameters that are no layer, stay as
 * the preset has them.
 *
 * For convolutions with g groups Keras reads both fans off the kernel [.., inputs/g, outputs] and so counts all outputs
 * (keras/src/initializers/random_initializers.py, `compute_fans`): ±√(6/(taps·(inputs/g + outputs))).
 */
export const keras: WeightRecipe = {
  id: 'keras',
  title: "Keras's own defaults, layer by layer",
  families: ['decoder', 'encoder', 'encoderDecoder', 'vision', 'stateSpace', 'convolutional'],
  options: [],
  lawsOf: () => (tensor) => {
    switch (kindOf(tensor)) {
      case 'own':
        return undefined;
      case 'embedding':
        return uniform({ min: -0.05, max: 0.05 });
      case 'bias':
        return zeros();
      case 'matrix':
        return (tensor.groups ?? 1) > 1 ? grouped(tensor) : glorotUniform();
    }
  },
};

/** PyTorch's order: [outputs, inputs / groups, ...taps]. */
function grouped({ shape: [outputs, inputs, ...taps] }: ModelTensor): Initializer {
  const field = taps.reduce((product, size) => product * size, 1);
  const limit = Math.sqrt(6 / (field * (inputs! + outputs!)));
  return uniform({ min: -limit, max: limit });
}
