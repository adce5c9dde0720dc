import { expect, test } from 'vitest';
import { gptNeox, lawsOf } from './models.js';

const normal = (std: number): object => ({ kind: 'normal', mean: 0, std: expect.closeTo(std, 15) });
const inner = ['embed_in.weight', 'query_key_value.weight', 'dense_h_to_4h.weight', 'embed_out.weight'];
const output = ['attention.dense.weight', 'dense_4h_to_h.weight'];

test('small_init and wang_init by default', async () => {
  const law = await lawsOf(gptNeox, { recipe: 'neox' });
  for (const name of inner) expect(law(name), name).toEqual(normal(Math.sqrt(2 / (5 * 64))));
  for (const name of output) expect(law(name), name).toEqual(normal(2 / 3 / Math.sqrt(64)));
  expect(law('query_key_value.bias')).toEqual({ kind: 'zeros' });
  expect(law('final_layer_norm.weight')).toEqual({ kind: 'ones' });
});

test.each<[string, object]>([
  ['normal', normal(0.03)],
  ['scaled_normal', normal(0.03 / Math.sqrt(6))],
  ['orthogonal', { kind: 'orthogonal', gain: expect.closeTo(Math.SQRT2, 15), method: 'reflections' }],
  [
    'scaled_orthogonal',
    { kind: 'orthogonal', gain: expect.closeTo(Math.sqrt(2 / 3), 15), method: 'reflections' },
  ],
  ['xavier_uniform', { kind: 'xavierUniform', gain: 1 }],
  ['xavier_normal', { kind: 'xavierNormal', gain: 1 }],
  ['wang_init', normal(2 / (3 * 8))],
  ['small_init', normal(Math.sqrt(0.4 / 64))],
])('%s for either', async (method, expected) => {
  const asInner = await lawsOf(gptNeox, { recipe: { id: 'neox', initMethod: method, std: 0.03 } });
  for (const name of inner) expect(asInner(name), name).toEqual(expected);
  const asOutput = await lawsOf(gptNeox, { recipe: { id: 'neox', outputMethod: method, std: 0.03 } });
  for (const name of output) expect(asOutput(name), name).toEqual(expected);
});

test('names the nearest method and option', async () => {
  await expect(lawsOf(gptNeox, { recipe: { id: 'neox', initMethod: 'wang' } })).rejects.toThrow(
    '"wang_init"',
  );
  await expect(lawsOf(gptNeox, { recipe: { id: 'neox', init_method: 'normal' } })).rejects.toThrow(
    expect.objectContaining({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('"initMethod"') }),
  );
});
