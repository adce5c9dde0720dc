import { describe, expect, test } from 'vitest';
import type { Plan } from '../../../../src/model/plan/plan.js';
import { planFrom } from '../../../../src/model/plan/plan-from.js';
import { PRESETS } from '../../../../src/model/presets/index.js';
import { depthOf } from '../../../../src/model/recipes/facts.js';
import { RECIPES } from '../../../../src/model/recipes/index.js';
import { read, tableAfter } from '../../../helpers/pages.js';
import { describeModel, gpt2, lawsOf, llama, SMALL, whisper } from './models.js';

describe('recipes', () => {
  test('are known by their ids', () => {
    for (const [id, recipe] of RECIPES) {
      expect(recipe.id).toBe(id);
      expect(recipe.title).not.toBe('');
      expect(recipe.families).not.toHaveLength(0);
    }
    expect(RECIPES.size).toBe(11);
    // The default's name is taken.
    expect(RECIPES.has('hf5')).toBe(false);
  });

  test.each([...RECIPES.keys()])('%s makes a plan of a decoder', async (id) => {
    const base = RECIPES.get(id)!.base === 'required' ? { base: llama } : {};
    const plan = await planFrom(llama, { recipe: id, ...base });
    expect(plan.metadata).toMatchObject({ preset: `${id}/llama` });
    expect(plan.tensors).toHaveLength((await planFrom(llama)).tensors.length);
  });

  test('are called as presets are', async () => {
    const law = await lawsOf(gpt2, { recipe: 'nanogpt/gpt2' });
    expect(law('c_fc.weight')).toEqual({ kind: 'normal', mean: 0, std: 0.02 });
  });

  test.each(
    [...RECIPES.values()]
      .filter(({ base }) => base === undefined)
      .map(({ id }) => id)
      .concat('hf5'),
  )('%s takes no base', async (recipe) => {
    await expect(planFrom(llama, { recipe, base: llama })).rejects.toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`expected no base with the recipe ${recipe}`),
      }),
    );
  });

  test('that need a base say so', async () => {
    await expect(planFrom(llama, { recipe: 'mup' })).rejects.toThrow('expected a base for the recipe mup');
  });

  test('are in the guide, with their options', () => {
    const rows = tableAfter(read('docs/guides/recipes.md'), '## What there is');
    const named = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name!);
    const options = new Map<string, Set<string>>();
    for (const cells of rows) {
      const [id] = named(cells[0]!) as [string];
      const known = options.get(id) ?? new Set();
      for (const name of named(cells.at(-1)!)) known.add(name);
      // The variants of a recipe have a row each.
      if (named(cells[0]!).length > 1) known.add('variant');
      options.set(id, known);
    }
    expect([...options.keys()].sort()).toEqual(['hf5', ...RECIPES.keys()].sort());
    for (const [id, recipe] of RECIPES) {
      const all = [...recipe.options, ...(recipe.base === undefined ? [] : ['base'])];
      expect([...options.get(id)!].sort(), id).toEqual(all.sort());
    }
  });

  const models = [...SMALL].map(([type, config]) => [type, config] as const);

  test('are tried on every type of model', () => {
    expect([...SMALL.keys()].sort()).toEqual([...PRESETS.keys()].sort());
  });

  test.each(models)(
    '%s: every recipe that fits makes a plan of it, of the same tensors',
    async (type, config) => {
      const { family } = describeModel(config);
      const shapes = (plan: Plan): unknown =>
        plan.tensors.map(({ name, shape, dtype }) => [name, shape, dtype]);
      const usual = await planFrom(config);
      for (const [id, { families, base }] of RECIPES) {
        const planned = planFrom(config, { recipe: id, ...(base === 'required' && { base: config }) });
        const fused = usual.tensors.some(({ name }) => /query_key_value|c_attn|kv_a_proj/.test(name));
        if (!families.includes(family) || (id === 'deepnorm' && fused)) {
          await expect(planned, id).rejects.toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
          continue;
        }
        const plan = await planned;
        expect(shapes(plan), id).toEqual(shapes(usual));
        // Norms, statistics, and all that is no layer.
        const own =
          /norm|ln_|LayerNorm|running|tracked|A_log|\.D$|dt_|logit_scale|layer_scale|cls_token|class_embedding/;
        for (const [index, { name, init }] of plan.tensors.entries()) {
          if (own.test(name)) expect(init, `${id}: ${name}`).toEqual(usual.tensors[index]!.init);
        }
        // Rows of padding.
        for (const [index, { init }] of usual.tensors.entries()) {
          if (init.kind === 'zeroRows')
            expect(plan.tensors[index]!.init).toMatchObject({ kind: 'zeroRows', rows: init.rows });
        }
      }
      expect(describeModel(config).modelType).toBe(type);
    },
  );

  test.each(models)('%s: every block is one of a stack that is counted', (_, config) => {
    const model = describeModel(config);
    for (const tensor of model.tensors) {
      if (tensor.layer !== undefined) expect(tensor.layer, tensor.name).toBeLessThan(depthOf(model, tensor));
    }
  });

  test('leave tables that are not trained', async () => {
    const law = await lawsOf(whisper, { recipe: 'torch' });
    expect(law('encoder.embed_positions.weight')).toMatchObject({ kind: 'sinusoidal' });
    expect(law('decoder.embed_positions.weight')).toEqual({ kind: 'normal', mean: 0, std: 1 });
  });
});
