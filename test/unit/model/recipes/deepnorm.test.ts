import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama, mixtral } from './models.js';

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
