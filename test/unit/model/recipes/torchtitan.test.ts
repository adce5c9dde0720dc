import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama, mixtral } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std });
const plain = (std: number): object => ({
  kind: 'truncatedNormal',
  mean: 0,
  std: expect.closeTo(std, 15),
  absolute: [-2, 2],
  rescale: false,
});

test('Llama 3', async () => {
  const law = await lawsOf(llama, { recipe: 'torchtitan' });
  expect(law('embed_tokens.weight')).toEqual(normal(1));
  for (const name of ['q_proj.weight', 'k_proj.weight', 'v_proj.weight', 'gate_proj.weight']) {
    expect(law(name), name).toEqual(plain(0.02));
  }
  for (const layer of [0, 1, 2]) {
    for (const name of ['self_attn.o_proj', 'mlp.down_proj', 'mlp.up_proj']) {
      expect(law(`layers.${layer}.${name}.weight`), name).toEqual(plain(0.02 / Math.sqrt(2 * (layer + 1))));
    }
  }
  const head = { kind: 'truncatedNormal', mean: 0, std: 64 ** -0.5, sigmas: [-3, 3], rescale: false };
  expect(law('lm_head.weight')).toEqual(head);
  expect(law('model.norm.weight')).toEqual({ kind: 'ones' });
});

test('embeddings that the head is tied to have the law of the head, unless one is given', async () => {
  const tied = { ...llama, tie_word_embeddings: true };
  const head = { kind: 'truncatedNormal', mean: 0, std: 64 ** -0.5, sigmas: [-3, 3], rescale: false };
  expect((await lawsOf(tied, { recipe: 'torchtitan' }))('embed_tokens.weight')).toEqual(head);
  const given = await lawsOf(tied, { recipe: { id: 'torchtitan', embeddingStd: 1 } });
  expect(given('embed_tokens.weight')).toEqual(normal(1));
});

test('routers and experts by their depth', async () => {
  const law = await lawsOf(mixtral, { recipe: { id: 'torchtitan', std: 0.1, embeddingStd: 3 } });
  expect(law('embed_tokens.weight')).toEqual(normal(3));
  expect(law('layers.1.block_sparse_moe.gate.weight')).toEqual(plain(0.1 / 2));
  expect(law('layers.1.block_sparse_moe.experts.2.w1.weight')).toEqual(plain(0.1));
  expect(law('layers.1.block_sparse_moe.experts.2.w2.weight')).toEqual(plain(0.05));
  expect(law('layers.1.block_sparse_moe.experts.2.w3.weight')).toEqual(plain(0.05));
});

test('an MLP without a gate has no w3', async () => {
  const law = await lawsOf(gpt2, { recipe: 'torchtitan' });
  expect(law('c_fc.weight')).toEqual(plain(0.02));
  expect(law('wpe.weight')).toEqual(plain(0.02));
  expect(law('h.2.mlp.c_proj.weight')).toEqual(plain(0.02 / Math.sqrt(6)));
  expect(law('c_fc.bias')).toEqual({ kind: 'zeros' });
});
