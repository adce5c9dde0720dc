import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama, mixtral } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 15) });

test('outputs scaled by the depth', async () => {
  const law = await lawsOf(gpt2, { recipe: 'megatron' });
  for (const name of ['wte.weight', 'wpe.weight', 'c_attn.weight', 'c_fc.weight']) {
    expect(law(name), name).toEqual(normal(0.02));
  }
  expect(law('c_proj.weight')).toEqual(normal(0.02 / Math.sqrt(6)));
  expect(law('c_proj.bias')).toEqual({ kind: 'zeros' });
});

test('embeddings by themselves; routers as matrices, experts as MLPs', async () => {
  const law = await lawsOf(mixtral, { recipe: { id: 'megatron', std: 0.01, embeddingStd: 1 } });
  expect(law('embed_tokens.weight')).toEqual(normal(1));
  expect(law('lm_head.weight')).toEqual(normal(0.01));
  expect(law('block_sparse_moe.gate.weight')).toEqual(normal(0.01));
  for (const name of ['w1.weight', 'w3.weight', 'v_proj.weight']) expect(law(name)).toEqual(normal(0.01));
  for (const name of ['w2.weight', 'o_proj.weight']) expect(law(name)).toEqual(normal(0.01 / Math.sqrt(6)));
});

test('muP with a base: 1/√m, and embeddings and head as they were', async () => {
  const base = { ...llama, hidden_size: 16, intermediate_size: 40 };
  const law = await lawsOf(llama, { recipe: { id: 'megatron', embeddingStd: 0.5 }, base });
  expect(law('q_proj.weight')).toEqual(normal(0.02 / 2));
  expect(law('o_proj.weight')).toEqual(normal(0.02 / Math.sqrt(6) / 2));
  expect(law('embed_tokens.weight')).toEqual(normal(0.5));
  expect(law('lm_head.weight')).toEqual(normal(0.5));
});

test('refuses a base of another type', async () => {
  await expect(lawsOf(llama, { recipe: 'megatron', base: gpt2 })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('a llama model for base'),
    }),
  );
});
