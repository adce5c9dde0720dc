import { normal } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/** GPT-2 as transformers 5 has it: matrices are [inputs, outputs]; what ends a residual branch is scaled by depth. */
export const gpt2: Preset = {
  id: 'hf5/gpt2',
  modelType: 'gpt2',
  architectures: ['GPT2LMHeadModel', 'GPT2Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size(['n_embd', 'hidden_size']);
  const layers = config.blocks(['n_layer', 'num_hidden_layers']);
  const vocabulary = config.size('vocab_size');
  const positions = config.size(['n_positions', 'max_position_embeddings']);
  config.divide(hidden, 'n_embd', config.size(['n_head', 'num_attention_heads']), 'n_head');
  if (config.flag('add_cross_attention', false)) {
    throw config.wrong('false', 'add_cross_attention', true, '; only decoders by themselves are known here');
  }
  const inner = config.size('n_inner', 4 * hidden);
  const range = config.number('initializer_range', 0.02, 0);
  const tied = config.flag('tie_word_embeddings', true);
  const withHead = config.architecture(gpt2.architectures) === 'GPT2LMHeadModel';
  const prefix = withHead ? 'transformer.' : '';
  const init = normal({ std: config.range() });
  // GPT-2's own kind of matrix takes a range of 0 as it is.
  const matrixInit = normal({ std: range });
  const output = normal({ std: range / Math.sqrt(2 * layers) });
  const list = new TensorList();
  list.embedding(`${prefix}wte`, vocabulary, hidden, { init, role: 'tokenEmbedding' });
  list.embedding(`${prefix}wpe`, positions, hidden, { init, role: 'positionEmbedding' });
  for (let layer = 0; layer < layers; layer++) {
    const block = `${prefix}h.${layer}`;
    const matrix = { layer, layout: 'IO', bias: true };
    const [first, last] = [0, 1].map((position) => ({ branch: { position, length: 2 } }));
    list.norm(`${block}.ln_1`, hidden, { bias: true, layer });
    list.linear(`${block}.attn.c_attn`, 3 * hidden, hidden, {
      ...matrix,
      ...first,
      init: matrixInit,
      role: 'queryKeyValue',
    });
    list.linear(`${block}.attn.c_proj`, hidden, hidden, {
      ...matrix,
      ...last,
      init: output,
      role: 'attentionOutput',
    });
    list.norm(`${block}.ln_2`, hidden, { bias: true, layer });
    list.linear(`${block}.mlp.c_fc`, inner, hidden, { ...matrix, ...first, init: matrixInit, role: 'mlpUp' });
    list.linear(`${block}.mlp.c_proj`, hidden, inner, { ...matrix, ...last, init: output, role: 'mlpDown' });
  }
  list.norm(`${prefix}ln_f`, hidden, { bias: true });
  if (withHead && !tied) list.linear('lm_head', vocabulary, hidden, { init, role: 'head' });
  return {
    modelType: 'gpt2',
    family: 'decoder',
    hidden,
    layers: new Map([['', layers]]),
    tensors: list.tensors,
    ties: withHead && tied ? [{ name: 'lm_head.weight', to: 'transformer.wte.weight' }] : [],
  };
}
