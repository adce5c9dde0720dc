import { describe, expect, it } from 'vitest';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { parseConfig } from '../../../../src/model/presets/config.js';
import { PRESETS, presetFor } from '../../../../src/model/presets/index.js';
import { naturalOrder } from '../../../../src/model/presets/natural-order.js';
import type { ModelTensor } from '../../../../src/model/presets/types.js';
import { elementCount } from '../../../../src/shape.js';

/** Published configurations, as far as they decide shapes, and how many parameters the models have. */
const PUBLISHED: readonly [string, number, Record<string, unknown>][] = [
  [
    'gpt2',
    124_439_808,
    { model_type: 'gpt2', vocab_size: 50257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12 },
  ],
  [
    'gpt2-xl',
    1_557_611_200,
    { model_type: 'gpt2', vocab_size: 50257, n_positions: 1024, n_embd: 1600, n_layer: 48, n_head: 25 },
  ],
  ['Llama 3 8B', 8_030_261_248, llama(4096, 14336, 32, 32, 8)],
  ['Llama 3 70B', 70_553_706_496, llama(8192, 28672, 80, 64, 8)],
  [
    'Mistral 7B',
    7_241_732_096,
    { ...llama(4096, 14336, 32, 32, 8), model_type: 'mistral', vocab_size: 32000 },
  ],
  [
    'Mixtral 8×7B',
    46_702_792_704,
    { ...llama(4096, 14336, 32, 32, 8), model_type: 'mixtral', vocab_size: 32000, num_local_experts: 8 },
  ],
  ['Qwen 2 7B', 7_615_616_512, { ...llama(3584, 18944, 28, 28, 4), model_type: 'qwen2', vocab_size: 152064 }],
  ['Qwen 3 8B', 8_190_735_360, { ...llama(4096, 12288, 36, 32, 8), model_type: 'qwen3', vocab_size: 151936 }],
  [
    'Qwen 3 30B-A3B',
    30_532_122_624,
    {
      ...llama(2048, 6144, 48, 32, 4),
      model_type: 'qwen3_moe',
      vocab_size: 151936,
      head_dim: 128,
      num_experts: 128,
      moe_intermediate_size: 768,
    },
  ],
  ['Gemma 2 2B', 2_614_341_888, { ...llama(2304, 9216, 26, 8, 4), model_type: 'gemma2', vocab_size: 256000 }],
  [
    'OLMo 2 7B',
    7_298_617_344,
    { ...llama(4096, 11008, 32, 32, 32), model_type: 'olmo2', vocab_size: 100352 },
  ],
  [
    'Pythia 160M',
    162_322_944,
    { ...llama(768, 3072, 12, 12, 12), model_type: 'gpt_neox', vocab_size: 50304 },
  ],
  [
    'BERT base',
    110_106_428,
    {
      model_type: 'bert',
      vocab_size: 30522,
      hidden_size: 768,
      num_hidden_layers: 12,
      num_attention_heads: 12,
      intermediate_size: 3072,
    },
  ],
  [
    'T5 small',
    60_506_624,
    { model_type: 't5', vocab_size: 32128, d_model: 512, d_ff: 2048, num_layers: 6, num_heads: 8 },
  ],
  [
    'Mamba 130M',
    129_135_360,
    { model_type: 'mamba', vocab_size: 50280, hidden_size: 768, num_hidden_layers: 24, state_size: 16 },
  ],
  [
    'DeepSeek V3',
    671_026_404_352,
    {
      ...llama(7168, 18432, 61, 128, 128),
      model_type: 'deepseek_v3',
      vocab_size: 129280,
      moe_intermediate_size: 2048,
      n_routed_experts: 256,
      n_shared_experts: 1,
      n_group: 8,
      first_k_dense_replace: 3,
      q_lora_rank: 1536,
      kv_lora_rank: 512,
      qk_rope_head_dim: 64,
      qk_nope_head_dim: 128,
      v_head_dim: 128,
    },
  ],
];

function llama(
  hidden: number,
  inner: number,
  layers: number,
  heads: number,
  keyValueHeads: number,
): Record<string, unknown> {
  return {
    model_type: 'llama',
    vocab_size: 128256,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
  };
}

describe('published models', () => {
  it.each(PUBLISHED)('%s has %i parameters', (_, parameters, values) => {
    const config = parseConfig(values);
    const { tensors } = presetFor(config).describe(config);
    const trained = tensors.filter(({ part }) => part !== 'buffer');
    expect(trained.reduce((total, { shape }) => total + elementCount(shape), 0)).toBe(parameters);
    expect(new Set(tensors.map(({ name }) => name)).size).toBe(tensors.length);
  });
});

const GPT2 = { model_type: 'gpt2', vocab_size: 8, n_positions: 4, n_embd: 6, n_layer: 2, n_head: 3 };
const LLAMA = llama(8, 12, 2, 4, 2);
const T5 = { model_type: 't5', vocab_size: 8, d_model: 6, d_kv: 2, d_ff: 5, num_layers: 1, num_heads: 3 };

