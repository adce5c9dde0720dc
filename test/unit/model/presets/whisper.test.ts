import { describe, expect, it } from 'vitest';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { elementCount } from '../../../../src/shape.js';

const TINY = {
  model_type: 'whisper',
  vocab_size: 51865,
  d_model: 384,
  encoder_layers: 4,
  decoder_layers: 4,
  encoder_attention_heads: 6,
  decoder_attention_heads: 6,
  encoder_ffn_dim: 1536,
  decoder_ffn_dim: 1536,
};

describe('hf5/whisper', () => {
  it.each([
    ['tiny', {}, 37_760_640],
    [
      'large-v3',
      {
        vocab_size: 51866,
        num_mel_bins: 128,
        d_model: 1280,
        encoder_layers: 32,
        decoder_layers: 32,
        encoder_attention_heads: 20,
        decoder_attention_heads: 20,
        encoder_ffn_dim: 5120,
        decoder_ffn_dim: 5120,
      },
      1_543_490_560,
    ],
  ])('%s has as many parameters as published', async (_, extra, count) => {
    const { tensors } = await planFrom({ ...TINY, ...extra });
    expect(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(count);
  });

  it('has sinusoids in the encoder, whatever the recipe, and a row of zeros for the padding token', async () => {
    for (const recipe of ['hf5', 'torch']) {
      const { tensors } = await planFrom(TINY, { recipe });
      const of = (name: string) => tensors.find((tensor) => tensor.name === name);
      expect(of('model.encoder.embed_positions.weight')).toEqual({
        name: 'model.encoder.embed_positions.weight',
        shape: [1500, 384],
        init: { kind: 'sinusoidal', order: 'halves', maxTimescale: 10_000 },
      });
      expect(of('model.decoder.embed_tokens.weight')!.init).toMatchObject({
        kind: 'zeroRows',
        rows: [50256],
      });
      expect(of('model.decoder.layers.3.encoder_attn.k_proj.bias')).toBeUndefined();
    }
  });

  it.each([
    ['heads that do not divide', { decoder_attention_heads: 5 }, /multiple of decoder_attention_heads/],
    [
      'an odd width',
      { d_model: 3, encoder_attention_heads: 1, decoder_attention_heads: 1 },
      /an even number.*d_model/,
    ],
    ['a padding token beyond the vocabulary', { vocab_size: 100 }, /a row of 100 for pad_token_id/],
    [
      'a class without all of it',
      { architectures: ['WhisperForCausalLM'] },
      /one of WhisperForConditionalGeneration/,
    ],
  ])('refuses %s', async (_, extra, message) => {
    await expect(planFrom({ ...TINY, ...extra })).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      message: expect.stringMatching(message),
    });
  });
});
