import { describe, expect, it } from 'vitest';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { elementCount } from '../../../../src/shape.js';

const MAMBA2 = {
  model_type: 'mamba2',
  vocab_size: 32768,
  hidden_size: 4096,
  num_hidden_layers: 64,
  state_size: 128,
  num_heads: 128,
  head_dim: 64,
  n_groups: 8,
};

describe('hf5/mamba2', () => {
  it.each([
    ['Codestral Mamba', {}, 7_285_403_648],
    [
      'Mamba-2 2.7B',
      { vocab_size: 50288, hidden_size: 2560, num_heads: 80, n_groups: 1, tie_word_embeddings: true },
      2_702_599_680,
    ],
  ])('%s has as many parameters as published', async (_, extra, count) => {
    const { tensors } = await planFrom({ ...MAMBA2, ...extra });
    expect(tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0)).toBe(count);
  });

  it('has a state and a time step for each head', async () => {
    const { tensors, ties } = await planFrom({ ...MAMBA2, tie_word_embeddings: true });
    const of = (name: string) => tensors.find((tensor) => tensor.name === `backbone.layers.63.mixer.${name}`);
    expect(of('A_log')).toMatchObject({ shape: [128], init: { kind: 'logRamp' } });
    expect(of('dt_bias')).toMatchObject({ shape: [128], init: { kind: 'softplusInverseLogUniform' } });
    expect(of('in_proj.weight')!.shape).toEqual([2 * 8192 + 2 * 8 * 128 + 128, 4096]);
    expect(of('conv1d.weight')).toMatchObject({ shape: [8192 + 2 * 8 * 128, 1, 4], groups: 10_240 });
    expect(ties).toEqual([{ name: 'lm_head.weight', to: 'backbone.embeddings.weight' }]);
  });

  it('refuses heads that do not make up the width', async () => {
    await expect(planFrom({ ...MAMBA2, num_heads: 64 })).rejects.toMatchObject({
      code: 'CONFIG_ERROR',
      message: expect.stringContaining('hidden_size times expand, 8192'),
    });
  });
});
