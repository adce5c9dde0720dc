import { zeros } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { describeDecoder } from './decoder.js';
import type { ModelDescription, Preset } from './types.js';

/** Gemma 2 as transformers 5 has it: norms on both sides of each branch whose scale is 1 + weight, so weights are 0. */
export const gemma2: Preset = {
  id: 'hf5/gemma2',
  modelType: 'gemma2',
  architectures: ['Gemma2ForCausalLM', 'Gemma2Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const bias = config.flag('attention_bias', false);
  return describeDecoder(config, {
    preset: gemma2,
    queryBias: bias,
    outputBias: bias,
    norms: [
      'input_layernorm',
      'post_attention_layernorm',
      'pre_feedforward_layernorm',
      'post_feedforward_layernorm',
    ],
    normScale: zeros(),
    headWidth: 256,
    keyValueHeads: 4,
    tied: true,
    padding: 0,
  });
}
