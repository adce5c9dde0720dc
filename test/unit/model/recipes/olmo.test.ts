import { expect, test } from 'vitest';
import { gpt2, lawsOf, llama } from './models.js';

const cut = (std: number, sigmas = 3): object => ({
  kind: 'truncatedNormal',
  mean: 0,
  std: expect.closeTo(std, 15),
  sigmas: [-sigmas, sigmas],
  rescale: false,
});
const into = ['q_proj.weight', 'k_proj.weight', 'v_proj.weight', 'gate_proj.weight', 'up_proj.weight'];

test('normal: one law for all', async () => {
  const law = await lawsOf(llama, { recipe: 'olmo' });
  for (const name of [
    'embed_tokens.weight',
    ...into,
    'o_proj.weight',
    'down_proj.weight',
    'lm_head.weight',
  ]) {
    expect(law(name), name).toEqual(cut(0.02));
  }
});

test('mitchell: by width, and by the place of the block', async () => {
  const law = await lawsOf(llama, { recipe: { id: 'olmo', variant: 'mitchell', std: 5, cutoff: 2 } });
  for (const name of ['embed_tokens.weight', ...into, 'lm_head.weight']) {
    expect(law(name), name).toEqual(cut(1 / 8, 2));
  }
  for (const layer of [0, 1, 2]) {
    const block = `layers.${layer}`;
    expect(law(`${block}.self_attn.o_proj.weight`)).toEqual(cut(1 / Math.sqrt(2 * 64 * (layer + 1)), 2));
    expect(law(`${block}.mlp.down_proj.weight`)).toEqual(cut(1 / Math.sqrt(2 * 160 * (layer + 1)), 2));
  }
});

test('full_megatron: outputs by the depth, the head by the width', async () => {
  const law = await lawsOf(llama, { recipe: { id: 'olmo', variant: 'full_megatron' } });
  for (const name of ['embed_tokens.weight', ...into]) expect(law(name), name).toEqual(cut(0.02));
  for (const name of ['o_proj.weight', 'down_proj.weight'])
    expect(law(name)).toEqual(cut(0.02 / Math.sqrt(6)));
  expect(law('lm_head.weight')).toEqual(cut(1 / 8));
});

test('full_megatron with scaled embeddings, but not of positions', async () => {
  const law = await lawsOf(gpt2, { recipe: { id: 'olmo', variant: 'full_megatron', scaleEmbedding: true } });
  expect(law('wte.weight')).toEqual(cut(0.02 * 8));
  expect(law('wpe.weight')).toEqual(cut(0.02));
  expect(law('c_attn.bias')).toEqual({ kind: 'zeros' });
});

test('names the nearest variant', async () => {
  await expect(lawsOf(llama, { recipe: { id: 'olmo', variant: 'mitchel' } })).rejects.toThrow('"mitchell"');
});
