import { expect, test } from 'vitest';
import { bert, gpt2, lawsOf, llama, mixtral, resnet } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 15) });
const ZEROS = { kind: 'zeros' };
/** A quarter of the width, a fifth of the MLP's. */
const base = { ...llama, hidden_size: 16, intermediate_size: 32 };

test('matrices between two widths by their inputs, all others not at all', async () => {
  const law = await lawsOf(
    { ...llama, attention_bias: true },
    {
      recipe: { id: 'mup', std: 0.08 },
      base: { ...base, attention_bias: true },
    },
  );
  for (const name of ['q_proj.weight', 'v_proj.weight', 'o_proj.weight', 'gate_proj.weight']) {
    expect(law(name), name).toEqual(normal(0.08 / Math.sqrt(64 / 16)));
  }
  expect(law('down_proj.weight')).toEqual(normal(0.08 / Math.sqrt(160 / 32)));
  for (const name of ['embed_tokens.weight', 'lm_head.weight']) expect(law(name), name).toEqual(normal(0.08));
  expect(law('q_proj.bias')).toEqual(ZEROS);
  expect(law('model.norm.weight')).toEqual({ kind: 'ones' });
});

test('inputs are axis 0 of GPT-2’s matrices', async () => {
  const law = await lawsOf(
    { ...gpt2, n_inner: 192 },
    { recipe: 'mup', base: { ...gpt2, n_embd: 32, n_inner: 64 } },
  );
  expect(law('c_attn.weight')).toEqual(normal(0.02 / Math.sqrt(2)));
  expect(law('c_fc.weight')).toEqual(normal(0.02 / Math.sqrt(2)));
  expect(law('mlp.c_proj.weight')).toEqual(normal(0.02 / Math.sqrt(3)));
  expect(law('wpe.weight')).toEqual(normal(0.02));
});

test('a router has one width', async () => {
  const law = await lawsOf(mixtral, { recipe: 'mup', base: { ...mixtral, hidden_size: 16 } });
  expect(law('block_sparse_moe.gate.weight')).toEqual(normal(0.02));
  // The MLP is as wide in both, so that its matrices have one width too.
  expect(law('w1.weight')).toEqual(normal(0.02));
});

test('kernels by their inputs; images and classes are no widths', async () => {
  const law = await lawsOf(resnet, {
    recipe: 'mup',
    base: { ...resnet, embedding_size: 8, hidden_sizes: [16, 16] },
  });
  expect(law('embedder.embedder.convolution.weight')).toEqual(normal(0.02));
  expect(law('stages.0.layers.0.layer.0.convolution.weight')).toEqual(normal(0.02 / Math.sqrt(2)));
  expect(law('stages.1.layers.0.layer.1.convolution.weight')).toEqual(normal(0.02 / 2));
  expect(law('classifier.1.weight')).toEqual(normal(0.02));
  const base = { ...bert, hidden_size: 16, intermediate_size: 40 };
  const encoder = await lawsOf(bert, { recipe: 'mup', base });
  for (const name of [
    'word_embeddings',
    'position_embeddings',
    'token_type_embeddings',
    'seq_relationship',
  ]) {
    expect(encoder(`${name}.weight`), name).toMatchObject(
      name === 'word_embeddings' ? { init: normal(0.02) } : normal(0.02),
    );
  }
  expect(encoder('pooler.dense.weight')).toEqual(normal(0.01));
});

test('at the base’s widths everything is as in the base', async () => {
  const law = await lawsOf(llama, { recipe: 'mup', base: llama });
  for (const name of ['q_proj.weight', 'down_proj.weight', 'lm_head.weight'])
    expect(law(name)).toEqual(normal(0.02));
});

test('options: depth, head and queries', async () => {
  const recipe = { id: 'mup', depthScaling: true, readoutZeroInit: true, queryZeroInit: true };
  const law = await lawsOf(llama, { recipe, base });
  expect(law('o_proj.weight')).toEqual(normal(0.02 / Math.sqrt(4) / Math.sqrt(6)));
  expect(law('down_proj.weight')).toEqual(normal(0.02 / Math.sqrt(5) / Math.sqrt(6)));
  expect(law('up_proj.weight')).toEqual(normal(0.01));
  for (const name of ['lm_head.weight', 'q_proj.weight']) expect(law(name)).toEqual(ZEROS);
  expect(law('k_proj.weight')).toEqual(normal(0.01));
});

test.each<[string, object, object, string]>([
  ['another type', llama, gpt2, 'a llama model for base but received a gpt2 model'],
  ['another depth', llama, { ...base, num_hidden_layers: 2 }, 'layers.2.self_attn.q_proj.weight'],
  ['a deeper base', llama, { ...base, num_hidden_layers: 4 }, 'the base has a tensor'],
  ['another vocabulary', llama, { ...base, vocab_size: 50 }, 'axis 0 of "model.embed_tokens.weight"'],
  ['other biases', llama, { ...base, attention_bias: true }, 'q_proj.bias'],
])('refuses a base of %s', async (_, config, wrong, message) => {
  await expect(lawsOf(config, { recipe: 'mup', base: wrong })).rejects.toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});

const deepseek = {
  model_type: 'deepseek_v3',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  vocab_size: 50,
  n_group: 1,
  n_routed_experts: 2,
  first_k_dense_replace: 2,
};

test.each<[string, object, object, string]>([
  [
    'a tied head cannot be zero',
    { ...llama, tie_word_embeddings: true },
    { readoutZeroInit: true },
    'tie_word_embeddings',
  ],
  ['fused queries cannot be zero', gpt2, { queryZeroInit: true }, 'h.0.attn.c_attn.weight'],
  ['a product of matrices never leaves zero', deepseek, { queryZeroInit: true }, 'never leave 0'],
])('%s', async (_, config, options, message) => {
  await expect(lawsOf(config, { recipe: { id: 'mup', ...options }, base: config })).rejects.toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) }),
  );
});
