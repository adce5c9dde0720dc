import { expect, test } from 'vitest';
import { fillSync, type Initializer } from '../../../../src/index.js';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { bert, gpt2, lawsOf, llama, mixtral, resnet } from './models.js';

/** Both ends of a uniform tensor of this law, by 100,000 draws. */
function extent(init: Initializer, shape: readonly number[], layout?: string): number {
  const { data } = fillSync('w', shape, init, { seed: 1, dtype: 'float64', ...(layout ? { layout } : {}) });
  return data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

test('linear layers and embeddings', async () => {
  const law = await lawsOf({ ...llama, attention_bias: true }, { recipe: 'torch' });
  expect(law('embed_tokens.weight')).toEqual({ kind: 'normal', mean: 0, std: 1 });
  for (const [name, shape, inputs] of [
    ['q_proj.weight', [64, 64], 64],
    ['down_proj.weight', [64, 160], 160],
    ['lm_head.weight', [100, 64], 64],
  ] as const) {
    const bound = 1 / Math.sqrt(inputs);
    const most = extent(law(name), shape);
    expect(most).toBeLessThan(bound * (1 + 1e-15));
    expect(most).toBeGreaterThan(bound * 0.995);
  }
  for (const name of ['q_proj.bias', 'o_proj.bias']) {
    expect(law(name)).toEqual({ kind: 'uniform', min: -1 / 8, max: 1 / 8 });
  }
  expect(law('model.norm.weight')).toEqual({ kind: 'ones' });
});

test('attention with one matrix is a MultiheadAttention', async () => {
  const law = await lawsOf(gpt2, { recipe: 'torch' });
  const bound = Math.sqrt(6 / (64 + 3 * 64));
  const most = extent(law('c_attn.weight'), [64, 192], 'IO');
  expect(most).toBeLessThan(bound);
  expect(most).toBeGreaterThan(bound * 0.995);
  for (const name of ['c_attn.bias', 'attn.c_proj.bias']) expect(law(name)).toEqual({ kind: 'zeros' });
  // The fan of [inputs, outputs] is axis 0.
  expect(extent(law('c_fc.weight'), [64, 256], 'IO')).toBeCloseTo(1 / 8, 3);
  expect(law('c_fc.bias')).toEqual({ kind: 'uniform', min: -1 / 8, max: 1 / 8 });
  expect(law('mlp.c_proj.bias')).toEqual({ kind: 'uniform', min: -1 / 16, max: 1 / 16 });
});

test('padding rows stay zero; routers are linear layers', async () => {
  const law = await lawsOf({ ...mixtral, pad_token_id: 2 }, { recipe: 'torch' });
  expect(law('embed_tokens.weight')).toMatchObject({ kind: 'zeroRows', rows: [2] });
  expect(law('block_sparse_moe.gate.weight')).toEqual(law('q_proj.weight'));
});

test('convolutions; a bias whose matrix is tied is that of a linear layer', async () => {
  const law = await lawsOf(resnet, { recipe: 'torch' });
  const most = extent(law('stages.1.layers.0.layer.1.convolution.weight'), [16, 16, 3, 3]);
  expect(most).toBeLessThan(1 / 12);
  expect(most).toBeGreaterThan(0.995 / 12);
  expect(law('stages.1.layers.0.layer.1.normalization.running_var')).toEqual({ kind: 'ones' });
  expect((await lawsOf(bert, { recipe: 'torch' }))('cls.predictions.bias')).toEqual({
    kind: 'uniform',
    min: -1 / 8,
    max: 1 / 8,
  });
});

test('what is drawn has the standard deviations of the layers', async () => {
  const { tensors } = await planFrom(gpt2, { recipe: 'torch' });
  for (const [ending, std] of [
    ['h.0.mlp.c_fc.weight', 1 / 8 / Math.sqrt(3)],
    ['h.1.mlp.c_proj.weight', 1 / 16 / Math.sqrt(3)],
    ['h.2.attn.c_attn.weight', Math.sqrt(2 / 256)],
    ['wte.weight', 1],
  ] as const) {
    const { name, shape, init, layout } = tensors.find((tensor) => tensor.name.endsWith(ending))!;
    const { data } = fillSync(name, shape, init, {
      seed: 3,
      dtype: 'float64',
      ...(layout ? { layout } : {}),
    });
    const measured = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    // Five standard errors of a normal sample's standard deviation, which is more than a uniform's.
    expect(Math.abs(measured / std - 1), ending).toBeLessThan(5 / Math.sqrt(2 * data.length));
  }
});
