import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** Qwen 2 and 2.5 as transformers 5 has them: Llama with biases of queries, keys and values. */
export const qwen2: Preset = {
  id: 'hf5/qwen2',
  modelType: 'qwen2',
  architectures: ['Qwen2ForCausalLM', 'Qwen2Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const missing = !config.names('num_key_value_heads');
  return describeDecoder(config, {
    preset: qwen2,
    queryBias: true,
    norms: ['input_layernorm', 'post_attention_layernorm'],
    ...(missing ? { keyValueHeads: 32 } : {}),
  });
}
