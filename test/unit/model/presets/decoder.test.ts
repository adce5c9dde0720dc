import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/model/presets/config.js';
import { presetFor } from '../../../../src/model/presets/index.js';
import type { ModelDescription, ModelTensor, Role } from '../../../../src/model/presets/types.js';

const SIZES = {
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
};
const EXPERTS = { num_local_experts: 4, moe_intermediate_size: 5 };

const CONFIGS: readonly Record<string, unknown>[] = [
  { ...SIZES, model_type: 'llama', attention_bias: true, mlp_bias: true },
  { ...SIZES, model_type: 'mistral' },
  { ...SIZES, model_type: 'qwen2' },
  { ...SIZES, model_type: 'qwen3', head_dim: 6 },
  { ...SIZES, model_type: 'gemma2', head_dim: 6 },
  { ...SIZES, model_type: 'olmo2' },
  { ...SIZES, ...EXPERTS, model_type: 'mixtral' },
  { ...SIZES, ...EXPERTS, model_type: 'qwen3_moe', head_dim: 6, mlp_only_layers: [0] },
  {
    ...SIZES,
    model_type: 'deepseek_v3',
    num_key_value_heads: 4,
    n_routed_experts: 4,
    n_group: 2,
    moe_intermediate_size: 5,
    n_shared_experts: 2,
    first_k_dense_replace: 1,
    q_lora_rank: 3,
    kv_lora_rank: 4,
    qk_rope_head_dim: 2,
    qk_nope_head_dim: 4,
    v_head_dim: 6,
  },
  { ...SIZES, model_type: 'gpt_neox' },
  { model_type: 'gpt2', vocab_size: 11, n_positions: 5, n_embd: 8, n_layer: 3, n_head: 2 },
];

/** What a module is, by the last part of its name on disk. */
const ROLES: Readonly<Record<string, Role>> = {
  embed_tokens: 'tokenEmbedding',
  embed_in: 'tokenEmbedding',
  wte: 'tokenEmbedding',
  wpe: 'positionEmbedding',
  lm_head: 'head',
  embed_out: 'head',
  q_proj: 'query',
  q_a_proj: 'query',
  q_b_proj: 'query',
  k_proj: 'key',
  v_proj: 'value',
  kv_a_proj_with_mqa: 'keyValue',
  kv_b_proj: 'keyValue',
  query_key_value: 'queryKeyValue',
  c_attn: 'queryKeyValue',
  o_proj: 'attentionOutput',
  'attention.dense': 'attentionOutput',
  'attn.c_proj': 'attentionOutput',
  gate_proj: 'mlpGate',
  w1: 'mlpGate',
  up_proj: 'mlpUp',
  w3: 'mlpUp',
  c_fc: 'mlpUp',
  dense_h_to_4h: 'mlpUp',
  down_proj: 'mlpDown',
  w2: 'mlpDown',
  'mlp.c_proj': 'mlpDown',
  dense_4h_to_h: 'mlpDown',
  gate: 'router',
};

const OUTSIDE: readonly Role[] = ['tokenEmbedding', 'positionEmbedding', 'head'];
const ENDS: readonly Role[] = ['attentionOutput', 'mlpDown'];

function describeModel(values: Record<string, unknown>): ModelDescription {
  const config = parseConfig(values);
  return presetFor(config).describe(config);
}

/** The role that the name says. */
function roleByName({ name }: ModelTensor): Role | undefined {
  const modules = name.split('.').slice(0, -1);
  return ROLES[modules.slice(-2).join('.')] ?? ROLES[modules.at(-1)!];
}

describe.each(CONFIGS.map((values) => [values.model_type, values] as const))('%s', (_, values) => {
  const { tensors, layers } = describeModel(values);

  it('gives each tensor the role that its name says', () => {
    for (const tensor of tensors) {
      const norm = /(^|[._])(ln_\w|norm|layernorm|layer_norm)\.(weight|bias)$/.test(tensor.name);
      expect([tensor.name, tensor.role]).toEqual([tensor.name, norm ? 'norm' : roleByName(tensor)]);
      const part = tensor.name.endsWith('e_score_correction_bias') ? 'buffer' : tensor.name.split('.').at(-1);
      expect([tensor.name, tensor.part]).toEqual([tensor.name, part]);
    }
  });

  it('counts blocks as names do', () => {
    expect([...layers]).toEqual([['', 3]]);
    for (const { name, layer, stack } of tensors) {
      const block = /(?:^|\.)(?:layers|h)\.(\d+)\./.exec(name)?.[1];
      expect([name, layer, stack]).toEqual([
        name,
        block === undefined ? undefined : Number(block),
        undefined,
      ]);
    }
  });

  it('knows the inputs of each matrix, and of the matrix of each bias', () => {
    const weights = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    for (const { name, part, role, fanIn } of tensors) {
      const weight = weights.get(name.replace(/bias$/, 'weight'))!;
      const embeds = role === 'tokenEmbedding' || role === 'positionEmbedding';
      if (role === 'norm' || part === 'buffer' || embeds) expect([name, fanIn]).toEqual([name, undefined]);
      else expect([name, fanIn]).toEqual([name, weight.shape[weight.layout === 'IO' ? 0 : 1]]);
    }
  });

  it('has branches of two matrices: into one, and out of it', () => {
    for (const { name, part, role, branch } of tensors) {
      const within = part === 'weight' && ![...OUTSIDE, 'norm', 'router'].includes(role);
      const position = ENDS.includes(role) ? 1 : 0;
      expect([name, branch]).toEqual([name, within ? { position, length: 2 } : undefined]);
    }
  });
});