describe('planFrom a configuration', () => {
  it('has names, laws, dtype, ties and where it comes from', async () => {
    const plan = await planFrom({ ...GPT2, dtype: 'bfloat16' });
    expect(plan.dtype).toBe('bfloat16');
    expect(plan.metadata).toEqual({ preset: 'hf5/gpt2' });
    expect(plan.ties).toEqual([{ name: 'lm_head.weight', to: 'transformer.wte.weight' }]);
    expect(plan.tensors[0]).toMatchObject({ name: 'transformer.wte.weight', shape: [8, 6] });
    const output = plan.tensors.find(({ name }) => name === 'transformer.h.1.mlp.c_proj.weight');
    expect(output).toEqual({
      name: 'transformer.h.1.mlp.c_proj.weight',
      shape: [24, 6],
      layout: 'IO',
      init: { kind: 'normal', mean: 0, std: 0.01 },
    });
  });

  it.each([
    ['torch_dtype', { torch_dtype: 'float16' }, 'float16'],
    ['with its prefix', { dtype: 'torch.bfloat16' }, 'bfloat16'],
    ['auto', { dtype: 'auto' }, undefined],
    ['none', {}, undefined],
  ])('dtype: %s', async (_, extra, dtype) => {
    expect((await planFrom({ ...GPT2, ...extra })).dtype).toBe(dtype);
  });

  it('makes the row of the padding token zeros', async () => {
    const { tensors } = await planFrom({ ...LLAMA, pad_token_id: -1 });
    const zeroed = tensors.filter(({ init }) => init.kind === 'zeroRows');
    expect(zeroed.map(({ name, init }) => [name, init])).toEqual([
      ['model.embed_tokens.weight', expect.objectContaining({ rows: [128255] })],
    ]);
  });

  it('takes numbers of experts under both names', async () => {
    const base = { ...LLAMA, model_type: 'mixtral' };
    const names = async (extra: object) =>
      (await planFrom({ ...base, ...extra })).tensors.map(({ name }) => name);
    expect(await names({ num_experts: 3 })).toEqual(await names({ num_local_experts: 3 }));
  });

  it.each<[string, object, RegExp]>([
    [
      'an unknown type',
      { model_type: 'lama' },
      /"lama" of type string; did you mean "llama"\? known: bert, .*gpt2.*write a plan/,
    ],
    ['no type', { vocab_size: 3 }, /known model_type in the config but received undefined/],
    ['a type of Object', { model_type: '__proto__' }, /known model_type/],
    [
      'a missing key',
      { ...LLAMA, hidden_size: undefined },
      /a key "hidden_size" in the config, but it is missing/,
    ],
    ['a key under another name', { ...LLAMA, hidden_size: undefined, hiden_size: 8 }, /is it "hiden_size"\?/],
    [
      'heads that do not divide',
      { ...LLAMA, num_attention_heads: 3, num_key_value_heads: 3 },
      /hidden_size to be a multiple of num_attention_heads .* is 8 and num_attention_heads is 3/,
    ],
    [
      'groups of heads',
      { ...LLAMA, num_key_value_heads: 3 },
      /num_attention_heads to be a multiple of num_key_value_heads/,
    ],
    [
      'text for a number',
      { ...LLAMA, hidden_size: '8' },
      /whole number from 1 to 2\^31 for hidden_size in the config but received "8"/,
    ],
    ['nothing at all', { ...LLAMA, num_hidden_layers: 0 }, /for num_hidden_layers/],
    ['a million layers', { ...LLAMA, num_hidden_layers: 1e6 }, /at most 100000 blocks/],
    ['a negative scale', { ...LLAMA, initializer_range: -1 }, /number ≥ 0 for initializer_range/],
    ['a padding row too many', { ...LLAMA, pad_token_id: 128256 }, /a row of 128256 for pad_token_id/],
    [
      'an unknown class',
      { ...LLAMA, architectures: ['LlamaForCausalML'] },
      /did you mean "LlamaForCausalLM"/,
    ],
    [
      'a flag that is none',
      { ...LLAMA, tie_word_embeddings: 'yes' },
      /true or false for tie_word_embeddings/,
    ],
    ['a dtype that is none', { ...LLAMA, dtype: 'int8' }, /one of float64, .* for dtype/],
    ['quantized weights', { ...LLAMA, quantization_config: { bits: 4 } }, /quantization_config/],
    ['cross attention', { ...GPT2, add_cross_attention: true }, /false for add_cross_attention/],
    [
      'an encoder that is a decoder',
      { ...T5, architectures: ['T5EncoderModel'], is_decoder: true },
      /false for T5EncoderModel for is_decoder/,
    ],
    ['a gate of nothing known', { ...T5, feed_forward_proj: 'gated-gelu-x' }, /for feed_forward_proj/],
    [
      'a rank of 0',
      { ...LLAMA, model_type: 'deepseek_v3', q_lora_rank: 0 },
      /whole number from 1 to 2\^31 for q_lora_rank/,
    ],
    [
      'lists of different lengths',
      { model_type: 'resnet', depths: [1], hidden_sizes: [4, 8] },
      /as many depths as hidden_sizes, 2/,
    ],
  ])('refuses %s', async (_, config, message) => {
    await expect(planFrom(config)).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      message: expect.stringMatching(message),
    });
  });
});

describe('every preset', () => {
  it('is known by its type and versioned', () => {
    for (const [modelType, preset] of PRESETS) {
      expect(preset.modelType).toBe(modelType);
      expect(preset.id).toBe(`hf5/${modelType}`);
      expect(preset.architectures.length).toBeGreaterThan(0);
    }
  });
});

describe('naturalOrder', () => {
  it('sorts by parts, numbers by value, and keeps what is one in memory in order', () => {
    const tensor = (name: string, key?: string) =>
      ({ name, ...(key === undefined ? {} : { key }) }) as ModelTensor;
    const sorted = naturalOrder([
      tensor('b.10.x'),
      tensor('b.9.x'),
      tensor('b.x'),
      tensor('z', 'a'),
      tensor('fc10'),
      tensor('fc2'),
      tensor('fc'),
      tensor('e.1', 'c'),
      tensor('e.0', 'c'),
    ]);
    expect(sorted.map(({ name }) => name)).toEqual([
      'z',
      'b.9.x',
      'b.10.x',
      'b.x',
      'e.1',
      'e.0',
      'fc',
      'fc2',
      'fc10',
    ]);
  });
});
