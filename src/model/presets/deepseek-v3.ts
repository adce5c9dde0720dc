import { normal, zeros } from '../../initializers/index.js';
import type { ModelConfig } from './config.js';
import { addExperts, addGatedMlp, describeDecoder, expertInit } from './decoder.js';
import { naturalOrder } from './natural-order.js';
import type { TensorList } from './tensor-list.js';
import type { ModelDescription, Preset } from './types.js';

/**
 * DeepSeek V3 as transformers 5 saves it: latent attention, routed and shared experts. The layers for predicting several
 * tokens (multi-token prediction), which published checkpoints have beside the model, are not part of it.
 */
export const deepseekV3: Preset = {
  id: 'hf5/deepseek_v3',
  modelType: 'deepseek_v3',
  architectures: ['DeepseekV3ForCausalLM', 'DeepseekV3Model'],
  describe,
};

function describe(config: ModelConfig): ModelDescription {
  const hidden = config.size('hidden_size');
  const init = expertInit(config);
  const experts = config.size(['n_routed_experts', 'num_local_experts'], 256);
  const shared = config.size('n_shared_experts', 1);
  const intermediate = config.size('moe_intermediate_size', 2048);
  const denseLayers = config.count('first_k_dense_replace', 3);
  config.divide(experts, 'n_routed_experts', config.size('n_group', 8), 'n_group');
  const attention = latentAttention(config, hidden);
  const model = describeDecoder(config, {
    preset: deepseekV3,
    norms: ['input_layernorm', 'post_attention_layernorm'],
    // Heads are as wide as the three widths of latent attention say.
    headWidth: 1,
    attention: (list, block, layer) => attention(list, `${block}.self_attn`, layer),
    mlp(list, block, layer) {
      if (layer < denseLayers) return false;
      const prefix = `${block}.mlp`;
      list.linear(`${prefix}.gate`, experts, hidden, { layer, init, role: 'router' });
      list.add({
        name: `${prefix}.gate.e_score_correction_bias`,
        shape: [experts],
        init: zeros(),
        // Changed by the load balancing, not by gradients, in steps that a 16-bit type would lose.
        dtype: 'float32',
        part: 'buffer',
        role: 'router',
        layer,
      });
      const names = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
      const facts = { experts, intermediate, hidden, layer, init, key: `${prefix}.experts` };
      addExperts(list, `${prefix}.experts`, names, facts);
      addGatedMlp(list, `${prefix}.shared_experts`, intermediate * shared, hidden, {
        layer,
        init: normal({ std: config.range() }),
        bias: false,
      });
      return true;
    },
  });
  return { ...model, tensors: naturalOrder(model.tensors) };
}

function latentAttention(
  config: ModelConfig,
  hidden: number,
): (list: TensorList, prefix: string, layer: number) => void {
  const init = normal({ std: config.range() });
  const heads = config.size('num_attention_heads');
  // A null means queries that are not compressed.
  const compressed = config.has('q_lora_rank') || !config.names('q_lora_rank');
  const queryRank = compressed ? config.size('q_lora_rank', 1536) : 0;
  const rank = config.size('kv_lora_rank', 512);
  const rotary = config.size('qk_rope_head_dim', 64);
  const plain = config.size('qk_nope_head_dim', 128);
  const value = config.size('v_head_dim', 128);
  const bias = config.flag('attention_bias', false);
  return (list, prefix, layer) => {
    const facts = { layer, init, branch: { position: 0, length: 2 } };
    const query = { ...facts, role: 'query' } as const;
    const keyValue = { ...facts, role: 'keyValue' } as const;
    if (queryRank === 0) list.linear(`${prefix}.q_proj`, heads * (plain + rotary), hidden, query);
    else {
      list.linear(`${prefix}.q_a_proj`, queryRank, hidden, { ...query, bias });
      list.norm(`${prefix}.q_a_layernorm`, queryRank, { bias: false, layer });
      list.linear(`${prefix}.q_b_proj`, heads * (plain + rotary), queryRank, query);
    }
    list.linear(`${prefix}.kv_a_proj_with_mqa`, rank + rotary, hidden, { ...keyValue, bias });
    list.norm(`${prefix}.kv_a_layernorm`, rank, { bias: false, layer });
    list.linear(`${prefix}.kv_b_proj`, heads * (plain + value), rank, keyValue);
    list.linear(`${prefix}.o_proj`, hidden, heads * value, {
      ...facts,
      bias,
      branch: { position: 1, length: 2 },
      role: 'attentionOutput',
    });
  };
}
