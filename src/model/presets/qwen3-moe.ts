import type { ModelConfig } from './config.js';
import { addExperts, decoderSizes, describeDecoder, expertInit } from './decoder.js';
import { naturalOrder } from './natural-order.js';
import type { ModelDescription, Preset } from './types.js';

/** Qwen 3 with experts as transformers 5 saves it: each expert by itself; some layers may have an MLP instead. */
export const qwen3Moe: Preset = {
  id: 'hf5/qwen3_moe',
  modelType: 'qwen3_moe',
  architectures: ['Qwen3MoeForCausalLM', 'Qwen3MoeModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const keyValue = config.names('num_key_value_heads') ? {} : { keyValueHeads: 4 };
  const { hidden } = decoderSizes(config, keyValue);
  const init = expertInit(config);
  const bias = config.flag('attention_bias', false);
  const experts = config.count(['num_experts', 'num_local_experts'], 128);
  const intermediate = config.size('moe_intermediate_size', 768);
  const step = config.size('decoder_sparse_step', 1);
  const dense = new Set(config.list('mlp_only_layers', [], 0));
  const model = describeDecoder(config, {
    preset: qwen3Moe,
    ...keyValue,
    queryBias: bias,
    outputBias: bias,
    queryNorm: 'head',
    norms: ['input_layernorm', 'post_attention_layernorm'],
    mlp(list, block, layer) {
      if (dense.has(layer) || experts === 0 || (layer + 1) % step !== 0) return false;
      const prefix = `${block}.mlp`;
      list.linear(`${prefix}.gate`, experts, hidden, { layer, init, role: 'router' });
      const names = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
      const facts = { experts, intermediate, hidden, layer, init, key: `${prefix}.experts` };
      addExperts(list, `${prefix}.experts`, names, facts);
      return true;
    },
  });
  return { ...model, tensors: naturalOrder(model.tensors) };
}
