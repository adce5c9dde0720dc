import { IsometryError, showName } from '../../errors.js';
import { normal, zeros } from '../../initializers/index.js';
import { booleanOption, withDefault } from '../../options.js';
import type { ModelDescription, ModelTensor } from '../presets/types.js';
import { baseShapes } from './base.js';
import { depthOf, endsBranch, kindOf, stdOption } from './facts.js';
import type { WeightRecipe } from './types.js';

/**
 * The initial weights of μP, the maximal update parametrization (Yang et al. 2022, "Tensor Programs V", arXiv:2203.03466, table
 * 8; microsoft/mup, mup/init.py, `constant_std_init_`). An axis that is longer or shorter than the base's is a width. A matrix
 * between two widths is N(0, std²·baseInputs/inputs); with one width or none, as embeddings, the head, routers and the
 * first convolution are, N(0, std²). Biases and norms stay as the preset has them. At the base's own widths all are N(0, std²).
 *
 * Learning rates by width, the head's factor 1/width and attention's 1/d instead of 1/√d are the trainer's.
 *
 * Options: `std` [0.02] at the base's widths; `depthScaling` [false], to divide by √(2L) where a residual branch ends;
 * `readoutZeroInit` and `queryZeroInit` [false], which the authors recommend.
 */
export const mup: WeightRecipe = {
  id: 'mup',
  title: 'μP: weights scaled by how much wider the model is than a base',
  families: ['decoder', 'encoder', 'encoderDecoder', 'vision', 'convolutional'],
  options: ['std', 'depthScaling', 'readoutZeroInit', 'queryZeroInit'],
  base: 'required',
  lawsOf(model, options, base) {
    const std = stdOption(options, 'std', 0.02, 'mup');
    const flag = (key: string): boolean =>
      booleanOption(withDefault(options[key], false), `${key} of the recipe mup`);
    const depthScaling = flag('depthScaling');
    const readoutZero = flag('readoutZeroInit');
    const queryZero = flag('queryZeroInit');
    if (readoutZero) checkReadout(model);
    if (queryZero) checkQueries(model);
    const shapes = baseShapes(model, base!);
    const ratios = new Map(
      model.tensors.map((tensor) => [tensor.name, inputRatio(tensor, shapes.get(tensor.name)!)]),
    );
    return (tensor) => {
      const kind = kindOf(tensor);
      if (kind !== 'matrix' && kind !== 'embedding') return undefined;
      if (readoutZero && tensor.role === 'head') return zeros();
      if (queryZero && tensor.role === 'query') return zeros();
      const scaled = std / Math.sqrt(ratios.get(tensor.name)!);
      return normal({
        std: depthScaling && endsBranch(tensor) ? scaled / Math.sqrt(2 * depthOf(model, tensor)) : scaled,
      });
    };
  },
};

/**
 * inputs / inputs of the base for a matrix between two widths, 1 for any other tensor.
 * @throws IsometryError `INVALID_OPTION` when an axis differs that is no width.
 */
function inputRatio(tensor: ModelTensor, base: readonly number[]): number {
  const { name, shape, layout } = tensor;
  const kind = kindOf(tensor);
  const [output, input] = layout === 'IO' ? [1, 0] : [0, 1];
  // Rows of an embedding and outputs of a head are tokens, positions and classes.
  const fixed = kind === 'embedding' ? 0 : tensor.role === 'head' ? output : undefined;
  for (const [axis, size] of shape.entries()) {
    const isWidth = kind === 'own' || (axis !== fixed && (axis === output || axis === input));
    if (size === base[axis] || isWidth) continue;
    throw new IsometryError(
      'INVALID_OPTION',
      `expected a base that differs from the model in widths alone, but axis ${axis} of ${showName(name)} is ${size} in the model and ${base[axis]} in the base; give both the same vocabulary, positions, classes and kernels`,
    );
  }
  if (kind !== 'matrix') return 1;
  const [inputs, baseInputs] = [shape[input]!, base[input]!];
  return shape[output] === base[output] ? 1 : inputs / baseInputs;
}

function checkReadout(model: ModelDescription): void {
  if (model.tensors.some((tensor) => tensor.role === 'head' && kindOf(tensor) === 'matrix')) return;
  throw new IsometryError(
    'INVALID_OPTION',
    `expected a model with a head of its own for readoutZeroInit of the recipe mup, but that of ${model.modelType} is tied to the embedding or missing; set tie_word_embeddings: false in the config, or leave the option out`,
  );
}

function checkQueries(model: ModelDescription): void {
  const other = model.tensors.find(({ role }) => role === 'queryKeyValue' || role === 'keyValue');
  const separate = model.tensors.some(({ role }) => role === 'query');
  if (other === undefined && separate) return;
  const reason =
    other === undefined
      ? 'has no queries'
      : other.role === 'keyValue'
        ? 'makes them from two matrices, which would never leave 0'
        : `has them in ${other.name} with keys and values`;
  throw new IsometryError(
    'INVALID_OPTION',
    `expected a model whose queries have a matrix of their own for queryZeroInit of the recipe mup, but ${model.modelType} ${reason}; leave the option out`,
  );
}
