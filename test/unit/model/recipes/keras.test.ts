import { expect, test } from 'vitest';
import { convnext, gpt2, lawsOf, llama, resnet } from './models.js';

test.each([
  ['a decoder', { ...llama, attention_bias: true }, 'q_proj', 'embed_tokens'],
  ['matrices of inputs × outputs', gpt2, 'c_attn', 'wte'],
])('%s', async (_, config, matrix, embedding) => {
  const law = await lawsOf(config, { recipe: 'keras' });
  expect(law(`${embedding}.weight`)).toEqual({ kind: 'uniform', min: -0.05, max: 0.05 });
  expect(law(`${matrix}.weight`)).toEqual({ kind: 'glorotUniform' });
  expect(law(`${matrix}.bias`)).toEqual({ kind: 'zeros' });
});

test('convolutions; with groups both fans are the kernel’s', async () => {
  const law = await lawsOf(resnet, { recipe: 'keras' });
  expect(law('embedder.embedder.convolution.weight')).toEqual({ kind: 'glorotUniform' });
  const depthwise = (await lawsOf(convnext, { recipe: 'keras' }))('stages.1.layers.0.dwconv.weight');
  const limit = Math.sqrt(6 / (49 + 49 * 32));
  expect(depthwise).toEqual({
    kind: 'uniform',
    min: expect.closeTo(-limit, 15),
    max: expect.closeTo(limit, 15),
  });
});
