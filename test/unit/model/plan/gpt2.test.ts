import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
// @ts-expect-error The example is plain JavaScript.
import { formatPlan, gpt2Plan } from '../../../../examples/gpt2/make-plan.mjs';
import { parsePlan } from '../../../../src/model/plan/plan.js';

const file = (name: string): string =>
  readFileSync(new URL(`../../../../examples/gpt2/${name}`, import.meta.url), 'utf8');
const plan = parsePlan(file('plan.json'));
const byName = new Map(plan.tensors.map((tensor) => [tensor.name, tensor]));

describe('examples/gpt2', () => {
  test('plan.json is what make-plan.mjs makes of config.json', () => {
    expect(file('plan.json')).toBe(formatPlan(gpt2Plan(JSON.parse(file('config.json')))));
  });

  test('has the published number of parameters', () => {
    const parameters = plan.tensors.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
    expect(parameters).toBe(124_439_808);
    expect(plan.tensors).toHaveLength(148);
  });

  test.each([
    ['transformer.wte.weight', [50257, 768], { kind: 'normal', mean: 0, std: 0.02 }],
    ['transformer.wpe.weight', [1024, 768], { kind: 'normal', mean: 0, std: 0.02 }],
    ['transformer.h.0.attn.c_attn.weight', [768, 2304], { kind: 'normal', mean: 0, std: 0.02 }],
    [
      'transformer.h.11.attn.c_proj.weight',
      [768, 768],
      { kind: 'normal', mean: 0, std: 0.02 / Math.sqrt(24) },
    ],
    ['transformer.h.5.mlp.c_fc.weight', [768, 3072], { kind: 'normal', mean: 0, std: 0.02 }],
    [
      'transformer.h.5.mlp.c_proj.weight',
      [3072, 768],
      { kind: 'normal', mean: 0, std: 0.02 / Math.sqrt(24) },
    ],
    ['transformer.h.5.mlp.c_proj.bias', [768], { kind: 'zeros' }],
    ['transformer.h.3.ln_2.weight', [768], { kind: 'ones' }],
    ['transformer.ln_f.bias', [768], { kind: 'zeros' }],
  ])('%s', (name, shape, init) => {
    expect(byName.get(name)).toMatchObject({ shape, init });
  });

  test('stores no output layer: it is tied to the embedding', () => {
    expect(byName.has('lm_head.weight')).toBe(false);
  });
});
