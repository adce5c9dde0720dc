// Small models, and what a recipe makes of them.
import type { Initializer } from '../../../../src/initializers/index.js';
import { type PlanFromOptions, planFrom } from '../../../../src/model/plan/plan-from.js';
import { parseConfig } from '../../../../src/model/presets/config.js';
import { presetFor } from '../../../../src/model/presets/index.js';
import type { ModelDescription } from '../../../../src/model/presets/types.js';

export const gpt2 = {
  model_type: 'gpt2',
  n_embd: 64,
  n_layer: 3,
  n_head: 4,
  vocab_size: 100,
  n_positions: 32,
};

export const llama = {
  model_type: 'llama',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 160,
  vocab_size: 100,
  tie_word_embeddings: false,
};

export const gptNeox = {
  model_type: 'gpt_neox',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 256,
  vocab_size: 100,
};

export const mixtral: object = { ...llama, model_type: 'mixtral', num_local_experts: 3 };

/** A model's description, as recipes get it. */
export function describeModel(config: object): ModelDescription {
  const parsed = parseConfig(config);
  return presetFor(parsed).describe(parsed);
}

/** Laws by the ends of names: the law of the only tensor, or of all tensors, whose name ends so. */
export type Laws = (ending: string) => Initializer;

/** The laws that a recipe gives the tensors of a model. */
export async function lawsOf(config: object, options: PlanFromOptions): Promise<Laws> {
  const { tensors } = await planFrom(config, options);
  return (ending) => {
    const found = tensors.filter(({ name }) => name.endsWith(ending));
    const laws = new Set(found.map(({ init }) => JSON.stringify(init)));
    if (laws.size !== 1) throw new Error(`${laws.size} laws for ${ending}`);
    return found[0]!.init;
  };
}

export const bert = {
  model_type: 'bert',
  hidden_size: 64,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 160,
  vocab_size: 100,
  max_position_embeddings: 32,
};

export const t5 = {
  model_type: 't5',
  d_model: 64,
  d_kv: 16,
  d_ff: 160,
  num_heads: 4,
  num_layers: 3,
  num_decoder_layers: 2,
  vocab_size: 100,
};

export const resnet: object = {
  model_type: 'resnet',
  embedding_size: 16,
  hidden_sizes: [32, 64],
  depths: [2, 3],
  layer_type: 'bottleneck',
  num_labels: 10,
};

export const convnext: object = {
  model_type: 'convnext',
  hidden_sizes: [16, 32],
  depths: [1, 2],
  num_stages: 2,
  num_labels: 10,
};

export const whisper = {
  model_type: 'whisper',
  d_model: 64,
  encoder_layers: 2,
  decoder_layers: 2,
  encoder_attention_heads: 4,
  decoder_attention_heads: 4,
  encoder_ffn_dim: 128,
  decoder_ffn_dim: 128,
  vocab_size: 100,
  pad_token_id: 3,
  max_source_positions: 20,
  max_target_positions: 10,
};

/** A small model of every type that is known, by its type. */
export const SMALL: ReadonlyMap<string, object> = new Map<string, object>([
  ...[gpt2, llama, gptNeox, mixtral, bert, t5, resnet, convnext, whisper].map(
    (config) => [(config as { model_type: string }).model_type, config] as const,
  ),
  ...['mistral', 'qwen2', 'qwen3', 'gemma2', 'olmo2', 'qwen3_moe'].map(
    (type) => [type, { ...llama, model_type: type, num_experts: 4, head_dim: 16 }] as const,
  ),
  [
    'deepseek_v3',
    {
      ...llama,
      model_type: 'deepseek_v3',
      num_key_value_heads: 4,
      n_group: 1,
      n_routed_experts: 2,
      first_k_dense_replace: 1,
    },
  ],
  ['roberta', { ...bert, model_type: 'roberta' }],
  ['vit', { ...bert, model_type: 'vit', image_size: 32, patch_size: 16 }],
  [
    'swin',
    { model_type: 'swin', embed_dim: 16, depths: [2, 2], num_heads: [2, 4], image_size: 64, window_size: 4 },
  ],
  ['clip', { model_type: 'clip' }],
  ['mamba', { model_type: 'mamba', hidden_size: 32, num_hidden_layers: 2, vocab_size: 100, state_size: 8 }],
  [
    'mamba2',
    {
      model_type: 'mamba2',
      hidden_size: 32,
      num_hidden_layers: 2,
      vocab_size: 100,
      num_heads: 4,
      head_dim: 16,
      expand: 2,
      state_size: 8,
      n_groups: 1,
    },
  ],
]);
