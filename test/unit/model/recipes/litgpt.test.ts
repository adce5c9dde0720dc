import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 15) });

test('small everywhere, smaller where a residual branch ends', async () => {
  const law = await lawsOf(llama, { recipe: 'litgpt' });
  for (const name of ['embed_tokens.weight', 'q_proj.weight', 'up_proj.weight', 'lm_head.weight']) {
    expect(law(name), name).toEqual(normal(Math.sqrt(2 / 5 / 64)));
  }
  for (const name of ['o_proj.weight', 'down_proj.weight']) expect(law(name)).toEqual(normal(1 / (8 * 3)));
});

test('an MLP without a gate ends as it began', async () => {
  const law = await lawsOf(gpt2, { recipe: 'litgpt' });
  expect(law('attn.c_proj.weight')).toEqual(normal(1 / 24));
  expect(law('mlp.c_proj.weight')).toEqual(normal(Math.sqrt(2 / 320)));
  expect(law('mlp.c_proj.bias')).toEqual({ kind: 'zeros' });
});

test('takes no options', async () => {
  await expect(lawsOf(llama, { recipe: { id: 'litgpt', std: 1 } })).rejects.toThrow('it takes no options');
});
