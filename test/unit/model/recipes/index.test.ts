import { describe, expect, test } from 'vitest';
import { planFrom } from '../../../../src/model/plan-from.js';
import { PRESETS } from '../../../../src/model/presets/index.js';
import { RECIPES } from '../../../../src/model/recipes/index.js';
import { read, tableAfter } from '../../../helpers/pages.js';
import { gpt2, lawsOf, llama } from './models.js';

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

  test('know every family of models', () => {
    const known = new Set([...RECIPES.values()].flatMap(({ families }) => families));
    expect(known.size).toBe(6);
    expect(PRESETS.size).toBeGreaterThan(0);
  });
});
