import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** OLMo 2 as transformers 5 has it: norms behind each branch, and of all queries and keys. */
export const olmo2: Preset = {
  id: 'hf5/olmo2',
  modelType: 'olmo2',
  architectures: ['Olmo2ForCausalLM', 'Olmo2Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const bias = config.flag('attention_bias', false);
  return describeDecoder(config, {
    preset: olmo2,
    queryBias: bias,
    outputBias: bias,
    queryNorm: 'all',
    norms: ['post_attention_layernorm', 'post_feedforward_layernorm'],
    padding: 1,
  });
}
