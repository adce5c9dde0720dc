import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama } from './models.js';

test.each([
  ['a decoder', { ...llama, attention_bias: true }, 'q_proj', 'embed_tokens'],
  ['matrices of inputs × outputs', gpt2, 'c_attn', 'wte'],
])('%s', async (_, config, matrix, embedding) => {
  const law = await lawsOf(config, { recipe: 'keras' });
  expect(law(`${embedding}.weight`)).toEqual({ kind: 'uniform', min: -0.05, max: 0.05 });
  expect(law(`${matrix}.weight`)).toEqual({ kind: 'glorotUniform' });
  expect(law(`${matrix}.bias`)).toEqual({ kind: 'zeros' });
});
