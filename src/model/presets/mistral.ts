import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** Mistral as transformers 5 has it: Llama without biases, with 8 heads of keys and values. */
export const mistral: Preset = {
  id: 'hf5/mistral',
  modelType: 'mistral',
  architectures: ['MistralForCausalLM', 'MistralModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  // A null, unlike a missing key, means as many as there are heads.
  const missing = !config.names('num_key_value_heads');
  return describeDecoder(config, {
    preset: mistral,
    norms: ['input_layernorm', 'post_attention_layernorm'],
    ...(missing ? { keyValueHeads: 8 } : {}),
  });
}
