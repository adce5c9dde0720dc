import { kaimingNormal, kaimingUniform, uniform } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, ModelTensor, Preset } from './types.js';

/** ResNet as transformers 5 has it: He-normal kernels by fan-out (He et al. 2015), torch's default for the classifier. */
export const resnet: Preset = {
  id: 'hf5/resnet',
  modelType: 'resnet',
  architectures: ['ResNetForImageClassification', 'ResNetModel'],
  describe,
};

/** A bottleneck's inner width is a fourth of its outer one. */
const REDUCTION = 4;

function describe(config: ModelConfig): ModelDescription {
  const first = config.size('embedding_size', 64);
  const widths = config.list('hidden_sizes', [256, 512, 1024, 2048]);
  const depths = config.list('depths', [3, 4, 6, 3]);
  if (widths.length !== depths.length || widths.length === 0) {
    throw config.wrong(`as many depths as hidden_sizes, ${widths.length}`, 'depths', depths);
  }
  const bottleneck = config.choice('layer_type', ['bottleneck', 'basic'], 'bottleneck') === 'bottleneck';
  const classifies = config.architecture(resnet.architectures) === 'ResNetForImageClassification';
  const prefix = classifies ? 'resnet.' : '';
  const list = new TensorList();
  addConvolution(list, `${prefix}embedder.embedder`, first, config.size('num_channels', 3), 7, {
    role: 'patchEmbedding',
  });
  let [inputs, layer] = [first, 0];
  const downsampleFirst = config.flag('downsample_in_first_stage', false);
  for (const [stage, outputs] of widths.entries()) {
    if (bottleneck)
      config.divide(outputs, `hidden_sizes[${stage}]`, REDUCTION, 'the reduction of a bottleneck');
    for (let depth = 0; depth < depths[stage]!; depth++, layer++) {
      const block = `${prefix}encoder.stages.${stage}.layers.${depth}`;
      const strided = depth === 0 && (stage > 0 || downsampleFirst);
      if (inputs !== outputs || strided) {
        addConvolution(list, `${block}.shortcut`, outputs, inputs, 1, { role: 'convolution', layer });
      }
      const inner = outputs / REDUCTION;
      const sizes: readonly [number, number, number][] = bottleneck
        ? [
            [inner, inputs, 1],
            [inner, inner, 3],
            [outputs, inner, 1],
          ]
        : [
            [outputs, inputs, 3],
            [outputs, outputs, 3],
          ];
      for (const [position, [out, into, taps]] of sizes.entries()) {
        const branch = { position, length: sizes.length };
        addConvolution(list, `${block}.layer.${position}`, out, into, taps, {
          role: 'convolution',
          layer,
          branch,
        });
      }
      inputs = outputs;
    }
  }
  if (classifies) {
    const bound = 1 / Math.sqrt(inputs);
    list.classifier('classifier.1', config.labels(), inputs, {
      // U(±√(6 / ((1 + 5) · fanIn))) is U(±1/√fanIn).
      init: kaimingUniform({ a: Math.sqrt(5) }),
      bias: uniform({ min: -bound, max: bound }),
    });
  }
  return {
    modelType: 'resnet',
    family: 'convolutional',
    hidden: first,
    layers: new Map([['', layer]]),
    tensors: list.tensors,
    ties: [],
  };
}

function addConvolution(
  list: TensorList,
  prefix: string,
  outputs: number,
  inputs: number,
  taps: number,
  facts: Pick<ModelTensor, 'role' | 'layer' | 'branch'>,
): void {
  const init = kaimingNormal({ mode: 'fanOut', nonlinearity: 'relu' });
  list.convolution(`${prefix}.convolution`, outputs, inputs, [taps, taps], { ...facts, init });
  const { role: _, branch: __, ...place } = facts;
  list.batchNorm(`${prefix}.normalization`, outputs, place);
}
