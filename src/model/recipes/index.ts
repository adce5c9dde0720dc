import { deepnorm } from './deepnorm.js';
import { fixup } from './fixup.js';
import { keras } from './keras.js';
import { litgpt } from './litgpt.js';
import { megatron } from './megatron.js';
import { mup } from './mup.js';
import { nanogpt } from './nanogpt.js';
import { neox } from './neox.js';
import { olmo } from './olmo.js';
import { torch } from './torch.js';
import { torchtitan } from './torchtitan.js';
import type { WeightRecipe } from './types.js';

const ALL: readonly WeightRecipe[] = [
  deepnorm,
  fixup,
  keras,
  litgpt,
  megatron,
  mup,
  nanogpt,
  neox,
  olmo,
  torch,
  torchtitan,
];

/** Every way of starting a model beside the presets' own, by its id. */
export const RECIPES: ReadonlyMap<string, WeightRecipe> = new Map(ALL.map((recipe) => [recipe.id, recipe]));
