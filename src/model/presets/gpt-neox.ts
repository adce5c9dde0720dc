import { normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { naturalOrder } from './natural-order.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** GPT-NeoX (Pythia too) as transformers 5 has it: every matrix N(0, initializer_range²); the recipe `neox` is its authors'. */
export const gptNeox: Preset = {
  id: 'hf5/gpt_neox',
  modelType: 'gpt_neox',
  architectures: ['GPTNeoXForCausalLM', 'GPTNeoXModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size('hidden_size');
  const layers = config.blocks('num_hidden_layers');
  const vocabulary = config.size('vocab_size');
  const intermediate = config.size('intermediate_size');
  config.divide(hidden, 'hidden_size', config.size('num_attention_heads'), 'num_attention_heads');
  const init = normal({ std: config.range() });
  const bias = config.flag('attention_bias', true);
  const tied = config.flag('tie_word_embeddings', false);
  const withHead = config.architecture(gptNeox.architectures) === 'GPTNeoXForCausalLM';
  const prefix = withHead ? 'gpt_neox.' : '';
  const list = new TensorList();
  list.embedding(`${prefix}embed_in`, vocabulary, hidden, { init, role: 'tokenEmbedding' });
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}layers.${layer}`;
    const [first, last] = [0, 1].map((position) => ({ layer, init, branch: { position, length: 2 } }));
    list.norm(`${block}.input_layernorm`, hidden, { bias: true, layer });
    list.norm(`${block}.post_attention_layernorm`, hidden, { bias: true, layer });
    list.linear(`${block}.attention.query_key_value`, 3 * hidden, hidden, {
      ...first!,
      bias,
      role: 'queryKeyValue',
    });
    list.linear(`${block}.attention.dense`, hidden, hidden, { ...last!, bias, role: 'attentionOutput' });
    list.linear(`${block}.mlp.dense_h_to_4h`, intermediate, hidden, { ...first!, bias: true, role: 'mlpUp' });
    list.linear(`${block}.mlp.dense_4h_to_h`, hidden, intermediate, {
      ...last!,
      bias: true,
      role: 'mlpDown',
    });
  }
  list.norm(`${prefix}final_layer_norm`, hidden, { bias: true });
  if (withHead && !tied) {
    list.linear('embed_out', vocabulary, hidden, { init, role: 'head', key: 'lm_head.weight' });
  }
  return {
    modelType: 'gpt_neox',
    family: 'decoder',
    hidden,
    layers: new Map([['', layers]]),
    // The base model alone is not renamed.
    tensors: withHead ? naturalOrder(list.tensors) : list.tensors,
    ties: withHead && tied ? [{ name: 'embed_out.weight', to: 'gpt_neox.embed_in.weight' }] : [],
  };
}
