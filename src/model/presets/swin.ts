import { normal, zeros } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { naturalOrder } from './natural-order.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** Swin Transformer as transformers 5 saves it: matrices N(0, initializer_range²), tables of relative positions 0. */
export const swin: Preset = {
  id: 'hf5/swin',
  modelType: 'swin',
  architectures: ['SwinForImageClassification', 'SwinModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const width = config.size('embed_dim', 96);
  const depths = config.list('depths', [2, 2, 6, 2]);
  const heads = config.list(['num_heads', 'num_attention_heads'], [3, 6, 12, 24]);
  if (heads.length !== depths.length || depths.length === 0) {
    throw config.wrong(`as many entries as depths, ${depths.length}`, 'num_heads', heads);
  }
  const [height, widthOfImage] = config.pair('image_size', 224);
  const patch = config.pair('patch_size', 4);
  const grid: [number, number] = [Math.floor(height / patch[0]), Math.floor(widthOfImage / patch[1])];
  const init = normal({ std: config.range() });
  const classifies = config.architecture(swin.architectures) === 'SwinForImageClassification';
  const prefix = classifies ? 'swin.' : '';
  const list = new TensorList();
  const embeddings = `${prefix}embeddings`;
  if (config.flag('use_absolute_embeddings', false)) {
    list.add({
      name: `${embeddings}.position_embeddings`,
      shape: [1, grid[0] * grid[1], width],
      init: zeros(),
      role: 'positionEmbedding',
      part: 'weight',
    });
  }
  list.convolution(
    `${embeddings}.patch_embeddings.projection`,
    width,
    config.size('num_channels', 3),
    patch,
    {
      init,
      bias: true,
      role: 'patchEmbedding',
    },
  );
  list.norm(`${embeddings}.norm`, width, { bias: true });
  addStages(config, list, prefix, width, depths, heads);
  const last = width * 2 ** (depths.length - 1);
  list.norm(`${prefix}layernorm`, last, { bias: true });
  if (classifies) list.classifier('classifier', config.labels(), last, { init, bias: true });
  return {
    modelType: 'swin',
    family: 'vision',
    hidden: width,
    layers: new Map([['', depths.reduce((sum, depth) => sum + depth, 0)]]),
    tensors: naturalOrder(list.tensors),
    ties: [],
  };
}

function addStages(
  config: ModelConfig,
  list: TensorList,
  prefix: string,
  firstWidth: number,
  depths: readonly number[],
  heads: readonly number[],
): void {
  const init = normal({ std: config.range() });
  const window = config.size('window_size', 7);
  const ratio = config.number('mlp_ratio', 4, 0);
  const queryBias = config.flag('qkv_bias', true);
  let layer = 0;
  for (const [stage, depth] of depths.entries()) {
    const path = `${prefix}encoder.layers.${stage}`;
    const width = firstWidth * 2 ** stage;
    config.divide(width, `the width of stage ${stage}`, heads[stage]!, `num_heads[${stage}]`);
    const inner = Math.floor(ratio * width);
    for (let index = 0; index < depth; index++, layer++) {
      const block = `${path}.blocks.${index}`;
      const [first, last] = [0, 1].map((position) => ({ layer, init, branch: { position, length: 2 } }));
      for (const role of ['query', 'key', 'value'] as const) {
        list.linear(`${block}.attention.self.${role}`, width, width, {
          ...first!,
          bias: queryBias,
          role,
          key: `${block}.attention.${role[0]}_proj.weight`,
        });
      }
      list.add({
        name: `${block}.attention.self.relative_position_bias_table`,
        shape: [(2 * window - 1) ** 2, heads[stage]!],
        init: zeros(),
        role: 'relativePositionBias',
        part: 'weight',
        layer,
        key: `${block}.attention.relative_position_bias.relative_position_bias_table`,
      });
      const output = { ...last!, bias: true, role: 'attentionOutput' } as const;
      list.linear(`${block}.attention.output.dense`, width, width, {
        ...output,
        key: `${block}.attention.o_proj.weight`,
      });
      for (const norm of ['layernorm_before', 'layernorm_after']) {
        list.norm(`${block}.${norm}`, width, { bias: true, layer });
      }
      const up = { ...first!, bias: true, role: 'mlpUp', key: `${block}.mlp.fc1.weight` } as const;
      list.linear(`${block}.intermediate.dense`, inner, width, up);
      const down = { ...last!, bias: true, role: 'mlpDown', key: `${block}.mlp.fc2.weight` } as const;
      list.linear(`${block}.output.dense`, width, inner, down);
    }
    if (stage === depths.length - 1) continue;
    list.norm(`${path}.downsample.norm`, 4 * width, { bias: true });
    list.linear(`${path}.downsample.reduction`, 2 * width, 4 * width, { init, role: 'dense' });
  }
}
