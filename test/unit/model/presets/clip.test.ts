import { describe, expect, it } from 'vitest';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { elementCount } from '../../../../src/shape.js';

const CLIP = { model_type: 'clip' };
const LARGE = {
  ...CLIP,
  projection_dim: 768,
  text_config: { hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12 },
  vision_config: {
    hidden_size: 1024,
    intermediate_size: 4096,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    patch_size: 14,
  },
};

describe('hf5/clip', () => {
  it.each([
    ['ViT-B/32', CLIP, 151_277_313],
    ['ViT-L/14', LARGE, 427_616_513],
  ])('%s has as many parameters as published', async (_, config, count) => {
    const { tensors } = await planFrom(config);
    expect(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(count);
  });

  it('has standard deviations of each tower’s own width, depth and factor', async () => {
    const { tensors } = await planFrom({
      ...LARGE,
      initializer_factor: 4,
      vision_config: { ...LARGE.vision_config, initializer_factor: 2, initializer_range: 0.1 },
    });
    const std = (name: string): number =>
      (tensors.find((tensor) => tensor.name === name)!.init as { std?: number }).std!;
    expect(std('text_model.embeddings.token_embedding.weight')).toBe(0.02);
    expect(std('text_model.encoder.layers.0.self_attn.q_proj.weight')).toBeCloseTo(
      1 / Math.sqrt(768 * 24),
      15,
    );
    expect(std('vision_model.embeddings.position_embedding.weight')).toBe(0.2);
    expect(std('vision_model.embeddings.class_embedding')).toBe(2 / 32);
    expect(std('vision_model.encoder.layers.23.self_attn.out_proj.weight')).toBe(2 / 32);
    expect(std('vision_model.encoder.layers.23.mlp.fc1.weight')).toBeCloseTo(2 / Math.sqrt(2048), 15);
    expect(std('vision_model.encoder.layers.23.mlp.fc2.weight')).toBeCloseTo(2 / Math.sqrt(1024 * 48), 15);
    expect(std('text_projection.weight')).toBeCloseTo(4 / Math.sqrt(768), 15);
    expect(tensors[0]).toEqual({ name: 'logit_scale', shape: [], init: { kind: 'constant', value: 2.6592 } });
  });

  it('lets the older key of a tower’s configuration win', async () => {
    const { tensors } = await planFrom({ ...LARGE, text_config_dict: { hidden_size: 64 } });
    const of = (name: string) => tensors.find((tensor) => tensor.name === name)!.shape;
    expect(of('text_model.final_layer_norm.weight')).toEqual([64]);
    // All of it: what the older key leaves out is as in ViT-B/32.
    expect(of('text_model.encoder.layers.0.mlp.fc1.weight')).toEqual([2048, 64]);
  });

  it.each([
    [
      'heads that do not divide',
      { text_config: { num_attention_heads: 7 } },
      /multiple of num_attention_heads in the config: text_config/,
    ],
    ['a tower that is none', { vision_config: [1] }, /an object for vision_config/],
    [
      'patches larger than the image',
      { vision_config: { patch_size: 300 } },
      /at most image_size, which is 224/,
    ],
  ])('refuses %s', async (_, extra, message) => {
    await expect(planFrom({ ...CLIP, ...extra })).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      message: expect.stringMatching(message),
    });
  });
});
