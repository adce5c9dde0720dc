import { expect, test } from 'vitest';
import { fillSync, type Initializer } from '../../../../src/index.js';
import { convnext, gpt2, lawsOf, llama, mixtral, resnet, t5 } from './models.js';

const he = (scale: number): object => ({
  kind: 'varianceScaling',
  scale: expect.closeTo(scale, 15),
  mode: 'fanOut',
  distribution: 'normal',
});
const ZEROS = { kind: 'zeros' };

test('two branches of two weights in each block of a transformer', async () => {
  const law = await lawsOf({ ...llama, attention_bias: true }, { recipe: 'fixup' });
  // L^(−1/2) for L = 6, squared.
  for (const name of ['q_proj.weight', 'v_proj.weight', 'gate_proj.weight', 'up_proj.weight']) {
    expect(law(name), name).toEqual(he(2 / 6));
  }
  for (const name of ['o_proj.weight', 'down_proj.weight', 'lm_head.weight', 'q_proj.bias']) {
    expect(law(name), name).toEqual(ZEROS);
  }
  // Outside of branches: as the preset has it.
  expect(law('embed_tokens.weight')).toEqual({ kind: 'normal', mean: 0, std: 0.02 });
  expect(law('input_layernorm.weight')).toEqual({ kind: 'ones' });
});

test('the experts of a block are one branch', async () => {
  const law = await lawsOf(mixtral, { recipe: 'fixup' });
  expect(law('w1.weight')).toEqual(he(2 / 6));
  expect(law('w2.weight')).toEqual(ZEROS);
});

test('bottlenecks: one branch of three kernels in each block', async () => {
  const law = await lawsOf(resnet, { recipe: 'fixup' });
  const block = 'stages.1.layers.0';
  // (L^(−1/4))² for the 5 blocks.
  for (const position of [0, 1]) {
    expect(law(`${block}.layer.${position}.convolution.weight`)).toEqual(he(2 * 5 ** -0.5));
  }
  expect(law(`${block}.layer.2.convolution.weight`)).toEqual(ZEROS);
  // Outside of branches.
  expect(law(`${block}.shortcut.convolution.weight`)).toEqual(he(2));
  expect(law('embedder.embedder.convolution.weight')).toEqual(he(2));
  expect(law('classifier.1.weight')).toEqual(ZEROS);
  expect(law('classifier.1.bias')).toEqual(ZEROS);
  expect(law(`${block}.layer.2.normalization.weight`)).toEqual({ kind: 'ones' });
});

test('basic blocks: two kernels', async () => {
  const law = await lawsOf({ ...resnet, layer_type: 'basic' }, { recipe: 'fixup' });
  expect(law('stages.0.layers.1.layer.0.convolution.weight')).toEqual(he(2 / 5));
  expect(law('stages.0.layers.1.layer.1.convolution.weight')).toEqual(ZEROS);
});

test('branches of an encoder and a decoder: two and three in each block', async () => {
  const law = await lawsOf(t5, { recipe: 'fixup' });
  expect(law('DenseReluDense.wi.weight')).toEqual(he(2 / (2 * 3 + 3 * 2)));
});

test('ConvNeXt: a branch of three in each block', async () => {
  const law = await lawsOf(convnext, { recipe: 'fixup' });
  expect(law('pwconv1.weight')).toEqual(he(2 * 3 ** -0.5));
  expect(law('pwconv2.weight')).toEqual(ZEROS);
  expect(law('layer_scale_parameter')).toEqual({ kind: 'constant', value: 1e-6 });
});

test('the standard deviation is that of the outputs', async () => {
  const law = await lawsOf(gpt2, { recipe: 'fixup' });
  const init: Initializer = law('c_fc.weight');
  const { data } = fillSync('w', [64, 256], init, { seed: 1, dtype: 'float64', layout: 'IO' });
  const std = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
  expect(std / (Math.sqrt(2 / 256) * 6 ** -0.5)).toBeCloseTo(1, 1.5);
});
