import { constant, type Initializer, normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset, Role } from './types.js';

/**
 * CLIP as transformers 5 has it (Radford et al. 2021): two towers, whose standard deviations follow from their widths and
 * depths. Sizes that the configuration leaves out are those of ViT-B/32, as half of the published ones rely on that.
 */
export const clip: Preset = {
  id: 'hf5/clip',
  modelType: 'clip',
  architectures: ['CLIPModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  config.architecture(clip.architectures);
  const factor = config.number('initializer_factor', 1, 0);
  const projection = config.size('projection_dim', 512);
  const text = towerOf(config, 'text', { hidden: 512, heads: 8, inner: 2048 });
  const vision = towerOf(config, 'vision', { hidden: 768, heads: 12, inner: 3072 });
  const list = new TensorList();
  const value = config.number('logit_scale_init_value', 2.6592);
  list.add({ name: 'logit_scale', shape: [], part: 'weight', init: constant({ value }), role: 'other' });
  addText(list, text);
  addVision(list, vision);
  const dense = (name: string, { hidden }: Tower): void =>
    list.linear(name, projection, hidden, { init: scaled(factor, 1 / Math.sqrt(hidden)), role: 'dense' });
  dense('visual_projection', vision);
  dense('text_projection', text);
  return {
    modelType: 'clip',
    family: 'vision',
    hidden: vision.hidden,
    layers: new Map([text, vision].map(({ stack, layers }) => [stack, layers])),
    tensors: list.tensors,
    ties: [],
  };
}

interface Tower {
  readonly config: ModelConfig;
  readonly stack: 'text' | 'vision';
  readonly hidden: number;
  readonly layers: number;
  readonly inner: number;
  readonly factor: number;
}

function towerOf(
  config: ModelConfig,
  stack: 'text' | 'vision',
  sizes: { readonly hidden: number; readonly heads: number; readonly inner: number },
): Tower {
  // Where older configurations have both, this one counts.
  const older = `${stack}_config_dict`;
  const tower = config.inner(config.has(older) ? older : `${stack}_config`, true);
  const hidden = tower.size('hidden_size', sizes.hidden);
  tower.divide(hidden, 'hidden_size', tower.size('num_attention_heads', sizes.heads), 'num_attention_heads');
  return {
    config: tower,
    stack,
    hidden,
    layers: tower.blocks('num_hidden_layers', 12),
    inner: tower.size('intermediate_size', sizes.inner),
    factor: tower.number('initializer_factor', 1, 0),
  };
}

function scaled(factor: number, std: number): Initializer {
  return normal({ std: std * factor });
}

function addText(list: TensorList, tower: Tower): void {
  const { config, stack, hidden, factor } = tower;
  const init = scaled(factor, 0.02);
  const embeddings = 'text_model.embeddings';
  list.embedding(`${embeddings}.token_embedding`, config.size('vocab_size', 49408), hidden, {
    stack,
    init,
    role: 'tokenEmbedding',
  });
  list.embedding(`${embeddings}.position_embedding`, config.size('max_position_embeddings', 77), hidden, {
    stack,
    init,
    role: 'positionEmbedding',
  });
  addBlocks(list, 'text_model', tower);
  list.norm('text_model.final_layer_norm', hidden, { bias: true, stack });
}

function addVision(list: TensorList, tower: Tower): void {
  const { config, stack, hidden, factor } = tower;
  const init = scaled(factor, config.number('initializer_range', 0.02, 0));
  const size = config.size('image_size', 224);
  const patch = config.size('patch_size', 32);
  if (patch > size) throw config.wrong(`at most image_size, which is ${size},`, 'patch_size', patch);
  const embeddings = 'vision_model.embeddings';
  list.add({
    name: `${embeddings}.class_embedding`,
    shape: [hidden],
    part: 'weight',
    init: scaled(factor, 1 / Math.sqrt(hidden)),
    stack,
    role: 'learnedToken',
  });
  list.convolution(`${embeddings}.patch_embedding`, hidden, config.size('num_channels', 3), [patch, patch], {
    stack,
    init,
    role: 'patchEmbedding',
  });
  // One for the class, and one for each patch that fits.
  list.embedding(`${embeddings}.position_embedding`, Math.floor(size / patch) ** 2 + 1, hidden, {
    stack,
    init,
    role: 'positionEmbedding',
  });
  list.norm('vision_model.pre_layrnorm', hidden, { bias: true, stack });
  addBlocks(list, 'vision_model', tower);
  list.norm('vision_model.post_layernorm', hidden, { bias: true, stack });
}

function addBlocks(list: TensorList, prefix: string, { stack, hidden, layers, inner, factor }: Tower): void {
  const width = 1 / Math.sqrt(hidden);
  const depth = 1 / Math.sqrt(2 * layers);
  const shallow = scaled(factor, width * depth);
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}.encoder.layers.${layer}`;
    const place = { stack, layer };
    const [first, last] = [0, 1].map((position) => ({
      ...place,
      bias: true,
      branch: { position, length: 2 },
    }));
    const input = (name: string, role: Role): void =>
      list.linear(`${block}.self_attn.${name}`, hidden, hidden, { ...first!, init: shallow, role });
    input('k_proj', 'key');
    input('v_proj', 'value');
    input('q_proj', 'query');
    list.linear(`${block}.self_attn.out_proj`, hidden, hidden, {
      ...last!,
      init: scaled(factor, width),
      role: 'attentionOutput',
    });
    list.norm(`${block}.layer_norm1`, hidden, { bias: true, ...place });
    const up = scaled(factor, 1 / Math.sqrt(2 * hidden));
    list.linear(`${block}.mlp.fc1`, inner, hidden, { ...first!, init: up, role: 'mlpUp' });
    list.linear(`${block}.mlp.fc2`, hidden, inner, { ...last!, init: shallow, role: 'mlpDown' });
    list.norm(`${block}.layer_norm2`, hidden, { bias: true, ...place });
  }
}
