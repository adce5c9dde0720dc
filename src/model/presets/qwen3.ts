import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** Qwen 3 as transformers 5 has it: Llama with a norm of each head's queries and keys, and heads 128 wide. */
export const qwen3: Preset = {
  id: 'hf5/qwen3',
  modelType: 'qwen3',
  architectures: ['Qwen3ForCausalLM', 'Qwen3Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const bias = config.flag('attention_bias', false);
  const missing = !config.names('num_key_value_heads');
  return describeDecoder(config, {
    preset: qwen3,
    queryBias: bias,
    outputBias: bias,
    queryNorm: 'head',
    norms: ['input_layernorm', 'post_attention_layernorm'],
    headWidth: 128,
    ...(missing ? { keyValueHeads: 32 } : {}),
  });
}
