import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** Llama 1 to 3 as transformers 5 has it: every matrix N(0, initializer_range²), no scaling by depth. */
export const llama: Preset = {
  id: 'hf5/llama',
  modelType: 'llama',
  architectures: ['LlamaForCausalLM', 'LlamaModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const bias = config.flag('attention_bias', false);
  return describeDecoder(config, {
    preset: llama,
    queryBias: bias,
    outputBias: bias,
    mlpBias: config.flag('mlp_bias', false),
    norms: ['input_layernorm', 'post_attention_layernorm'],
  });
}
