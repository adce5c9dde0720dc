import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 15) });

test('as model.py has it', async () => {
  const law = await lawsOf(gpt2, { recipe: 'nanogpt' });
  for (const name of ['wte.weight', 'wpe.weight', 'c_attn.weight', 'c_fc.weight']) {
    expect(law(name), name).toEqual(normal(0.02));
  }
  // Both of them: attn.c_proj and mlp.c_proj.
  expect(law('c_proj.weight')).toEqual(normal(0.02 / Math.sqrt(2 * 3)));
  for (const name of ['c_attn.bias', 'c_proj.bias', 'ln_1.bias'])
    expect(law(name)).toEqual({ kind: 'zeros' });
  expect(law('ln_f.weight')).toEqual({ kind: 'ones' });
});

test('fits other decoders, and another std', async () => {
  const law = await lawsOf(llama, { recipe: { id: 'nanogpt', std: 0.01 } });
  for (const name of ['embed_tokens.weight', 'q_proj.weight', 'gate_proj.weight', 'lm_head.weight']) {
    expect(law(name), name).toEqual(normal(0.01));
  }
  for (const name of ['o_proj.weight', 'down_proj.weight']) {
    expect(law(name), name).toEqual(normal(0.01 / Math.sqrt(6)));
  }
});

test('keeps the row of the padding token', async () => {
  const law = await lawsOf({ ...llama, pad_token_id: 7 }, { recipe: 'nanogpt' });
  expect(law('embed_tokens.weight')).toMatchObject({ kind: 'zeroRows', rows: [7], init: normal(0.02) });
});

test.each([[0], [-1], ['0.02'], [Number.NaN]])('refuses std %j', async (std) => {
  await expect(lawsOf(gpt2, { recipe: { id: 'nanogpt', std } })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('std of the recipe nanogpt'),
    }),
  );
});
