import { expect, test } from 'vitest';
import { bert, gpt2, lawsOf, llama, mixtral, t5 } from './models.js';

const xavier = (gain: number): object => ({ kind: 'xavierNormal', gain: expect.closeTo(gain, 14) });

test('a decoder alone', async () => {
  const law = await lawsOf(llama, { recipe: 'deepnorm' });
  const beta = (8 * 3) ** -0.25;
  for (const name of ['q_proj.weight', 'k_proj.weight']) expect(law(name)).toEqual(xavier(1));
  for (const name of [
    'v_proj.weight',
    'o_proj.weight',
    'gate_proj.weight',
    'up_proj.weight',
    'down_proj.weight',
  ]) {
    expect(law(name), name).toEqual(xavier(beta));
  }
  // Of which the paper says nothing.
  for (const name of ['embed_tokens.weight', 'lm_head.weight']) {
    expect(law(name)).toEqual({ kind: 'normal', mean: 0, std: 0.02 });
  }
});

test('an encoder alone', async () => {
  const law = await lawsOf(bert, { recipe: 'deepnorm' });
  for (const name of ['self.value', 'attention.output.dense', 'intermediate.dense', '2.output.dense']) {
    expect(law(`${name}.weight`), name).toEqual(xavier(24 ** -0.25));
  }
  expect(law('self.query.weight')).toEqual(xavier(1));
  expect(law('self.query.bias')).toEqual({ kind: 'zeros' });
});

test('an encoder of 3 with a decoder of 2', async () => {
  const law = await lawsOf(t5, { recipe: 'deepnorm' });
  const encoder = xavier(0.87 * (3 ** 4 * 2) ** (-1 / 16));
  const decoder = xavier((12 * 2) ** -0.25);
  for (const name of ['layer.0.SelfAttention.v', 'layer.0.SelfAttention.o', 'layer.1.DenseReluDense.wi']) {
    expect(law(`encoder.block.1.${name}.weight`), name).toEqual(encoder);
  }
  for (const name of ['layer.0.SelfAttention.v', 'layer.1.EncDecAttention.o', 'layer.2.DenseReluDense.wo']) {
    expect(law(`decoder.block.1.${name}.weight`), name).toEqual(decoder);
  }
  for (const name of [
    'encoder.block.0.layer.0.SelfAttention.q',
    'decoder.block.0.layer.1.EncDecAttention.k',
  ]) {
    expect(law(`${name}.weight`)).toEqual(xavier(1));
  }
});

test('routers stay, experts are MLPs', async () => {
  const law = await lawsOf(mixtral, { recipe: 'deepnorm' });
  expect(law('block_sparse_moe.gate.weight')).toEqual({ kind: 'normal', mean: 0, std: 0.02 });
  for (const name of ['w1.weight', 'w2.weight', 'w3.weight']) expect(law(name)).toEqual(xavier(24 ** -0.25));
});

test('refuses values that share a matrix with keys', async () => {
  await expect(lawsOf(gpt2, { recipe: 'deepnorm' })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/matrix of their own .*gpt2.*c_attn\.weight/),
    }),
  );
});
