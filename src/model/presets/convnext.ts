import { constant, normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** ConvNeXt as transformers 5 has it: kernels and matrices N(0, initializer_range²), branches scaled to almost nothing. */
export const convnext: Preset = {
  id: 'hf5/convnext',
  modelType: 'convnext',
  architectures: ['ConvNextForImageClassification', 'ConvNextModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const stages = config.size('num_stages', 4);
  const widths = config.list('hidden_sizes', [96, 192, 384, 768]);
  const depths = config.list('depths', [3, 3, 9, 3]);
  for (const [name, list] of [
    ['hidden_sizes', widths],
    ['depths', depths],
  ] as const) {
    if (list.length !== stages)
      throw config.wrong(`${stages} entries, one for each of num_stages,`, name, list);
  }
  const init = normal({ std: config.range() });
  const classifies = config.architecture(convnext.architectures) === 'ConvNextForImageClassification';
  const prefix = classifies ? 'convnext.' : '';
  const scale = config.number('layer_scale_init_value', 1e-6);
  const list = new TensorList();
  const embeddings = `${prefix}embeddings`;
  const channels = config.size('num_channels', 3);
  list.convolution(`${embeddings}.patch_embeddings`, widths[0]!, channels, config.pair('patch_size', 4), {
    init,
    bias: true,
    role: 'patchEmbedding',
  });
  list.norm(`${embeddings}.layernorm`, widths[0]!, { bias: true });
  let layer = 0;
  for (const [stage, width] of widths.entries()) {
    const path = `${prefix}encoder.stages.${stage}`;
    if (stage > 0) {
      const before = widths[stage - 1]!;
      list.norm(`${path}.downsampling_layer.0`, before, { bias: true });
      list.convolution(`${path}.downsampling_layer.1`, width, before, [2, 2], {
        init,
        bias: true,
        role: 'convolution',
      });
    }
    for (let depth = 0; depth < depths[stage]!; depth++, layer++) {
      const block = `${path}.layers.${depth}`;
      const place = (position: number) => ({ layer, init, bias: true, branch: { position, length: 3 } });
      if (scale > 0) {
        list.add({
          name: `${block}.layer_scale_parameter`,
          shape: [width],
          init: constant({ value: scale }),
          role: 'layerScale',
          part: 'weight',
          layer,
        });
      }
      list.convolution(`${block}.dwconv`, width, width, [7, 7], {
        ...place(0),
        groups: width,
        role: 'convolution',
      });
      list.norm(`${block}.layernorm`, width, { bias: true, layer });
      list.linear(`${block}.pwconv1`, 4 * width, width, { ...place(1), role: 'mlpUp' });
      list.linear(`${block}.pwconv2`, width, 4 * width, { ...place(2), role: 'mlpDown' });
    }
  }
  const last = widths.at(-1)!;
  list.norm(`${prefix}layernorm`, last, { bias: true });
  if (classifies) list.classifier('classifier', config.labels(), last, { init, bias: true });
  return {
    modelType: 'convnext',
    family: 'convolutional',
    hidden: widths[0]!,
    layers: new Map([['', layer]]),
    tensors: list.tensors,
    ties: [],
  };
}
