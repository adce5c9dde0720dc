import { normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { naturalOrder } from './natural-order.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/**
 * ViT as transformers 5 saves it. Its truncated normals are cut at ±2 and not at ±2σ, 100 standard deviations away:
 * plain normals.
 */
export const vit: Preset = {
  id: 'hf5/vit',
  modelType: 'vit',
  architectures: ['ViTForImageClassification', 'ViTModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size('hidden_size');
  const layers = config.blocks('num_hidden_layers');
  const intermediate = config.size('intermediate_size');
  const heads = config.size('num_attention_heads');
  const widthOfHead = config.has('head_dim')
    ? config.size('head_dim')
    : config.divide(hidden, 'hidden_size', heads, 'num_attention_heads');
  const attended = heads * widthOfHead;
  const init = normal({ std: config.range() });
  const [height, width] = config.pair('image_size', 224);
  const [patchHeight, patchWidth] = config.pair('patch_size', 16);
  const patches = Math.floor(height / patchHeight) * Math.floor(width / patchWidth);
  const classifies = config.architecture(vit.architectures) === 'ViTForImageClassification';
  const prefix = classifies ? 'vit.' : '';
  const list = new TensorList();
  const embeddings = `${prefix}embeddings`;
  list.add({
    name: `${embeddings}.cls_token`,
    shape: [1, 1, hidden],
    init,
    role: 'learnedToken',
    part: 'weight',
  });
  list.add({
    name: `${embeddings}.position_embeddings`,
    shape: [1, patches + 1, hidden],
    init,
    role: 'positionEmbedding',
    part: 'weight',
  });
  const channels = config.size('num_channels', 3);
  const kernel = [patchHeight, patchWidth];
  list.convolution(`${embeddings}.patch_embeddings.projection`, hidden, channels, kernel, {
    init,
    bias: true,
    role: 'patchEmbedding',
  });
  const queryBias = config.flag('qkv_bias', true);
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}encoder.layer.${layer}`;
    const key = `${prefix}layers.${layer}`;
    const [first, last] = [0, 1].map((position) => ({ layer, init, branch: { position, length: 2 } }));
    for (const role of ['query', 'key', 'value'] as const) {
      list.linear(`${block}.attention.attention.${role}`, attended, hidden, {
        ...first!,
        bias: queryBias,
        role,
        key: `${key}.attention.${role[0]}_proj.weight`,
      });
    }
    list.linear(`${block}.attention.output.dense`, hidden, attended, {
      ...last!,
      bias: true,
      role: 'attentionOutput',
      key: `${key}.attention.o_proj.weight`,
    });
    const up = { ...first!, bias: true, role: 'mlpUp', key: `${key}.mlp.fc1.weight` } as const;
    list.linear(`${block}.intermediate.dense`, intermediate, hidden, up);
    const down = { ...last!, bias: true, role: 'mlpDown', key: `${key}.mlp.fc2.weight` } as const;
    list.linear(`${block}.output.dense`, hidden, intermediate, down);
    for (const norm of ['layernorm_before', 'layernorm_after']) {
      list.norm(`${block}.${norm}`, hidden, { bias: true, layer, key: `${key}.${norm}.weight` });
    }
  }
  list.norm(`${prefix}layernorm`, hidden, { bias: true });
  if (classifies) list.classifier('classifier', config.labels(), hidden, { init, bias: true });
  else {
    const pooled = config.size('pooler_output_size', hidden);
    list.linear('pooler.dense', pooled, hidden, { init, bias: true, role: 'dense' });
  }
  return {
    modelType: 'vit',
    family: 'vision',
    hidden,
    layers: new Map([['', layers]]),
    tensors: naturalOrder(list.tensors),
    ties: [],
  };
}
