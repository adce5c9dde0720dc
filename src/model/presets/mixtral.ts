import type { ModelConfig } from './config.js';
import { addExperts, decoderSizes, describeDecoder, expertInit } from './decoder.js';
import { naturalOrder } from './natural-order.js';
import type { ModelDescription, Preset } from './types.js';

/** Mixtral as transformers 5 saves it: the names of the original, each expert by itself. */
export const mixtral: Preset = {
  id: 'hf5/mixtral',
  modelType: 'mixtral',
  architectures: ['MixtralForCausalLM', 'MixtralModel'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const keyValue = config.names('num_key_value_heads') ? {} : { keyValueHeads: 8 };
  const { hidden, intermediate } = decoderSizes(config, keyValue);
  const init = expertInit(config);
  const experts = config.size(['num_local_experts', 'num_experts'], 8);
  const model = describeDecoder(config, {
    preset: mixtral,
    ...keyValue,
    norms: ['input_layernorm', 'post_attention_layernorm'],
    mlp(list, block, layer) {
      const prefix = `${block}.block_sparse_moe`;
      const key = `${block}.mlp`;
      list.linear(`${prefix}.gate`, experts, hidden, {
        layer,
        init,
        role: 'router',
        key: `${key}.gate.weight`,
      });
      const names = { gate: 'w1', up: 'w3', down: 'w2' };
      const facts = { experts, intermediate, hidden, layer, init, key: `${key}.experts` };
      addExperts(list, `${prefix}.experts`, names, facts);
      return true;
    },
  });
  return { ...model, tensors: naturalOrder(model.tensors) };
}
