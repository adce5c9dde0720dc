import type { WeightRecipe } from './types.js';

/** Every way of starting a model beside the presets' own, by its id. */
export const RECIPES: ReadonlyMap<string, WeightRecipe> = new Map<string, WeightRecipe>([]);
